"""The cheapest way to the records a filter may match, on a store that only looks up equalities on an index."""

from __future__ import annotations

import itertools
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
    all_of,
    eq,
    not_null,
)
from dbrouter.backends.kernel.ops import Key
from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.backends.kernel.tenant_tables import TENANT

MOST_LOOKUPS = 50
"""Equalities that are cheaper together than reading the whole table."""


def lookups(spec: TableSpec, where: Filter) -> tuple[Filter, ...]:
    """Filters that every store can scan by, and that together find each record matching `where` once."""
    choices = dict(_choices(where))
    for path in access_paths(spec):
        if all(column in choices for column in path):
            ways = itertools.product(*(choices[column] for column in path))
            found = [all_of(*(eq(column, value) for column, value in zip(path, way, strict=True))) for way in ways]
            if len(found) <= MOST_LOOKUPS:
                return tuple(found)
    return (EVERYTHING,)


def only_key(spec: TableSpec, where: Filter) -> Key | None:
    """The key of the one record that can match, if the filter names it."""
    choices = dict(_choices(where))
    if any(len(choices.get(column, ())) != 1 for column in spec.key):
        return None
    return tuple(choices[column][0] for column in spec.key)


def access_paths(spec: TableSpec) -> tuple[tuple[str, ...], ...]:
    """The columns by whose values, given for all of a path, every store must be able to scan.

    They lead the key or a declared index: one column, or the tenant and one column in a table that tenants share, which
    can be scanned by the tenant alone too. The most selective come first as far as a spec can tell: those that name a
    parent before the other indexes.
    """
    indexed: list[tuple[str, ...]] = [(column.name,) for column in spec.columns if column.unique]
    for index in spec.indexes:
        path = _leading(index.columns)
        if index.where in (EVERYTHING, not_null(path[-1])):
            indexed.append(path)
    indexed += [(column.name,) for column in spec.columns if column.index]
    parents = [path for parent in spec.parents if (path := _leading(parent.columns)) in indexed]
    key = _leading(spec.key)
    return tuple(dict.fromkeys((key, *parents, *indexed, key[:1])))


def _leading(columns: tuple[str, ...]) -> tuple[str, ...]:
    return columns[:2] if columns[0] == TENANT else columns[:1]


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
