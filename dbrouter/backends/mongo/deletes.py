"""Answers to deletes: with the children that the tables declare, in one transaction where there are some."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from dbrouter.backends.kernel.completing import check_columns
from dbrouter.backends.kernel.filters import columns_of
from dbrouter.backends.kernel.ops import Delete
from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.backends.kernel.tenant_tables import CHILDREN
from dbrouter.backends.mongo import positions
from dbrouter.backends.mongo.conditions import Query, query_of, together
from dbrouter.backends.mongo.documents import Document
from dbrouter.backends.mongo.parents import Doomed, doomed_with, naming, needed_columns
from dbrouter.backends.mongo.wire import Wire, settled


async def delete(wire: Wire, op: Delete, *, transactions: bool) -> int:
    """How many records are gone, children aside."""
    spec = wire.layout.spec(op.table)
    check_columns(spec, columns_of(op.where))
    return await remove(wire, spec, query_of(op.where), transactions=transactions)


async def remove(wire: Wire, spec: TableSpec, query: Query, *, transactions: bool, session: Any = None) -> int:
    """Remove the documents that match, with their children; in the session's transaction if one is given."""
    if spec.name not in CHILDREN:
        return int((await settled(wire.at(spec.name).delete_many(query, session=session))).deleted_count)
    present = await wire.collections()
    if wire.layout.name(spec.name) not in present:
        return 0

    async def whole(session: Any) -> int:
        documents = await _matching(wire, spec, query, session)
        if not documents:
            return 0
        doomed = await doomed_with(wire, spec, documents, present, session)
        return await _gone(wire, spec, query, documents, doomed, session)

    if session is not None:
        return await whole(session)
    return await (wire.in_transaction(whole) if transactions else whole(None))


async def _matching(wire: Wire, spec: TableSpec, query: Query, session: Any) -> list[Document]:
    projection = {"_id": 0} | dict.fromkeys(needed_columns(spec), 1)
    return await wire.values(wire.at(spec.name).find(query, projection, session=session))


async def _gone(
    wire: Wire, spec: TableSpec, query: Query, documents: Sequence[Document], doomed: Doomed, session: Any
) -> int:
    """Children first: what a failure between two requests leaves is found and removed by trying again."""
    if session is None:
        await wire.all([partial(_remove, wire, *each) for each in reversed(doomed.queries)])
    else:
        # A session does one thing at a time.
        for each in reversed(doomed.queries):
            await _remove(wire, *each, session)
    await positions.forget(wire, doomed.counters, session)
    keys = [tuple(each.get(column) for column in spec.key) for each in documents]
    # Only those whose children are gone: another may have come to match meanwhile.
    result = await settled(
        wire.at(spec.name).delete_many(together(naming(spec.key, keys), {"$and": [query]}), session=session)
    )
    return int(result.deleted_count)


async def _remove(wire: Wire, table: str, query: Query, session: Any = None) -> None:
    await settled(wire.at(table).delete_many(query, session=session))
