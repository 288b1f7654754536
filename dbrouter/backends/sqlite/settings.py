"""What a SQLite database is configured with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from dbrouter.backends.settings import DEADLINE, Part, TableNames, refusal


def _a_file(path: Path) -> Path:
    if str(path).startswith(":memory:") or str(path) == ".":
        raise refusal(f"{str(path)!r} is not a file", "name a file, or use kind: memory")
    meant = next((part for part in path.parts if part.startswith("$") and part[1:] in os.environ), None)
    if meant is not None:
        # It would be a folder of that name.
        raise refusal(f"{meant} is no reference", f"write ${{{meant[1:]}}}")
    return path.expanduser()


CALLS_AT_ONCE = 3
"""Calls of all tenants together that a file works on at once. It admits one writer at a time, and reads are mostly this
process's own work: with more of them under way nobody is served sooner, and a quiet tenant waits longer
(`benchmarks/fairness.py`)."""


class SqliteSettings(Part):
    """A SQLite file."""

    kind: Literal["sqlite"] = "sqlite"
    """The kind of database."""
    path: Annotated[Path, AfterValidator(_a_file)]
    """The file, relative to the YAML file that names it. It and its parent folders are made when first opened."""
    deadline: Annotated[float, Field(gt=0)] = DEADLINE
    """Seconds a call may wait for another writer before it raises `Unavailable`."""
    tables: TableNames = Field(default_factory=dict[str, str])
    """Table -> its name in this database, where it is not agno's default name."""

    @property
    def calls_at_once(self) -> int:
        """Calls of all tenants together that one process has under way at most."""
        return CALLS_AT_ONCE
