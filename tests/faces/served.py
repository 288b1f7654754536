"""Every method that each mode serves, for tests that go through them all."""

from __future__ import annotations

import inspect
from typing import Any

from dbrouter.router.faces.async_all import ASYNC_FACES
from dbrouter.router.faces.sync_all import SYNC_FACES
from dbrouter.router.families import FAMILY_CLASSES

BY_TABLE_NAME = ("get_latest_schema_version", "upsert_schema_version")
"""What a router answers itself, by the table that is named."""


def methods_of(cls: type) -> list[str]:
    """The public methods that a class itself defines."""
    return [name for name, each in vars(cls).items() if inspect.isfunction(each) and not name.startswith("_")]


SYNC: list[tuple[str, str]] = [(family, name) for family, face in SYNC_FACES.items() for name in methods_of(face)]
ASYNC: list[tuple[str, str]] = [(family, name) for family, face in ASYNC_FACES.items() for name in methods_of(face)]
PROGRAMS: dict[str, Any] = {
    name: getattr(program, name)
    for programs in FAMILY_CLASSES.values()
    for program in programs
    for name in methods_of(program)
}
