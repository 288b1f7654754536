"""What the compilers make: SQL text with its parameters, and how its rows become records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

Row = Sequence[Any]


class Requirement(Enum):
    """What a statement must give for its transaction to be committed."""

    A_ROW = "a row"
    NO_ROW = "no row"


class Refusal(Enum):
    """What it means that a statement which only asserts something has failed."""

    MISSED = "a requirement of the transaction does not hold"
    MOVED = "rows came or went between two statements; the same transaction may succeed now"
    HELD = "another writer kept what is waited for"
    TAKEN = "another record has the same values in another unique set than the one asked for"


class RequirementMissed(Exception):  # internal: the store answers with a `Conflict`
    """A statement of a transaction did not give what the transaction needs; it was rolled back."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement and its parameters in the order of their placeholders.

    writes: whether it changes data (it is then never repeated on a doubtful connection). returns: whether rows come.
    requires: what the surrounding transaction needs of it: some row, no row, or nothing (`None`).
    answers: false for a statement beside the op, such as a lock, whose rows mean nothing.
    ahead, behind: where a database answers writes with no rows, the statements around this one that complete its
    transaction. The rows are then those of the one among them that `returns`; the count is this one's.
    after: what is sent once the transaction is over, however it ends. refusal: what a failed assertion in it means.
    """

    sql: str
    params: tuple[Any, ...] = ()
    writes: bool = False
    returns: bool = True
    requires: Requirement | None = None
    answers: bool = True
    ahead: tuple[Statement, ...] = ()
    behind: tuple[Statement, ...] = ()
    after: str | None = None
    refusal: Refusal | None = None

    @property
    def gives_rows(self) -> bool:
        """Whether its outcome has rows; else only how many it touched."""
        return any(part.returns for part in self.parts)

    @property
    def parts(self) -> tuple[Statement, ...]:
        """All that is sent for it within the transaction, in order."""
        return (*self.ahead, self, *self.behind)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a statement gave: its rows, and how many rows it touched."""

    rows: list[Any]
    touched: int
