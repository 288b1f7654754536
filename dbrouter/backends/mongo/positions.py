"""The next position within a parent: a counter that one update moves, and that has seen what others have written.

The counter remembers the last positions it gave: one that is asked for may be given, and not written yet. A position
whose writer fails stays a gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from dbrouter.backends.kernel.codec import encode
from dbrouter.backends.kernel.errors import MissingParent
from dbrouter.backends.kernel.ops import Key
from dbrouter.backends.kernel.relating import missing_parent, named_parent
from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.backends.mongo import parents
from dbrouter.backends.mongo.conditions import Query
from dbrouter.backends.mongo.documents import Document
from dbrouter.backends.mongo.layout import POSITIONS, counter
from dbrouter.backends.mongo.wire import Wire, settled

REMEMBERED: Final = 64
"""Positions last given: more than writers can be at work in one parent at once."""


def siblings(within: tuple[str, ...], parent: Key) -> Query:
    """The query for a parent's documents. parent: as documents hold it."""
    return dict(zip(within, parent, strict=True))


async def around(
    wire: Wire, spec: TableSpec, column: str, of_parent: Query, document: Document
) -> tuple[MissingParent | None, int]:
    """What a new record must know: the error if one of its parents is missing, and the largest position stored so far.

    The position is -1 if there is none. One request, and one for each parent beyond the first.
    """
    first, *others = [parent for parent in spec.parents if parent.enforced] or [None]
    for parent in others:
        try:
            await parents.check(wire, replace(spec, parents=(parent,)), [document])
        except MissingParent as missing:
            return missing, -1
    most: list[dict[str, Any]] = [
        {"$match": of_parent | {column: {"$ne": None}}},
        {"$sort": {column: -1}},
        {"$limit": 1},
        {"$project": {"_id": 0, "most": f"${column}"}},
    ]
    named = None if first is None else named_parent(first, document)
    if first is None or named is None:
        found = await wire.values(wire.at(spec.name).aggregate(most))
        return None, _largest(found)
    there: list[dict[str, Any]] = [
        {"$match": dict(zip(first.references, named, strict=True))},
        {"$limit": 1},
        {"$project": {"_id": 0, "there": {"$literal": True}}},
        {"$unionWith": {"coll": wire.layout.name(spec.name), "pipeline": most}},
    ]
    found = await wire.values(wire.at(first.table).aggregate(there))
    missing = None if any("there" in each for each in found) else missing_parent(spec.name, first, named)
    return missing, _largest(found)


def _largest(found: list[dict[str, Any]]) -> int:
    return next((int(each["most"]) for each in found if "most" in each), -1)


@dataclass(frozen=True, slots=True)
class Place:
    """What is counted: a column of a table's records within one parent, written as documents hold it."""

    table: str
    column: str
    within: tuple[str, ...]
    parent: Key


async def give(wire: Wire, place: Place, key: Key, asked: int | None, most: int) -> int:
    """The position for the record with this key, which no other of the parent has or gets: the one asked for if free.

    most: the largest that was stored a moment ago.
    """
    column, record = place.column, encode(key)
    following = {"$max": [{"$ifNull": [f"${column}.next", 0]}, most + 1]}
    given = {"$ifNull": [f"${column}.given", []]}
    mine = {"$filter": {"input": given, "cond": {"$eq": ["$$this.of", {"$literal": record}]}}}
    position: Any = "$$following"
    if asked is not None:
        is_free = asked > most or not await _taken(wire, place, asked)
        at_work = {"$in": [asked, {"$map": {"input": given, "in": "$$this.at"}}]}
        granted = {"$or": [{"$gte": [asked, "$$following"]}, {"$and": [is_free, {"$not": [at_work]}]}]}
        position = {"$cond": [granted, asked, "$$following"]}
    # Two writers of one record that is not stored yet get the same.
    position = {"$ifNull": [{"$getField": {"field": "at", "input": {"$ifNull": [{"$first": mine}, None]}}}, position]}
    others = {"$filter": {"input": given, "cond": {"$ne": ["$$this.of", {"$literal": record}]}}}
    remembered = {"$concatArrays": [others, [{"of": {"$literal": record}, "at": "$$position"}]]}
    moved = {
        "next": {"$max": ["$$following", {"$add": ["$$position", 1]}]},
        "given": {"$slice": [remembered, -REMEMBERED]},
        "last": "$$position",
    }
    decided = {"$let": {"vars": {"position": position}, "in": moved}}
    update = [{"$set": {column: {"$let": {"vars": {"following": following}, "in": decided}}}}]
    query = {"_id": counter(place.table, place.within, place.parent)}
    counters = wire.named(POSITIONS)
    while True:
        try:
            found = await settled(
                counters.find_one_and_update(query, update, upsert=True, return_document=ReturnDocument.AFTER)
            )
        except DuplicateKeyError:
            continue  # another writer made the counter in this moment
        if found is not None:
            return int(found[column]["last"])


async def _taken(wire: Wire, place: Place, asked: int) -> bool:
    query: Query = siblings(place.within, place.parent) | {place.column: asked}
    return bool(await wire.rows(wire.at(place.table).find(query, {place.column: 1, "_id": 0}, limit=1)))


async def forget(wire: Wire, counters: Sequence[str], session: Any = None) -> None:
    """Remove the counters of parents that are gone."""
    if counters:
        await settled(wire.named(POSITIONS).delete_many({"_id": {"$in": list(counters)}}, session=session))
