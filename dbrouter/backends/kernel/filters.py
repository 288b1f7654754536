"""Which records: a closed set of filters with SQL's null semantics.

A comparison with a null is *unknown*, `Not` of unknown is unknown, and a record matches only where the
whole filter is true. Text compares by code point. `Contains` and `StartsWith` ignore case (`fold`).
`matching.py` is the reference evaluator; drivers compile the same set or declare what they cannot.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any, TypeAlias, assert_never

Scalar: TypeAlias = str | int | float | bool | date
"""A value a filter can compare with. Null is not one: ask with `IsNull`."""


class Comparison(Enum):
    """How two values are compared."""

    EQ = "="
    NE = "<>"
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="


@dataclass(frozen=True, slots=True)
class Field:
    """A column, or the text at a path inside a JSON column (numbers and booleans as JSON writes them)."""

    column: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Everything:
    """Every record."""


@dataclass(frozen=True, slots=True)
class Compare:
    """Records whose field stands in this relation to a value. Null fields never match."""

    field: Field
    comparison: Comparison
    value: Scalar

    def __post_init__(self) -> None:
        if self.value is None:  # pyright: ignore[reportUnnecessaryComparison]  # callers may be untyped
            raise TypeError(f"{self.field.column} {self.comparison.value} null is always unknown; use IsNull")


@dataclass(frozen=True, slots=True)
class In:
    """Records whose field equals one of these values."""

    field: Field
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class IsNull:
    """Records whose field is null or absent."""

    field: Field


@dataclass(frozen=True, slots=True)
class Contains:
    """Records whose text holds this text somewhere, ignoring case. No wildcards."""

    field: Field
    text: str


@dataclass(frozen=True, slots=True)
class StartsWith:
    """Records whose text begins with this text, ignoring case. No wildcards."""

    field: Field
    text: str


@dataclass(frozen=True, slots=True)
class Like:
    """Records whose JSON column, as JSON text, matches a LIKE pattern, ignoring case.

    `%` and `_` are wildcards; a backslash escapes them.
    """

    column: str
    pattern: str


@dataclass(frozen=True, slots=True)
class HasItem:
    """Records whose JSON column is an array that holds this text as an item."""

    column: str
    item: str


@dataclass(frozen=True, slots=True)
class Related:
    """Records whose column equals `key` of a record of another table that matches `where`."""

    column: str
    table: str
    key: str
    where: Filter


@dataclass(frozen=True, slots=True)
class And:
    """Records that every filter matches."""

    filters: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Records that at least one filter matches."""

    filters: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Records that the filter is false for (not: unknown)."""

    filter: Filter


Filter: TypeAlias = (
    Everything | Compare | In | IsNull | Contains | StartsWith | Like | HasItem | Related | And | Or | Not
)

EVERYTHING = Everything()


def eq(column: str, value: Scalar) -> Compare:
    """Records whose column equals the value."""
    return Compare(Field(column), Comparison.EQ, value)


def compare(column: str, comparison: Comparison, value: Scalar) -> Compare:
    """Records whose column stands in this relation to the value."""
    return Compare(Field(column), comparison, value)


def is_null(column: str) -> IsNull:
    """Records whose column is null."""
    return IsNull(Field(column))


def not_null(column: str) -> Not:
    """Records whose column is not null."""
    return Not(IsNull(Field(column)))


def one_of(column: str, values: list[Any] | tuple[Any, ...] | set[Any]) -> In:
    """Records whose column equals one of the values."""
    return In(Field(column), tuple(values))


def all_of(*filters: Filter) -> Filter:
    """Records that match all of the filters; nested conjunctions are flattened."""
    flat: list[Filter] = []
    for each in filters:
        match each:
            case Everything():
                continue
            case And(filters=inner):
                flat.extend(inner)
            case _:
                flat.append(each)
    if not flat:
        return EVERYTHING
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def any_of(*filters: Filter) -> Filter:
    """Records that match at least one of the filters."""
    return filters[0] if len(filters) == 1 else Or(filters)


def equals(**columns: Scalar | None) -> Filter:
    """Records that equal every value given; a `None` is "not asked for"."""
    return all_of(*(eq(column, value) for column, value in columns.items() if value is not None))


def pinned(where: Filter) -> dict[str, Scalar]:
    """Columns that the filter fixes to one value, whatever else it asks.

    Routing reads the component, owner and key of a call from here.
    """
    match where:
        case Compare(field=Field(column=column, path=()), comparison=Comparison.EQ, value=value):
            return {column: value}
        case In(field=Field(column=column, path=()), values=(value,)):
            return {column: value}
        case And(filters=filters):
            return {column: value for each in filters for column, value in pinned(each).items()}
        case _:
            return {}


def columns_of(where: Filter) -> Iterator[str]:
    """Every column of the filtered table that the filter reads."""
    match where:
        case Everything():
            return
        case (
            Compare(field=field)
            | In(field=field)
            | IsNull(field=field)
            | Contains(field=field)
            | StartsWith(field=field)
        ):
            yield field.column
        case Like(column=column) | HasItem(column=column) | Related(column=column):
            yield column
        case And(filters=filters) | Or(filters=filters):
            for each in filters:
                yield from columns_of(each)
        case Not(filter=inner):
            yield from columns_of(inner)
        case _:
            assert_never(where)
