"""`dbrouter init` and `dbrouter schema`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dbrouter.config import load
from dbrouter.config.schema import json_schema

if TYPE_CHECKING:
    from tests.cli.conftest import Run


def test_init_writes_a_file_that_checks_out(run: Run, folder: Path) -> None:
    assert run("init").exit_code == 0
    assert run("check").exit_code == 0
    assert load(folder / "dbrouter.yaml", {}).id == "my-os"


def test_init_overwrites_nothing(run: Run, folder: Path) -> None:
    (folder / "dbrouter.yaml").write_text("mine")
    result = run("init")
    assert result.exit_code == 1
    assert result.stderr == "dbrouter.yaml exists already; remove it, or name another file\n"
    assert (folder / "dbrouter.yaml").read_text() == "mine"


def test_init_writes_the_file_that_is_named(run: Run, folder: Path) -> None:
    assert run("init", "other.yaml").exit_code == 0
    assert (folder / "other.yaml").exists()


def test_init_says_why_it_cannot_write(run: Run) -> None:
    result = run("init", "no/such/folder.yaml")
    assert result.exit_code == 1
    assert result.stderr.startswith("no/such/folder.yaml cannot be written: No such file or directory")


def test_the_schema_is_printed(run: Run) -> None:
    assert json.loads(run("schema").stdout) == json_schema()


def test_the_schema_is_written_to_a_file(run: Run, folder: Path) -> None:
    assert run("schema", "out.json").exit_code == 0
    assert json.loads((folder / "out.json").read_text()) == json_schema()


def test_the_demo_is_a_command(run: Run) -> None:
    assert run("demo", "--help").exit_code == 0


def test_a_word_that_is_no_command_is_a_usage_error(run: Run) -> None:
    assert run("chek").exit_code == 2


def test_the_command_line_loads_no_vendor_client() -> None:
    code = (
        "import sys, dbrouter.cli.app\n"
        "sys.exit(', '.join({'sqlalchemy', 'psycopg', 'aiosqlite', 'uvicorn'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
