"""Connections that run statements: SQLAlchemy's pools, the driver's own cursors, no ORM session, no ping.

Each op checks a connection out, sends, and gives it back. All connections are in autocommit; several statements
become a transaction only where a unit asks for one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from dbrouter.backends.kernel.errors import StoreError
from dbrouter.backends.sql.statements import Outcome, Statement


@dataclass(frozen=True, slots=True)
class Unit:
    """Statements that go together. atomic: all or none; each then sees what the ones before it did.

    at_once: they only read, and see one moment.
    """

    statements: Sequence[Statement]
    atomic: bool = False
    at_once: bool = False

    @property
    def writes(self) -> bool:
        """Whether any statement changes data."""
        return any(statement.writes for statement in self.statements)


class Connections(Protocol):
    """Runs units of work. Blocking ones never suspend."""

    async def run(self, unit: Unit) -> list[Outcome]:
        """Each statement's outcome, in order; vendor errors come as `StoreError`s."""
        ...

    async def close(self) -> None:
        """Close all idle connections."""
        ...


class MissingTable(StoreError):
    """A statement named a table that does not exist.

    The store makes its own tables and goes on: told to users only of a table of theirs, such as a trigger names.
    """
