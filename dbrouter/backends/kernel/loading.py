"""The children of a loaded record as a scan, for stores that load in two requests."""

from __future__ import annotations

from collections.abc import Sequence

from dbrouter.backends.kernel.filters import all_of, eq
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Load, Scan
from dbrouter.backends.kernel.ordering import backwards


def children_scan(op: Load, key_columns: Sequence[str]) -> Scan:
    """The scan that finds the children; with a limit it starts at the end of their order, as `in_order` expects."""
    asked = op.children
    return Scan(
        table=asked.table,
        where=all_of(eq(asked.on, op.key[0]), asked.where),
        order=asked.order if asked.limit is None else backwards(asked.order, key_columns),
        limit=asked.limit,
        columns=asked.columns,
        raw=asked.raw,
    )


def in_order(op: Load, found: list[Record]) -> list[Record]:
    """What `children_scan` found, in the order that the load asks for."""
    return found if op.children.limit is None else found[::-1]
