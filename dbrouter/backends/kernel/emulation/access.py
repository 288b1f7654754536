"""The cheapest way to the records a filter may match, on a store that only looks up equalities on an index."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence

from dbrouter.backends.kernel.filters import (
    EVERYTHING,
    And,
    Compare,
    Comparison,
    Field,
    Filter,
    In,
    Or,
    Scalar,
    all_of,
    eq,
    not_null,
)
from dbrouter.backends.kernel.ops import Key
from dbrouter.backends.kernel.tables import Kind, TableSpec
from dbrouter.backends.kernel.tenant_tables import TENANT

MOMENTS = ("start_time", "created_at", "updated_at")
"""Columns that say when, as numbers or as text."""

MOST_LOOKUPS = 200
"""Equalities that are looked up rather than read the whole table, which may be of any size: those of a long page."""
MOST_WALKS = 8
"""Walks that are cheaper together than one along the whole table."""


def lookups(spec: TableSpec, where: Filter, *, several: bool = False) -> tuple[Filter, ...]:
    """Filters that every store can scan by, and that together find each record matching `where` once.

    several: whether the store takes all values of a path's last column in one of them. The path with the fewest values
    is taken: what is looked up by one value after the other can miss a record that changes from a later to an earlier.
    """
    choices = _choices(where)
    for path in _by_ways(spec, choices):
        *leading, last = path
        if several and len(choices[last]) > 1 and all(len(choices[column]) == 1 for column in leading):
            return (all_of(*(eq(column, choices[column][0]) for column in leading), In(Field(last), choices[last])),)
        if _ways(path, choices) <= MOST_LOOKUPS:
            return _along(path, choices)
    return (EVERYTHING,)


def only_key(spec: TableSpec, where: Filter) -> Key | None:
    """The key of the one record that can match, if the filter names it."""
    choices = _choices(where)
    if any(len(choices.get(column, ())) != 1 for column in spec.key):
        return None
    return tuple(choices[column][0] for column in spec.key)


def only_keys(spec: TableSpec, where: Filter) -> tuple[Key, ...] | None:
    """The keys of all records that can match, each once, if the filter names them."""
    choices = _choices(where)
    if not all(column in choices for column in spec.key):
        return None
    keys = tuple(itertools.product(*(choices[column] for column in spec.key)))
    return keys if len(keys) <= MOST_LOOKUPS else None


def walks_along(
    spec: TableSpec, where: Filter, serves: Callable[[tuple[str, ...]], bool]
) -> tuple[tuple[Filter, ...], Filter] | None:
    """The access path that `serves` admits and the filter names the fewest values of: where to walk, and the rest.

    One walk for each of the values, at most `MOST_WALKS`; where there is no such path, one along the whole table.
    """
    choices = _choices(where)
    for path in _by_ways(spec, choices):
        if path != spec.key and serves(path) and _ways(path, choices) <= MOST_WALKS:
            return _along(path, choices), _without(where, path, choices)
    return ((EVERYTHING,), where) if serves(()) else None


def _without(where: Filter, path: tuple[str, ...], choices: Mapping[str, Sequence[Scalar]]) -> Filter:
    """What is left to ask of a record that lies on the path."""

    def is_said(part: Filter) -> bool:
        match part:
            case Compare(field=Field(column=column, path=()), comparison=Comparison.EQ, value=value):
                return column in path and choices[column] == (value,)
            case In(field=Field(column=column, path=()), values=values):
                return column in path and set(choices[column]) == set(values)
            case _:
                return False

    parts = where.filters if isinstance(where, And) else (where,)
    return all_of(*(part for part in parts if not is_said(part)))


def _by_ways(spec: TableSpec, choices: Mapping[str, Sequence[Scalar]]) -> list[tuple[str, ...]]:
    """The access paths that the choices name, those with the fewest values first."""
    named = [path for path in access_paths(spec) if all(column in choices for column in path)]
    return sorted(named, key=lambda path: _ways(path, choices))


def _ways(path: tuple[str, ...], choices: Mapping[str, Sequence[Scalar]]) -> int:
    return math.prod(len(choices[column]) for column in path)


def _along(path: tuple[str, ...], choices: Mapping[str, Sequence[Scalar]]) -> tuple[Filter, ...]:
    """A filter for each of the values of a path."""
    ways = itertools.product(*(choices[column] for column in path))
    return tuple([all_of(*(eq(column, value) for column, value in zip(path, way, strict=True))) for way in ways])


def access_paths(spec: TableSpec) -> tuple[tuple[str, ...], ...]:
    """The columns by whose values, given for all of a path, every store must be able to scan.

    They lead the key or a declared index: one column, or the tenant and one column in a table that tenants share, which
    can be scanned by the tenant alone too. The most selective come first as far as a spec can tell: those that name a
    parent before the other indexes. Nobody asks for the records of one moment: indexes that times and numbers lead
    serve an order, and are no paths.
    """
    indexed: list[tuple[str, ...]] = [(column.name,) for column in spec.columns if column.unique]
    for index in spec.indexes:
        path = _leading(index.columns)
        if index.where in (EVERYTHING, not_null(path[-1])) and not _is_moment(spec, path[-1]):
            indexed.append(path)
    indexed += [(column.name,) for column in spec.columns if column.index and not _is_moment(spec, column.name)]
    parents = [path for parent in spec.parents if (path := _leading(parent.columns)) in indexed]
    key = _leading(spec.key)
    return tuple(dict.fromkeys((key, *parents, *indexed, key[:1])))


def _is_moment(spec: TableSpec, column: str) -> bool:
    return spec.column(column).kind in (Kind.BIGINT, Kind.INTEGER) or column in MOMENTS


def _leading(columns: tuple[str, ...]) -> tuple[str, ...]:
    return columns[:2] if columns[0] == TENANT else columns[:1]


def _choices(where: Filter) -> dict[str, tuple[Scalar, ...]]:
    """Columns with the only values they can have in a match."""
    match where:
        case Compare(field=Field(column=column, path=()), comparison=Comparison.EQ, value=value):
            return {column: (value,)}
        case In(field=Field(column=column, path=()), values=values) if len(values) <= MOST_LOOKUPS:
            return {column: _distinct(values)}
        case And(filters=filters):
            found: dict[str, tuple[Scalar, ...]] = {}
            for each in map(_choices, filters):
                found |= {column: few for column, few in each.items() if len(few) <= len(found.get(column, few))}
            return found
        case Or(filters=filters) if filters:
            first, *others = map(_choices, filters)
            common = [column for column in first if all(column in each for each in others)]
            return {
                column: _distinct((*first[column], *(value for each in others for value in each[column])))
                for column in common
            }
        case _:
            return {}


def _distinct(values: tuple[Scalar, ...]) -> tuple[Scalar, ...]:
    return tuple(dict.fromkeys(values))
