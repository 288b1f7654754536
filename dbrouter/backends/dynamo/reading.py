"""Gets, scans and walks: entries of a listing first, then the records that they name, all read consistently."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from dbrouter.backends.dynamo.items import (
    DATA,
    PACKED,
    PARTITION,
    PARTS,
    SORT,
    STAMP,
    Item,
    completed_with,
    keyed,
    part_place,
    parts_of,
    place_of,
    values_of,
)
from dbrouter.backends.dynamo.layout import HEAD, Kept, Layout, Place
from dbrouter.backends.dynamo.requests import Answer, NoTable, Requests
from dbrouter.backends.kernel.completing import projected, with_text
from dbrouter.backends.kernel.deadline import Deadline
from dbrouter.backends.kernel.emulation.at_once import at_once
from dbrouter.backends.kernel.emulation.layouts import Layouts
from dbrouter.backends.kernel.errors import Corrupt
from dbrouter.backends.kernel.filters import Filter, columns_of
from dbrouter.backends.kernel.loading import children_of, children_read, children_scan
from dbrouter.backends.kernel.matching import matches
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Get, GetMany, Key, Load, Loaded, Page, Scan, Stored, Walk, Walked
from dbrouter.backends.kernel.ordering import rank_of
from dbrouter.backends.kernel.paths import path_of
from dbrouter.backends.kernel.running import BlockingRuntime
from dbrouter.backends.kernel.stored_form import decoded

MOST_TOGETHER = 100
"""Items that one request reads."""
READINGS = 8
"""Times that a record is read whose parts are being replaced meanwhile."""


@dataclass(frozen=True, slots=True)
class Version:
    """What a record was read or written as: its stamp, and what the next writer must know of it."""

    stamp: str
    parts: int
    listed: tuple[Any, ...]
    """The values that its entries depend on, in the order of `Layout.listed`."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and other.stamp == self.stamp

    def __hash__(self) -> int:
        return hash(self.stamp)


class Reading:
    """Reads records of one namespace. fan: runs independent requests at once, on threads that nothing else waits on."""

    def __init__(self, requests: Requests, table: str, layouts: Layouts[Layout], fan: BlockingRuntime) -> None:
        self._requests = requests
        self._table = table
        self._layouts = layouts
        self._fan = fan

    async def get(self, op: Get, deadline: Deadline) -> Stored | None:
        """The record with the key, and its version."""
        layout = self._layouts[op.table]
        item = self._head(layout.head(op.key), deadline)
        return None if item is None else await self._stored(layout, op.key, item, deadline)

    async def many(self, op: GetMany, deadline: Deadline) -> list[Record | None]:
        """The records with these keys, in order."""
        layout = self._layouts[op.table]
        return await self._records(layout, op.keys, op.columns, op.raw, deadline)

    async def scan(self, op: Scan, deadline: Deadline) -> Page:
        """The records of a path, or all, in no order."""
        layout = self._layouts[op.table]
        path = path_of(op.where)
        kept = layout.along(path.columns)
        if kept is None:
            return Page(await self._everywhere(layout, op, deadline))
        reads = [partial(self._entries, each, deadline) for each in layout.partitions_along(kept, path)]
        entries = [entry for some in await at_once(self._fan, reads) for entry in some]
        return Page(await self._listed(layout, kept, op, entries, deadline))

    async def load(self, op: Load, deadline: Deadline) -> Loaded | None:
        """A record, and its children found by a listing at the same time."""
        layout, below = self._layouts[op.table], self._layouts[op.children.table]
        scan = children_scan(op, below.spec.key)
        path = path_of(scan.where)
        kept = below.along(path.columns)
        if kept is None:
            raise Corrupt(f"{op.children.table} is not listed by {', '.join(path.columns)}")

        async def own() -> list[Item]:
            item = self._head(layout.head(op.key), deadline)
            return [] if item is None else [item]

        reads = [partial(self._entries, each, deadline) for each in below.partitions_along(kept, path)]
        (head, *found) = await at_once(self._fan, [own, *reads])
        stored = await self._stored(layout, op.key, head[0], deadline) if head else None
        if stored is None:
            return None
        entries = _first([entry for some in found for entry in some], scan, kept)
        columns, raw = children_read(op, below.spec.key)
        records = await self._listed(below, kept, replace(scan, columns=columns, raw=raw), entries, deadline)
        children = children_of(op, records, below.spec.key)
        return Loaded(with_text(stored.record, op.raw), stored.version, children)

    async def walk(self, op: Walk, deadline: Deadline) -> Walked:
        """The next records of a listing, in its order."""
        layout = self._layouts[op.table]
        path = path_of(op.where)
        kept = layout.walked(path.columns, op.order)
        if kept is None:
            raise Corrupt(f"{op.table} is not listed by {op.order.field.column} along {', '.join(path.columns)}")
        (place,) = layout.partitions_along(kept, path)

        async def page() -> Walked:
            entries, last = self._next_entries(place, op, deadline)
            records = await self._listed(layout, kept, op, entries, deadline)
            return Walked(records, None if last is None else place_of(last).sort)

        async def counted() -> Walked:
            return Walked([], op.after, self._count(place, deadline))

        found = await at_once(self._fan, [*([page] if op.limit else []), *([counted] if op.total else [])])
        return replace(found[0], total=found[-1].total) if found else Walked([], op.after)

    async def heads(self, places: Sequence[Place], columns: Iterable[str], deadline: Deadline) -> dict[Place, Item]:
        """The records' own items, with these columns and what tells their version."""
        names = {f"#{number}": column for number, column in enumerate((*columns, *_OURS))}
        projection = {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
        return await self._batch(places, projection, deadline)

    def _head(self, head: Place, deadline: Deadline) -> Item | None:
        """A record's own item."""
        try:
            answer = self._requests.send(
                "get_item", deadline, TableName=self._table, Key=keyed(head), ConsistentRead=True
            )
        except NoTable:
            return None
        return answer.get("Item")

    async def _stored(self, layout: Layout, key: Key, item: Item, deadline: Deadline) -> Stored | None:
        """The record of an item that was just read, or of one that has replaced it."""
        for _ in range(READINGS):
            whole = (await self._with_parts([item], layout.spec.column_names, deadline))[0]
            if whole is not None:
                values = values_of(layout.spec.column_names, whole)
                return Stored(decoded(layout.spec, values), version_in(layout, whole, values))
            again = self._head(layout.head(key), deadline)
            if again is None:
                return None
            item = again
        raise _torn(layout, key)

    async def _records(
        self,
        layout: Layout,
        keys: Sequence[Key],
        columns: Sequence[str] | None,
        raw: frozenset[str],
        deadline: Deadline,
    ) -> list[Record | None]:
        """The records with these keys, in order."""
        read = layout.spec.column_names if columns is None else tuple(columns)
        places = [layout.head(key) for key in keys]
        found: dict[Place, Record] = {}
        missing = list(dict.fromkeys(places))
        for _ in range(READINGS):
            if columns is None:
                items = await self._batch(missing, {}, deadline)
            else:
                items = await self.heads(missing, read, deadline)
            missing = []
            wholes = await self._with_parts(list(items.values()), read, deadline)
            for place, whole in zip(items, wholes, strict=True):
                if whole is None:
                    missing.append(place)
                else:
                    found[place] = projected(decoded(layout.spec, values_of(read, whole), None, raw), columns)
            if not missing:
                return [found.get(place) for place in places]
        raise _torn(layout, missing[0])

    async def _listed(
        self, layout: Layout, kept: Kept, op: Scan | Walk, entries: Sequence[Item], deadline: Deadline
    ) -> list[Record]:
        """The records that entries name and that the op's path holds, from the entries alone where these suffice."""
        asked = frozenset(columns_of(op.where))
        wanted = None if op.columns is None else frozenset(op.columns) | asked
        answers: list[Record | None] = []
        unread: list[tuple[int, Key]] = []
        for entry in entries:
            carried = values_of(kept.carried if SHORT not in entry else layout.spec.key, entry)
            if not _may_match(op.where, asked, carried):
                continue
            if wanted is not None and wanted <= carried.keys():
                answers.append(projected(decoded(layout.spec, carried), op.columns))
            else:
                unread.append((len(answers), tuple(carried[column] for column in layout.spec.key)))
                answers.append(None)
        columns = None if op.columns is None else tuple(dict.fromkeys((*op.columns, *asked)))
        read = await self._records(layout, [key for _, key in unread], columns, op.raw, deadline) if unread else []
        for (at, _), record in zip(unread, read, strict=True):
            # It may have been changed or removed since its entry was read.
            if record is not None and matches(op.where, record):
                answers[at] = projected(record, op.columns)
        return [record for record in answers if record is not None]

    async def _everywhere(self, layout: Layout, op: Scan, deadline: Deadline) -> list[Record]:
        """The records of a whole table that only tenants list: read from everything that the DynamoDB table holds."""
        asked = {
            "FilterExpression": "begins_with(#p, :prefix) AND #s = :head",
            "ExpressionAttributeNames": {"#p": PARTITION, "#s": SORT, "#t": STAMP},
            "ExpressionAttributeValues": {":prefix": {"S": layout.prefix}, ":head": {"B": HEAD}},
            "ProjectionExpression": "#p, #s, #t",
        }
        places = [place_of(item) for item in self._pages("scan", deadline, ConsistentRead=True, **asked)]
        items = await self._batch(places, {}, deadline)
        keys = [tuple(values_of(layout.spec.key, item).values()) for item in items.values()]
        records = await self._records(layout, keys, op.columns, op.raw, deadline) if keys else []
        return [record for record in records if record is not None]

    async def _entries(self, place: str, deadline: Deadline) -> list[Item]:
        return list(self._pages("query", deadline, **_in(place)))

    def _next_entries(self, place: str, op: Walk, deadline: Deadline) -> tuple[Sequence[Item], Item | None]:
        """The entries that a walk asks for, or as many as one answer brings, and the key of the last if there are more.

        Entries are small: those that it skips are read, and their records are not.
        """
        more: dict[str, Any] = {"ScanIndexForward": not op.order.descending}
        if op.after is not None:
            more["ExclusiveStartKey"] = keyed(Place(place, op.after))
        skip = op.skip
        while True:
            answer = self._query(place, deadline, Limit=skip + op.limit, **more)
            items, last = answer.get("Items", []), answer.get("LastEvaluatedKey")
            if last is None or len(items) > skip:
                return items[skip:], last
            skip -= len(items)
            more["ExclusiveStartKey"] = last

    def _query(self, place: str, deadline: Deadline, **more: Any) -> Answer:
        try:
            return self._requests.send("query", deadline, TableName=self._table, **_in(place), **more)
        except NoTable:
            return {}

    def _pages(self, operation: str, deadline: Deadline, **arguments: Any) -> Iterable[Item]:
        while True:
            try:
                answer = self._requests.send(operation, deadline, TableName=self._table, **arguments)
            except NoTable:
                return
            yield from answer.get("Items", [])
            if "LastEvaluatedKey" not in answer:
                return
            arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _count(self, place: str, deadline: Deadline) -> int:
        more: dict[str, Any] = {"Select": "COUNT"}
        count = 0
        while True:
            answer = self._query(place, deadline, **more)
            count += answer.get("Count", 0)
            if "LastEvaluatedKey" not in answer:
                return count
            more["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    async def _with_parts(self, items: Sequence[Item], columns: Sequence[str], deadline: Deadline) -> list[Item | None]:
        """The items, with those of these columns that are in parts; `None` where another version replaced them."""
        places: dict[int, list[Place]] = {}
        for at, item in enumerate(items):
            if count := parts_of(item, columns):
                places[at] = [part_place(place_of(item), item[STAMP]["S"], number) for number in range(count)]
        wholes: list[Item | None] = list(items)
        if places:
            found = await self._batch([place for some in places.values() for place in some], {}, deadline)
            for at, some in places.items():
                there = all(place in found for place in some)
                data = [bytes(found[place][DATA]["B"]) for place in some] if there else []
                wholes[at] = completed_with(items[at], data) if there else None
        return wholes

    async def _batch(
        self, places: Sequence[Place], projection: Mapping[str, Any], deadline: Deadline
    ) -> dict[Place, Item]:
        """The items at these places that are there, in that order."""
        chunks = [places[start : start + MOST_TOGETHER] for start in range(0, len(places), MOST_TOGETHER)]
        found: dict[Place, Item] = {}
        for items in await at_once(self._fan, [partial(self._chunk, chunk, projection, deadline) for chunk in chunks]):
            found |= {place_of(item): item for item in items}
        return {place: found[place] for place in places if place in found}

    async def _chunk(self, places: Sequence[Place], projection: Mapping[str, Any], deadline: Deadline) -> list[Item]:
        keys = [keyed(place) for place in places]
        found: list[Item] = []
        pauses = 0
        while keys:
            asked = {self._table: {"Keys": keys, "ConsistentRead": True, **projection}}
            try:
                answer = self._requests.send("batch_get_item", deadline, RequestItems=asked)
            except NoTable:
                return []
            items = answer["Responses"].get(self._table, [])
            found += items
            keys = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
            if keys and not items:
                # What is over 16 MB is asked for at once; only who gets nothing is throttled.
                self._requests.pause(pauses, deadline, self._requests.throttled())
                pauses += 1
        return found


SHORT = "_x"
"""Marks an entry that repeats nothing but the key."""
_OURS = (PARTITION, SORT, STAMP, PARTS, PACKED)


def version_in(layout: Layout, item: Mapping[str, Any], values: Mapping[str, Any]) -> Version:
    """The version that an item is, given its values."""
    parts = int(item[PARTS]["N"]) if PARTS in item else 0
    return Version(item[STAMP]["S"], parts, tuple(values[column] for column in layout.listed))


def _in(place: str) -> dict[str, Any]:
    """The arguments of a consistent query of one partition."""
    return {
        "KeyConditionExpression": "#p = :p",
        "ExpressionAttributeNames": {"#p": PARTITION},
        "ExpressionAttributeValues": {":p": {"S": place}},
        "ConsistentRead": True,
    }


def _first(entries: list[Item], scan: Scan, kept: Kept) -> list[Item]:
    """The entries among whose records are the first `limit` in the scan's order."""
    if scan.limit is None or len(entries) <= scan.limit or not scan.order:
        return entries
    term = scan.order[0]
    if any(SHORT in entry for entry in entries) or not {term.field.column, term.fallback} - {None} <= set(kept.carried):
        return entries
    ranks = [rank_of(term, values_of(kept.carried, entry)) for entry in entries]
    last = sorted(ranks, reverse=term.descending)[max(scan.limit - 1, 0)]
    return [
        entry for entry, rank in zip(entries, ranks, strict=True) if (rank >= last if term.descending else rank <= last)
    ]


def _may_match(where: Filter, asked: frozenset[str], carried: Record) -> bool:
    """Whether an entry's record may be one of the path, as far as the entry says."""
    return not asked <= carried.keys() or matches(where, carried)


def _torn(layout: Layout, what: object) -> Corrupt:
    return Corrupt(f"{layout.spec.name} {what}: parts of the record are missing")
