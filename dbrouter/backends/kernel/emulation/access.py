"""The cheapest way to the records a filter may match, on a store that only looks up equalities on an index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dbrouter.backends.kernel.filters import (
    EVERYTHING,
    And,
    Compare,
    Comparison,
    Field,
    Filter,
    In,
    Scalar,
    eq,
    not_null,
)
from dbrouter.backends.kernel.ops import Key
from dbrouter.backends.kernel.tables import TableSpec

MOST_LOOKUPS = 50
"""Equalities that are cheaper together than reading the whole table."""


def lookups(spec: TableSpec, where: Filter) -> tuple[Filter, ...]:
    """Filters that every store can scan by, and that together find each record matching `where` once."""
    choices = dict(_choices(where))
    for column in indexed_columns(spec):
        if column in choices:
            return tuple(eq(column, value) for value in choices[column])
    return (EVERYTHING,)


def only_key(spec: TableSpec, where: Filter) -> Key | None:
    """The key of the one record that can match, if the filter names it."""
    choices = dict(_choices(where))
    if any(len(choices.get(column, ())) != 1 for column in spec.key):
        return None
    return tuple(choices[column][0] for column in spec.key)


def indexed_columns(spec: TableSpec) -> tuple[str, ...]:
    """The columns by whose value every store must be able to scan, the most selective first as far as a spec can tell.

    They lead the key or a declared index; those that name a parent come before the other indexes.
    """
    indexed = [column.name for column in spec.columns if column.unique]
    indexed += [index.columns[0] for index in spec.indexes if index.where in (EVERYTHING, not_null(index.columns[0]))]
    indexed += [column.name for column in spec.columns if column.index]
    parents = [parent.columns[0] for parent in spec.parents if parent.columns[0] in indexed]
    return tuple(dict.fromkeys((spec.key[0], *parents, *indexed)))


def _choices(where: Filter) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Columns with the only values they can have in a match."""
    match where:
        case Compare(field=Field(column=column, path=()), comparison=Comparison.EQ, value=value):
            yield column, (value,)
        case In(field=Field(column=column, path=()), values=values) if len(values) <= MOST_LOOKUPS:
            yield column, _distinct(values)
        case And(filters=filters):
            for each in filters:
                yield from _choices(each)
        case _:
            return


def _distinct(values: tuple[Scalar, ...]) -> tuple[Scalar, ...]:
    return tuple(dict.fromkeys(values))
