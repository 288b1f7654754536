"""Answers to commits: one write is one conditional update, several are a transaction."""

from __future__ import annotations

from typing import Any, assert_never

from bson.objectid import ObjectId
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from dbrouter.backends.kernel.completing import check_changes
from dbrouter.backends.kernel.errors import Conflict
from dbrouter.backends.kernel.ops import ABSENT, Change, Check, Commit, Put, Remove, Require, Version, Write
from dbrouter.backends.mongo import deletes, parents
from dbrouter.backends.mongo.conditions import Query, query_of, together
from dbrouter.backends.mongo.documents import bytes_of, document_of
from dbrouter.backends.mongo.failures import taken_columns
from dbrouter.backends.mongo.wire import Wire, settled
from dbrouter.backends.mongo.writes import insert_one
from dbrouter.backends.mongo.writing import at_version, changes_of, version_of, with_key

LOCK = "dbr_lock"
"""A field that is set and removed again in one transaction: so that two which meet at a document see each other."""


async def commit(wire: Wire, op: Commit, *, transactions: bool) -> tuple[Version | None, ...]:
    """Each put's new version."""
    await wire.prepare([write.table for write in op.writes if isinstance(write, Put | Change | Check)])
    if len(op.writes) == 1:
        return (await _write(wire, op.writes[0], None, transactions=transactions),)

    async def every(session: Any) -> tuple[Version | None, ...]:
        return tuple([await _write(wire, write, session, transactions=transactions) for write in op.writes])

    return await wire.in_transaction(every)


async def _write(wire: Wire, write: Write, session: Any, *, transactions: bool) -> Version | None:
    match write:
        case Put():
            return await _put(wire, write, session)
        case Remove():
            return await _remove(wire, write, session, transactions=transactions)
        case Check(table=table, key=key, expect=expect):
            spec = wire.layout.spec(table)
            if expect is ABSENT:
                await _require_absence(wire, table, with_key(spec, key), session)
            else:
                await _require(wire, table, together(with_key(spec, key), at_version(expect)), session)
            return None
        case Require(table=table, key=key, where=where):
            await _require(wire, table, together(with_key(wire.layout.spec(table), key), query_of(where)), session)
            return None
        case Change():
            return await _change(wire, write, session)
        case _:
            assert_never(write)


async def _put(wire: Wire, write: Put, session: Any) -> Version:
    spec = wire.layout.spec(write.table)
    document = document_of(spec, write.record)
    await parents.check(wire, spec, [document], session=session)
    if write.expect is ABSENT:
        return version_of(await insert_one(wire, spec.name, document, session))
    same = {column: document[column] for column in spec.key}
    always = write.expect is None
    query = same if always else together(same, at_version(write.expect))
    changes = {"$set": {column: value for column, value in document.items() if column not in same}}
    while True:
        try:
            found = await settled(
                wire.at(spec.name).find_one_and_update(
                    query, changes, upsert=always, return_document=ReturnDocument.AFTER, session=session
                )
            )
        except DuplicateKeyError as error:
            if session is not None or not always or not taken_columns(error.details) <= same.keys():
                raise
        else:
            if found is not None:
                return version_of(bytes_of(found))
            if not always:
                raise _changed(spec.name)
        # Another writer made the record in this moment: it is written over.


async def _remove(wire: Wire, write: Remove, session: Any, *, transactions: bool) -> None:
    spec = wire.layout.spec(write.table)
    query = with_key(spec, write.key)
    if write.expect is not None:
        query = together(query, at_version(write.expect))
    gone = await deletes.remove(wire, spec, query, transactions=transactions, session=session)
    if write.expect is not None and not gone:
        raise _changed(spec.name)


async def _change(wire: Wire, write: Change, session: Any) -> None:
    spec = wire.layout.spec(write.table)
    check_changes(spec, write.changes)
    query = together(with_key(spec, write.key), query_of(write.where))
    result = await settled(wire.at(spec.name).update_one(query, changes_of(spec, write.changes), session=session))
    if not result.matched_count:
        raise _changed(spec.name)


async def _require(wire: Wire, table: str, query: Query, session: Any) -> None:
    """Raise `Conflict` if no document matches; in a transaction, hold the one that does until it ends."""
    collection = wire.at(table)
    if session is None:
        if await settled(collection.find_one(query, {"_id": 1})) is None:
            raise _changed(table)
        return
    held = {"$set": {LOCK: ObjectId()}}
    found = await settled(collection.find_one_and_update(query, held, {"_id": 1}, session=session))
    if found is None:
        raise _changed(table)
    await settled(collection.update_one({"_id": found["_id"]}, {"$unset": {LOCK: ""}}, session=session))


async def _require_absence(wire: Wire, table: str, same: Query, session: Any) -> None:
    """Raise `Conflict` if there is a document; in a transaction, keep others from making one until it ends."""
    collection = wire.at(table)
    if await settled(collection.find_one(same, {"_id": 1}, session=session)) is not None:
        raise _changed(table)
    if session is not None:
        placeholder = {"_id": ObjectId(), **same}
        await settled(collection.insert_one(placeholder, session=session))
        await settled(collection.delete_one({"_id": placeholder["_id"]}, session=session))


def _changed(table: str) -> Conflict:
    return Conflict(f"{table}: a record is not there, or not as it was expected; nothing was written, read it again")
