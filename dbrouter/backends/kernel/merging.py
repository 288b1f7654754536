"""What happens to each column when an upsert meets a stored record.

Rules are values with one reference evaluator, `merged`; drivers compile the same rules into their upsert.
Every rule depends only on the stored and the incoming record, so a retry or a replay gives the same result,
except `Next`, which is decided under the store's lock for the parent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias, assert_never

from dbrouter.backends.kernel.filters import Filter
from dbrouter.backends.kernel.matching import matches

Record: TypeAlias = dict[str, Any]
"""A row: column name to JSON-like value."""


@dataclass(frozen=True, slots=True)
class Keep:
    """The stored value stays."""


@dataclass(frozen=True, slots=True)
class Replace:
    """The incoming value wins, null included."""


@dataclass(frozen=True, slots=True)
class SetTo:
    """This value, whatever the incoming record says (that is for the case that there is none yet)."""

    value: Any


@dataclass(frozen=True, slots=True)
class Fill:
    """The stored value stays unless it is null."""


@dataclass(frozen=True, slots=True)
class Present:
    """The incoming value wins unless it is null."""


@dataclass(frozen=True, slots=True)
class Least:
    """The smaller of the two; a null loses."""


@dataclass(frozen=True, slots=True)
class Greatest:
    """The larger of the two; a null loses."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """The incoming value wins if its record ranks strictly higher.

    A record's rank is the number beside the first case it matches, or 0.
    """

    cases: tuple[tuple[Filter, int], ...]


@dataclass(frozen=True, slots=True)
class Elapsed:
    """Whole milliseconds from the merged `start` to the merged `end`, both ISO-8601 text with a UTC offset."""

    start: str
    end: str


@dataclass(frozen=True, slots=True, init=False)
class Next:
    """On insert: the incoming position if it is free within the parent, else one past the largest (from 0).

    A stored position stays; a stored null is filled the same way. within: the columns that name the parent, written
    `Next("session_id")`.
    """

    within: tuple[str, ...]

    def __init__(self, *within: str) -> None:
        object.__setattr__(self, "within", within)


Rule: TypeAlias = Keep | Replace | SetTo | Fill | Present | Least | Greatest | Ranked | Elapsed | Next


@dataclass(frozen=True, slots=True)
class OwnerGuard:
    """An upsert may change a stored record only if it has the same owner.

    claim: an unowned record may be taken over by an owner.
    unscoped: a write that names no owner may change any record.
    """

    column: str
    claim: bool
    unscoped: bool = False

    def admits(self, stored: Mapping[str, Any], incoming: Mapping[str, Any]) -> bool:
        """Whether the incoming record may change the stored one."""
        owner, writer = stored.get(self.column), incoming.get(self.column)
        if writer is None and self.unscoped:
            return True
        if owner is None:
            return self.claim or writer is None
        return owner == writer


def merged(stored: Record, incoming: Record, rules: Mapping[str, Rule]) -> Record:
    """The record an upsert leaves: `stored` with each ruled column decided by its rule. Unruled columns stay."""
    result = dict(stored)
    for column, rule in rules.items():
        if not isinstance(rule, Elapsed):
            result[column] = _decided(rule, column, stored, incoming)
    for column, rule in rules.items():
        if isinstance(rule, Elapsed):
            result[column] = elapsed_ms(result[rule.start], result[rule.end])
    return result


def _decided(rule: Rule, column: str, stored: Record, incoming: Record) -> Any:
    old, new = stored.get(column), incoming.get(column)
    match rule:
        case Keep():
            return old
        case Replace():
            return new
        case SetTo(value=value):
            return value
        case Fill() | Next():
            return new if old is None else old
        case Present():
            return old if new is None else new
        case Least():
            return new if old is None or (new is not None and new < old) else old
        case Greatest():
            return new if old is None or (new is not None and new > old) else old
        case Ranked(cases=cases):
            return new if rank(incoming, cases) > rank(stored, cases) else old
        case Elapsed():
            return old
        case _:
            assert_never(rule)


def rank(record: Record, cases: tuple[tuple[Filter, int], ...]) -> int:
    """The number beside the first case the record matches, or 0."""
    return next((value for where, value in cases if matches(where, record)), 0)


def elapsed_ms(start: str, end: str) -> int:
    """Whole milliseconds between two ISO-8601 times, rounded down."""
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)) // timedelta(milliseconds=1)
