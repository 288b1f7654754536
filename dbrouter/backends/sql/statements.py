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


class RequirementMissed(Exception):  # internal: the store answers with a `Conflict`
    """A statement of a transaction did not give what the transaction needs; it was rolled back."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement and its parameters in the order of their placeholders.

    writes: whether it changes data (it is then never repeated on a doubtful connection). returns: whether rows come.
    requires: what the surrounding transaction needs of it: some row, no row, or nothing (`None`).
    answers: false for a statement beside the op, such as a lock, whose rows mean nothing.
    """

    sql: str
    params: tuple[Any, ...] = ()
    writes: bool = False
    returns: bool = True
    requires: Requirement | None = None
    answers: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a statement gave: its rows, and how many rows it touched."""

    rows: list[Any]
    touched: int
