"""The children of a loaded record: as a scan, for stores that load in two requests, and put in order by the driver."""

from __future__ import annotations

from collections.abc import Sequence

from dbrouter.backends.kernel.completing import projected, with_text
from dbrouter.backends.kernel.errors import StoreError
from dbrouter.backends.kernel.filters import Filter, all_of, eq
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Key, Load, Scan
from dbrouter.backends.kernel.ordering import backwards, page_of, sort_records


def children_scan(op: Load, key_columns: Sequence[str]) -> Scan:
    """The scan that finds the children; with a limit it starts at the end of their order, as `in_order` expects."""
    asked = op.children
    return Scan(
        table=asked.table,
        where=all_of(*parent_is(asked.on, op.key), asked.where),
        order=asked.order if asked.limit is None else backwards(asked.order, key_columns),
        limit=asked.limit,
        columns=asked.columns,
        raw=asked.raw,
    )


def parent_is(columns: Sequence[str], key: Key) -> tuple[Filter, ...]:
    """The filters that children of the record with this key match. Raises `StoreError` if the two do not fit."""
    if len(columns) != len(key):
        raise StoreError(f"children found by {', '.join(columns)} cannot belong to a record with a key of {len(key)}")
    return tuple(eq(column, value) for column, value in zip(columns, key, strict=True))


def in_order(op: Load, found: list[Record]) -> list[Record]:
    """What `children_scan` found, in the order that the load asks for."""
    return found if op.children.limit is None else found[::-1]


def children_read(op: Load, key_columns: Sequence[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """The columns to read of children that are sorted here, and those of them that may be left as text."""
    sorted_by = _sorted_by(op)
    columns = tuple(dict.fromkeys((*op.children.columns, *key_columns, *sorted_by)))
    return columns, op.children.raw.difference(sorted_by)


def children_of(op: Load, found: Sequence[Record], key_columns: Sequence[str]) -> list[Record]:
    """Of all children, read as `children_read` says and in any order, those that the load asks for."""
    limit = op.children.limit
    ordered = sort_records(found, op.children.order, key_columns)
    if limit is not None:
        ordered = page_of(ordered, max(0, len(ordered) - limit), limit)
    late = op.children.raw.intersection(_sorted_by(op))
    return [projected(with_text(each, late), op.children.columns) for each in ordered]


def _sorted_by(op: Load) -> list[str]:
    return [column for term in op.children.order for column in (term.field.column, term.fallback) if column]
