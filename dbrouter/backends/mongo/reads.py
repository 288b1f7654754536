"""Answers to the ops that only read."""

from __future__ import annotations

from typing import Any

from dbrouter.backends.kernel.loading import children_scan, in_order
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Aggregate, Get, Load, Loaded, Page, Scan, Stored
from dbrouter.backends.mongo import reading
from dbrouter.backends.mongo.conditions import query_of, together
from dbrouter.backends.mongo.documents import bytes_of, record_of
from dbrouter.backends.mongo.wire import Wire, settled
from dbrouter.backends.mongo.writing import version_of, with_key


async def get(wire: Wire, op: Get) -> Stored | None:
    """The record with the key, if it matches."""
    spec = wire.layout.spec(op.table)
    query = together(with_key(spec, op.key), query_of(op.where))
    found = await settled(wire.at(op.table).find_one(query))
    if found is None:
        return None
    return Stored(record_of(spec, bytes_of(found)), version_of(bytes_of(found)) if op.versioned else None)


async def scan(wire: Wire, op: Scan) -> Page:
    """The page of matching records; it and the total are asked for at once."""

    async def records() -> list[Record]:
        return await _records(wire, op)

    async def total() -> int:
        return int(await settled(wire.at(op.table).count_documents(query_of(op.where))))

    # Before anything is sent: an unknown column is refused even where nothing is asked for.
    reading.scan(wire.layout.spec(op.table), wire.layout.name(op.table), op)
    calls: list[Any] = [] if op.limit == 0 else [records]
    answers = await wire.all([*calls, total] if op.total else calls)
    return Page(answers[0] if calls else [], answers[-1] if op.total else None)


async def _records(wire: Wire, op: Scan) -> list[Record]:
    spec, collection = wire.layout.spec(op.table), wire.at(op.table)
    plan = reading.scan(spec, wire.layout.name(op.table), op)
    if isinstance(plan, reading.Find):
        cursor = collection.find(plan.query, plan.projection, sort=plan.sort, skip=plan.skip, limit=plan.limit)
    else:
        cursor = collection.aggregate(plan, allowDiskUse=True)
    return [record_of(spec, raw, op.columns, op.raw) for raw in await wire.rows(cursor)]


async def load(wire: Wire, op: Load) -> Loaded | None:
    """The record with its children; both are asked for at once."""
    spec = wire.layout.spec(op.table)
    asked = children_scan(op, wire.layout.spec(op.children.table).key)
    query = together(with_key(spec, op.key), query_of(op.where))

    async def record() -> Any:
        return await settled(wire.at(op.table).find_one(query))

    async def children() -> Any:
        return (await scan(wire, asked)).records

    found, below = await wire.all([record, children])
    if found is None:
        return None
    return Loaded(record_of(spec, bytes_of(found), texts=op.raw), version_of(bytes_of(found)), in_order(op, below))


async def aggregate(wire: Wire, op: Aggregate) -> Page:
    """The page of groups."""
    spec = wire.layout.spec(op.table)
    stages = reading.aggregate(spec, op)
    found = await wire.values(wire.at(op.table).aggregate(stages, allowDiskUse=True))
    rows, total = found, None
    if op.total:
        rows = found[0]["rows"]
        total = found[0]["total"][0]["n"] if found[0]["total"] else 0
    if not op.by and not (total or rows):
        # MongoDB makes no group of nothing.
        records = [reading.nothing_grouped(op)][op.offset :]
        return Page(records[: op.limit], 1 if op.total else None)
    if op.limit == 0:
        rows = []
    return Page(reading.groups(spec, op, rows), total)
