"""Of two reasons to refuse a record, the one told: whose it is, or that it is there, before a missing parent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbrouter.backends.kernel.duplicates import duplicate, unique_values, uniques_of
from dbrouter.backends.kernel.filters import Filter, all_of, eq
from dbrouter.backends.kernel.ops import ABSENT, Insert, Scan, Upsert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dbrouter.backends.kernel.errors import MissingParent
    from dbrouter.backends.kernel.merging import Record
    from dbrouter.backends.kernel.store import Store
    from dbrouter.backends.kernel.tables import TableSpec


async def refused_first(store: Store, op: Insert | Upsert, spec: TableSpec, missed: MissingParent) -> list[None]:
    """The answer to an op whose one record is stored and refused; else raises that its parent was `missed`.

    For databases that look for the parent before they find the record, of which most find the record first. Raises
    `Duplicate` where an insert is refused.
    """
    if len(op.records) == 1:
        (incoming,) = op.records
        if isinstance(op, Insert):
            await _require_free(store, spec, incoming)
        elif op.guard is not None or op.expect is ABSENT:
            found = await _stored(store, spec, _same(op.on or spec.key, incoming))
            if found and (op.expect is ABSENT or (op.guard is not None and not op.guard.admits(found[0], incoming))):
                return [None]
    raise missed


async def _require_free(store: Store, spec: TableSpec, incoming: Record) -> None:
    if await _stored(store, spec, _same(spec.key, incoming)):
        raise duplicate(spec.name, spec.key)
    for unique in uniques_of(spec):
        if unique_values(unique, incoming) is not None and await _stored(
            store, spec, all_of(_same(unique.columns, incoming), unique.where)
        ):
            raise duplicate(spec.name, unique.columns)


async def _stored(store: Store, spec: TableSpec, where: Filter) -> list[Record]:
    return (await store.execute(Scan(table=spec.name, where=where, limit=1))).records


def _same(columns: Sequence[str], record: Record) -> Filter:
    return all_of(*(eq(column, record[column]) for column in columns))
