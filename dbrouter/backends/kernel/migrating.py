"""What it takes to bring an older database to today's schema, as data: steps that can each be taken again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias, runtime_checkable

from dbrouter.backends.kernel.agno_tables import TABLES

TODAY = "3.0.0"
"""What agno 3.1.10 stamps on a table it creates."""

UNSTAMPED = "2.0.0"
"""agno's word for a table without a stamp."""

LEGACY_RUNS = "runs"
"""The column of the sessions that held their runs before agno 3."""

SUPERSEDED = {"metrics": ("date", "aggregation_period")}
"""Unique sets of older agnos that would refuse what is written today: table -> columns."""

Told: TypeAlias = Callable[[int], object]
"""Called with how many more rows are done."""


class Work(StrEnum):
    """What a step does. None removes a row that cannot be computed anew, a column or a table."""

    TABLE = "create table"
    COLUMN = "add column"
    TYPE = "change type of column"
    KEY = "declare key"
    UNIQUE = "add unique set"
    OWNERS = "let rows differ in their owner"
    INDEX = "create index"
    RUNS = "copy runs out of the sessions"
    JSON = "unwrap JSON that was written as a text of JSON"
    LEARNINGS = "give learnings of users their users' keys"
    STAMP = "stamp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step. Taken when it was taken already, by whomever, it changes nothing.

    table: spec name; physical: what it is called there. name: the column, index or version. rows: how many it reads.
    """

    work: Work
    table: str
    physical: str
    name: str = ""
    rows: int = 0

    def __str__(self) -> str:
        """The step in words."""
        what = f"{self.work} {self.name}".rstrip()
        return f"{self.physical}: {what}" + (f" ({self.rows} rows)" if self.rows else "")


class Migration(Protocol):
    """How one place of one database is brought to today's schema: a schema, a file, a tenant's own.

    Additive, and resumable: what is there says what is left to do, so a plan made anew goes on where the last ended.
    """

    async def plan(self) -> tuple[Step, ...]:
        """What is left to do, in order; nothing if the place is of today, or empty."""
        ...

    async def take(self, step: Step, told: Told) -> None:
        """Take one step. `StoreError` if it cannot be taken; nothing is half done then."""
        ...

    async def forget_legacy_runs(self) -> bool:
        """Drop what the runs were copied from, if there is any; `StoreError` if they were not copied yet.

        What an older agno wrote there after they were copied is copied first.
        """
        ...


@runtime_checkable
class Migrates(Protocol):
    """A driver whose tables may be those of an older agno. The others have layouts of their own."""

    def migration(self) -> Migration:
        """How what it speaks to is brought to today's schema."""
        ...


def is_older(version: str, than: str = TODAY) -> bool:
    """Whether a stamp is of an older schema. One that nobody understands is."""
    return _parts(version) < _parts(than)


def _parts(version: str) -> tuple[int, ...]:
    parts = version.split(".")
    return tuple(map(int, parts)) if all(each.isdecimal() for each in parts) else ()


def agnos(table: str) -> bool:
    """Whether agno has this table; the others were never of an older shape than the first of dbrouter's."""
    return table in TABLES
