"""Answers to inserts, upserts, batches, updates and claims."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import bson
from bson.objectid import ObjectId
from pymongo import InsertOne, ReturnDocument, UpdateOne, errors

from dbrouter.backends.kernel.completing import check_changes, check_columns, key_in
from dbrouter.backends.kernel.duplicates import duplicate
from dbrouter.backends.kernel.emulation.access import only_key
from dbrouter.backends.kernel.errors import MissingParent, Unsupported
from dbrouter.backends.kernel.filters import columns_of
from dbrouter.backends.kernel.merging import Keep, Next, Record
from dbrouter.backends.kernel.ops import ABSENT, Batch, Claim, Insert, Scan, Stored, Update, Upsert
from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.backends.mongo import parents, positions, reading, reads
from dbrouter.backends.mongo.conditions import Query, query_of, together
from dbrouter.backends.mongo.documents import Document, bytes_of, document_of, field_of, record_of
from dbrouter.backends.mongo.failures import DUPLICATE, taken_columns
from dbrouter.backends.mongo.wire import Wire, settled
from dbrouter.backends.mongo.writing import Merge, at_version, changes_of, merge, version_of, with_key

TOGETHER: Final = 16
"""Updates that run at once for one op."""
A_FEW: Final = 3
"""Upserts that are sent one by one rather than in bulk and read back."""
CANDIDATES: Final = 16
"""Records that a claim tries in turn before it looks again."""


async def insert(wire: Wire, op: Insert, *, transactions: bool) -> None:
    """Keep new records, all or none."""
    if not op.records:
        return
    spec = wire.layout.spec(op.table)
    documents = [document_of(spec, record) for record in op.records]
    if len({key_in(spec, each) for each in documents}) < len(documents):
        raise duplicate(spec.name, spec.key)
    if len(documents) > 1 and not transactions:
        raise Unsupported(
            f"an atomic insert of {len(documents)} records of {op.table}, but this MongoDB has no transactions; "
            "nothing was written: insert them one by one, or make the server a replica set"
        )
    await wire.prepare([op.table])
    await parents.check(wire, spec, documents)
    if len(documents) == 1:
        await settled(wire.at(op.table).insert_one(documents[0]))
        return

    async def all_of_them(session: Any) -> None:
        await settled(wire.at(op.table).insert_many([dict(each) for each in documents], session=session))

    await wire.in_transaction(all_of_them)


async def upsert(wire: Wire, op: Upsert) -> list[Stored | None]:
    """What is stored now, per record; `None` where the guard or `expect` refused."""
    spec = wire.layout.spec(op.table)
    check_columns(spec, op.rules)
    documents = [document_of(spec, record) for record in op.records]
    await wire.prepare([op.table])
    if any(isinstance(rule, Next) for rule in op.rules.values()):
        if len(documents) > 1:
            await parents.check(wire, spec, documents)
        answers = [await _with_position(wire, spec, op, document) for document in documents]
    else:
        await parents.check(wire, spec, documents)
        merges = [merge(spec, op, document) for document in documents]
        if len(merges) <= A_FEW or op.expect is not None:
            answers = [await _one(wire, spec, op, each) for each in merges]
        else:
            answers = await _many(wire, spec, op, merges)
    return answers if op.returning or op.guard is not None or op.expect is not None else []


async def batch(wire: Wire, op: Batch) -> None:
    """All upserts, in order: one request for each table that comes next."""
    known = [(wire.layout.spec(each.table), each) for each in op.upserts if each.records]
    plans = [(spec, each, [document_of(spec, record) for record in each.records]) for spec, each in known]
    for spec, each in known:
        check_columns(spec, each.rules)
    await wire.prepare([spec.name for spec, _, _ in plans])
    for spec, _, documents in plans:
        beside = [
            document
            for other, _, some in plans
            for document in some
            if any(other.name == parent.table for parent in spec.parents)
        ]
        await parents.check(wire, spec, documents, beside)
    for spec, each, documents in plans:
        quiet = replace(each, returning=False)
        if each.expect is not None or any(isinstance(rule, Next) for rule in each.rules.values()):
            await upsert(wire, quiet)
        else:
            await _many(wire, spec, quiet, [merge(spec, quiet, document) for document in documents])


async def _with_position(wire: Wire, spec: TableSpec, op: Upsert, document: Document) -> Stored | None:
    """Merge into the record that has its position; else find one, and insert it with that."""
    column, rule = next((column, rule) for column, rule in op.rules.items() if isinstance(rule, Next))
    kept = merge(spec, replace(op, rules=dict(op.rules) | {column: Keep()}), document)
    of_parent = positions.siblings(rule.within, tuple(document[each] for each in rule.within))

    async def known() -> Stored | None:
        if kept.same is None or op.expect is ABSENT:
            return None
        query = together(kept.query, {column: {"$ne": None}})
        if op.expect is not None:
            query = together(query, at_version(op.expect))
        return await _changed(wire, spec, op, kept, query)

    async def around() -> tuple[MissingParent | None, int]:
        return await positions.around(wire, spec, column, of_parent, document)

    found, (missing, largest) = await wire.all([known, around])
    if found is not None:
        return found
    if missing is not None:
        raise missing
    within = tuple(document[each] for each in rule.within)
    place = positions.Place(spec.name, column, rule.within, within)
    position = await positions.give(wire, place, key_in(spec, document), document[column], largest)
    return await _one(wire, spec, op, merge(spec, op, document | {column: position}))


async def _one(wire: Wire, spec: TableSpec, op: Upsert, each: Merge) -> Stored | None:
    """Insert it, or merge it into what is stored, in one request; two where the guard refuses it."""
    if op.expect is ABSENT:
        try:
            return await _inserted(wire, spec, op, each)
        except errors.DuplicateKeyError as error:
            if _is_about(each, error.details):
                return None
            raise
    if op.expect is not None:
        query = together(each.query, at_version(op.expect))
        return await _changed(wire, spec, op, each, query)
    if each.same is None:
        return await _inserted(wire, spec, op, each)
    while True:
        for insert in (True, False):
            try:
                changed = await _changed(wire, spec, op, each, each.query, insert=insert)
            except errors.DuplicateKeyError as error:
                if not _is_about(each, error.details):
                    raise
                # The record is there: the guard does not admit this one, or another writer was first.
                continue
            if changed is not None:
                return changed
        if op.guard is not None and await settled(wire.at(spec.name).find_one(each.same, {"_id": 1})) is not None:
            return None


def _is_about(each: Merge, details: Any) -> bool:
    """Whether it is the record to merge into that a duplicate met."""
    return taken_columns(details) <= set(each.same or {})


async def _inserted(wire: Wire, spec: TableSpec, op: Upsert, each: Merge) -> Stored:
    return _answer(spec, op, each, await insert_one(wire, spec.name, each.document))


async def insert_one(wire: Wire, table: str, document: Document, session: Any = None) -> bytes:
    """Insert a new document; answers it as it is stored."""
    whole = {"_id": ObjectId(), **document}
    await settled(wire.at(table).insert_one(whole, session=session))
    return bson.encode(whole)


async def _changed(
    wire: Wire, spec: TableSpec, op: Upsert, each: Merge, query: Query, *, insert: bool = False
) -> Stored | None:
    collection = wire.at(spec.name)
    if op.returning or op.expect is not None:
        found = await settled(
            collection.find_one_and_update(query, each.update, upsert=insert, return_document=ReturnDocument.AFTER)
        )
        return None if found is None else _answer(spec, op, each, bytes_of(found))
    result = await settled(collection.update_one(query, each.update, upsert=insert))
    return _answer(spec, op, each, None) if result.matched_count or result.upserted_id is not None else None


def _answer(spec: TableSpec, op: Upsert, each: Merge, raw: bytes | None) -> Stored:
    if raw is None or not (op.returning or op.expect is not None):
        columns = op.on or spec.key
        identity = {column: each.document[column] for column in columns}
        return Stored(record_of(spec, bson.encode(identity), columns), None)
    return Stored(record_of(spec, raw), version_of(raw))


async def _many(wire: Wire, spec: TableSpec, op: Upsert, merges: Sequence[Merge]) -> list[Stored | None]:
    """In bulk, and read back if an answer is wanted. A record given twice goes in two bulks."""
    answers: list[Stored | None] = [None] * len(merges)
    for wave in _waves(merges):
        refused = await _bulk(wire, spec, [merges[index] for index in wave])
        accepted = [index for place, index in enumerate(wave) if place not in refused]
        for place in refused:
            answers[wave[place]] = await _one(wire, spec, op, merges[wave[place]])
        if not op.returning:
            for index in accepted:
                answers[index] = _answer(spec, op, merges[index], None)
            continue
        stored = await _stored(wire, spec, [merges[index] for index in accepted])
        for index in accepted:
            raw = stored.get(merges[index].identity)
            answers[index] = None if raw is None else _answer(spec, op, merges[index], raw)
    return answers


def _waves(merges: Sequence[Merge]) -> list[list[int]]:
    waves: list[list[int]] = []
    seen: dict[str, int] = {}
    for index, each in enumerate(merges):
        wave = seen[each.identity] = seen.get(each.identity, -1) + 1
        if wave == len(waves):
            waves.append([])
        waves[wave].append(index)
    return waves


async def _bulk(wire: Wire, spec: TableSpec, merges: Sequence[Merge]) -> set[int]:
    """Which of them were refused: their record is there, and the guard or another writer stood in the way."""
    requests = [
        InsertOne(dict(each.document)) if each.same is None else UpdateOne(each.query, each.update, upsert=True)
        for each in merges
    ]
    try:
        await settled(wire.at(spec.name).bulk_write(requests, ordered=False))
    except errors.BulkWriteError as error:
        failed: Any = error.details["writeErrors"]
        if error.details.get("writeConcernErrors") or any(
            each["code"] not in DUPLICATE or not _is_about(merges[each["index"]], each) for each in failed
        ):
            raise
        return {each["index"] for each in failed}
    return set()


async def _stored(wire: Wire, spec: TableSpec, merges: Sequence[Merge]) -> dict[str, bytes]:
    """Identity -> the stored document."""
    found: dict[str, bytes] = {}
    names = list(merges[0].same or {}) if merges else []
    for start in range(0, len(merges), 1000):
        some = [tuple((each.same or {})[name] for name in names) for each in merges[start : start + 1000]]
        for raw in await settled((await settled(wire.at(spec.name).find(parents.naming(names, some)))).to_list()):
            found[repr({name: raw.get(name) for name in names})] = bytes_of(raw)
    return found


async def update(wire: Wire, op: Update) -> list[Record]:
    """The changed records, by key."""
    spec = wire.layout.spec(op.table)
    change = await _change_of(wire, spec, op)
    columns = None if op.returning else spec.key
    key = only_key(spec, op.where)
    if key is not None:
        keys = [key]
    else:
        found = await reads.scan(wire, Scan(table=op.table, where=op.where, columns=spec.key))
        keys = [key_in(spec, each) for each in found.records]
    projection = None if op.returning else reading.projected(spec.key)
    where = query_of(op.where)

    def one(key: Any) -> Callable[[], Any]:
        async def call() -> Any:
            query = together(with_key(spec, key), where)
            return await settled(
                wire.at(op.table).find_one_and_update(query, change, projection, return_document=ReturnDocument.AFTER)
            )

        return call

    changed: list[Any] = []
    for start in range(0, len(keys), TOGETHER):
        changed += await wire.all([one(each) for each in keys[start : start + TOGETHER]])
    return [record_of(spec, bytes_of(each), columns) for each in changed if each is not None]


async def claim(wire: Wire, op: Claim) -> Record | None:
    """The first matching record that no other claimer got, changed."""
    spec = wire.layout.spec(op.table)
    change = await _change_of(wire, spec, op)
    where = query_of(op.where)
    sort = _sort_of(spec, op)

    async def take(query: Query, sort: reading.Sort | None) -> Any:
        return await settled(
            wire.at(op.table).find_one_and_update(query, change, sort=sort, return_document=ReturnDocument.AFTER)
        )

    if sort is not None:
        found = await take(where, sort)
        return None if found is None else record_of(spec, bytes_of(found))
    while True:
        scan = Scan(table=op.table, where=op.where, order=op.order, limit=CANDIDATES, columns=spec.key)
        candidates = (await reads.scan(wire, scan)).records
        for each in candidates:
            found = await take(together(with_key(spec, key_in(spec, each)), where), None)
            if found is not None:
                return record_of(spec, bytes_of(found))
        if not candidates:
            return None


def _sort_of(spec: TableSpec, op: Claim) -> reading.Sort | None:
    """The sort that finds the first, if a plain one does: with no nulls in it, or none that can match."""
    known = reading.known_in(op.where)
    certain = replace(
        spec,
        columns=tuple(replace(each, nullable=False) if each.name in known else each for each in spec.columns),
    )
    return reading.plain_sort(certain, op.order)


async def _change_of(wire: Wire, spec: TableSpec, op: Update | Claim) -> Any:
    check_changes(spec, op.changes)
    check_columns(spec, columns_of(op.where))
    change = changes_of(spec, op.changes)
    await wire.prepare([spec.name])
    for parent in spec.parents:
        if parent.enforced and set(parent.columns) <= set(op.changes):
            named = {column: field_of(spec, column, op.changes[column]) for column in parent.columns}
            await parents.check(wire, replace(spec, parents=(parent,)), [named])
    return change
