"""The faces in the repository are what the generator writes, and every program is in them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from dbrouter.backends.kernel.agno_tables import FAMILIES
from dbrouter.backends.memory.store import MemoryStore
from dbrouter.router.families import FAMILY_CLASSES
from dbrouter.router.families.context import Context
from dbrouter.router.families.programs import Programs
from tests.faces.served import ASYNC, BY_TABLE_NAME, PROGRAMS, SYNC

ROOT = Path(__file__).parents[2]


def test_generated_files_are_what_the_generators_write() -> None:
    command = [sys.executable, "scripts/generate.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_method_of_a_program_is_in_both_faces() -> None:
    assert {name for _, name in SYNC} | set(BY_TABLE_NAME) == set(PROGRAMS)
    assert {name for _, name in ASYNC} | set(BY_TABLE_NAME) == set(PROGRAMS)


def test_every_family_class_is_a_program() -> None:
    programs: set[type] = {type(each) for each in vars(Programs(Context(MemoryStore()))).values()}
    assert programs == {each for classes in FAMILY_CLASSES.values() for each in classes}
    assert set(FAMILY_CLASSES) <= set(FAMILIES)
