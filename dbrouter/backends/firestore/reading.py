"""Answers to the ops that read. Imports the vendor's client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from dbrouter.backends.firestore.addresses import PARTS, Place, document_id
from dbrouter.backends.firestore.exchange import Exchange
from dbrouter.backends.firestore.index_keys import Entries
from dbrouter.backends.firestore.layout import COLUMNS, COUNT, ENTRIES, MOVED, PART_OF, WRITTEN, Layout
from dbrouter.backends.firestore.messages import GREATER, GREATER_OR_EQUAL, LESS, Found, query_of
from dbrouter.backends.kernel.completing import check_columns, projected, with_text
from dbrouter.backends.kernel.deadline import Deadline
from dbrouter.backends.kernel.emulation.at_once import at_once
from dbrouter.backends.kernel.emulation.layouts import Layouts
from dbrouter.backends.kernel.errors import Unavailable, Unsupported
from dbrouter.backends.kernel.filters import Filter
from dbrouter.backends.kernel.loading import children_of, children_read, children_scan
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Get, GetMany, Key, Load, Loaded, Page, Scan, Stored, Version, Walk, Walked
from dbrouter.backends.kernel.ordered_form import behind
from dbrouter.backends.kernel.ordering import sort_records
from dbrouter.backends.kernel.paths import path_of

REREADS = 8
"""Times that a record may be written anew while its parts are read."""
MOST_RANGES = 30
"""Alternatives that Firestore takes in one query."""
AT_ONCE = 100
"""Documents, or parts, of one request."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last record that a walk gave: its entry, and the columns that it is sorted by."""

    entry: bytes
    record: Record


class Reading:
    """Reads the records of one place."""

    def __init__(self, exchange: Exchange, place: Place, layouts: Layouts[Layout]) -> None:
        self._exchange = exchange
        self._place = place
        self._layouts = layouts

    async def get(self, op: Get, deadline: Deadline) -> Stored | None:
        """The record with the key."""
        layout = self._layouts[op.table]
        name = self.name(layout, op.key)
        found = (await self._exchange.documents([name], deadline)).get(name)
        if found is None:
            return None
        for (_, stored), record in await self._whole(layout, [found], None, frozenset(), deadline):
            return Stored(record, version(stored))
        return None

    async def load(self, op: Load, deadline: Deadline) -> Loaded | None:
        """The record and its children, asked for at once."""
        asked: list[Callable[[], Awaitable[Any]]] = [
            partial(self.get, Get(table=op.table, key=op.key), deadline),
            partial(self._children, op, deadline),
        ]
        stored, children = await at_once(self._exchange.runtime, asked)
        if stored is None:
            return None
        return Loaded(with_text(stored.record, op.raw), stored.version, children)

    async def many(self, op: GetMany, deadline: Deadline) -> list[Record | None]:
        """The records with the keys."""
        layout = self._layouts[op.table]
        check_columns(layout.spec, op.columns or ())
        names = [self.name(layout, key) for key in op.keys]
        select = _fields(op.columns)
        asking = [
            partial(self._exchange.documents, names[start : start + AT_ONCE], deadline, select=select)
            for start in range(0, len(names), AT_ONCE)
        ]
        answers = await at_once(self._exchange.runtime, asking) if names else []
        documents = [each for answer in answers for each in answer.values()]
        whole = await self._whole(layout, documents, op.columns, op.raw, deadline)
        by_name = {asked: record for (asked, _), record in whole}
        return [by_name.get(name) for name in names]

    async def scan(self, op: Scan, deadline: Deadline) -> Page:
        """All records of the table, or of one of its paths, in no order."""
        if op.order or op.limit is not None or op.offset or op.total:
            raise Unsupported(f"{self._exchange.target.place} orders and counts along a walk only: {op}")
        layout = self._layouts[op.table]
        check_columns(layout.spec, op.columns or ())
        return Page(await self._along(layout, op.where, op.columns, op.raw, deadline))

    async def walk(self, op: Walk, deadline: Deadline) -> Walked:
        """The next records of a listing."""
        layout = self._layouts[op.table]
        check_columns(layout.spec, op.columns or ())
        path = path_of(op.where)
        entries = layout.ordered(path, op.order)
        if entries is None or len(path.ways) > 1:
            raise Unsupported(f"{op.table} is not listed by {op.order} along {op.where}")
        (values,) = path.along(entries.listing.path)
        prefix = entries.leading(values)
        walked = partial(self._walk, layout, entries, prefix, op, deadline)
        if not op.total:
            return await walked()
        counted = query_of(layout.collection, field=_entry(entries), ranges=[_bounds(prefix)])
        asked: list[Callable[[], Awaitable[Any]]] = [
            walked,
            partial(self._exchange.count, self._place.name, counted, deadline),
        ]
        page, total = await at_once(self._exchange.runtime, asked)
        return replace(page, total=total)

    async def _children(self, op: Load, deadline: Deadline) -> list[Record]:
        """The children in order: all are read, and those beyond a limit left out."""
        layout = self._layouts[op.children.table]
        where = children_scan(op, layout.spec.key).where
        found = await self._along(layout, where, *children_read(op, layout.spec.key), deadline)
        return children_of(op, found, layout.spec.key)

    def name(self, layout: Layout, key: Key) -> str:
        """The name of a record's document."""
        return self._place.document(layout.collection, document_id(key))

    async def parts(self, stored: Found, deadline: Deadline) -> list[bytes] | None:
        """The parts of a document that has some; `None` if they are gone: another one is there by now."""
        names = part_names(self._place, stored.columns[WRITTEN], stored.columns[COUNT])
        found: dict[str, Found] = {}
        for start in range(0, len(names), AT_ONCE):
            found |= await self._exchange.documents(names[start : start + AT_ONCE], deadline)
        return [found[name].columns[PART_OF] for name in names] if len(found) == len(names) else None

    async def _walk(self, layout: Layout, entries: Entries, prefix: bytes, op: Walk, deadline: Deadline) -> Walked:
        sorted_by = tuple(each for each in (op.order.field.column, op.order.fallback, *layout.spec.key) if each)
        columns = None if op.columns is None else tuple(dict.fromkeys((*op.columns, *sorted_by)))
        raw = op.raw - set(sorted_by)
        cursor: Cursor | None = op.after
        records, more = None, False
        if cursor is None or entries.is_exact(cursor.record):
            asked = query_of(
                layout.collection,
                field=_entry(entries),
                ranges=[_bounds(prefix, cursor, descending=op.order.descending)],
                descending=op.order.descending,
                limit=op.limit,
                skip=op.skip,
                select=_fields(columns),
            )
            # Those that are skipped lie before these also where they are cut: what is cut as they are is cut alike.
            records, more = await self._page(layout, asked, op.limit, columns, raw, deadline)
        if records is None or not all(map(entries.is_exact, records)):
            # Some are cut where they differ: what is sorted then is the path, by the whole values.
            every = await self._along(layout, op.where, columns, raw, deadline)
            records, more = _following(every, cursor, op, layout)
        last = records[-1] if more and records else None
        after_last = None
        if last is not None:
            position = {column: last[column] for column in sorted_by}
            after_last = Cursor(prefix + entries.position(last), position)
        return Walked([projected(each, op.columns) for each in records], after_last)

    async def _page(
        self,
        layout: Layout,
        asked: Any,
        limit: int,
        columns: tuple[str, ...] | None,
        raw: frozenset[str],
        deadline: Deadline,
    ) -> tuple[list[Record], bool]:
        """The records that a query finds, and whether there may be more than so many."""
        while True:
            found = await self._exchange.query(self._place.name, asked, deadline)
            records = await self._records(layout, found, columns, raw, deadline)
            more = len(found) == limit
            if records or not found or not more:
                return records, more
            # All of them were removed before their parts were read: what comes behind them is found by asking again.

    async def _along(
        self,
        layout: Layout,
        where: Filter,
        columns: tuple[str, ...] | None,
        raw: frozenset[str],
        deadline: Deadline,
    ) -> list[Record]:
        path = path_of(where)
        select = _fields(columns)
        if path.is_of(layout.spec.key):
            names = [self.name(layout, key) for key in path.along(layout.spec.key)]
            found = list((await self._exchange.documents(names, deadline, select=select)).values())
            return await self._records(layout, found, columns, raw, deadline)
        queries = [query_of(layout.collection, select=select)]
        if path.columns:
            entries = layout.along(path)
            if entries is None:
                raise Unsupported(f"{layout.spec.name} cannot be scanned by {', '.join(path.columns)}")
            ranges = [_bounds(entries.leading(values)) for values in path.along(entries.listing.path)]
            queries = [
                query_of(
                    layout.collection, field=_entry(entries), ranges=ranges[start : start + MOST_RANGES], select=select
                )
                for start in range(0, len(ranges), MOST_RANGES)
            ]
        asking = [partial(self._exchange.query, self._place.name, each, deadline) for each in queries]
        answers = await at_once(self._exchange.runtime, asking)
        return await self._records(layout, [each for answer in answers for each in answer], columns, raw, deadline)

    async def _records(
        self,
        layout: Layout,
        found: list[Found],
        columns: tuple[str, ...] | None,
        raw: frozenset[str],
        deadline: Deadline,
    ) -> list[Record]:
        return [record for _, record in await self._whole(layout, found, columns, raw, deadline)]

    async def _whole(
        self,
        layout: Layout,
        found: list[Found],
        columns: tuple[str, ...] | None,
        raw: frozenset[str],
        deadline: Deadline,
    ) -> list[tuple[tuple[str, Found], Record]]:
        """Name, document and record of each that is still there, in order, parts included."""
        split = [each for each in found if layout.needs_parts(each.columns, columns)]
        gathering = [partial(self._gathered, layout, each, columns, deadline) for each in split]
        gathered = await at_once(self._exchange.runtime, gathering) if split else []
        joined = {each.name: answer for each, answer in zip(split, gathered, strict=True)}
        whole: list[tuple[tuple[str, Found], Record]] = []
        for each in found:
            stored, parts = joined.get(each.name, (each, []))
            if stored is not None:
                whole.append(((each.name, stored), layout.record(stored.columns, parts, columns, raw)))
        return whole

    async def _gathered(
        self, layout: Layout, stored: Found, columns: tuple[str, ...] | None, deadline: Deadline
    ) -> tuple[Found | None, list[bytes]]:
        """The document and its parts as one writer wrote them: read again if another one comes between."""
        for _ in range(REREADS):
            if not layout.needs_parts(stored.columns, columns):
                return stored, []
            parts = await self.parts(stored, deadline)
            if parts is not None:
                return stored, parts
            again = await self._exchange.documents([stored.name], deadline, select=_fields(columns))
            if stored.name not in again:
                return None, []
            stored = again[stored.name]
        raise Unavailable(f"{layout.spec.name}: a record was written {REREADS} times while it was read; try again")


def version(stored: Found) -> Version:
    """The version of a document: when it was written and, if it has parts, which those are."""
    count = stored.columns.get(COUNT, 0)
    return (*stored.time, stored.columns[WRITTEN] if count else b"", count)


def part_names(place: Place, written: bytes, count: int) -> list[str]:
    """The names of the parts that a write made."""
    return [place.document(PARTS, f"{written.hex()}-{number}") for number in range(count)]


def _fields(columns: tuple[str, ...] | None) -> list[str] | None:
    """The fields to read for these columns, or for all; index entries are not read."""
    return [COLUMNS] if columns is None else [f"{COLUMNS}.{each}" for each in (*columns, MOVED, COUNT, WRITTEN)]


def _entry(entries: Entries) -> str:
    return f"{ENTRIES}.{entries.name}"


def _bounds(prefix: bytes, cursor: Cursor | None = None, *, descending: bool = False) -> list[tuple[int, bytes]]:
    """All entries that begin with the prefix and lie behind the cursor."""
    low, high = (GREATER_OR_EQUAL, prefix), (LESS, behind(prefix))
    if cursor is None:
        return [low, high]
    return [low, (LESS, cursor.entry)] if descending else [(GREATER, cursor.entry), high]


def _following(every: list[Record], cursor: Cursor | None, op: Walk, layout: Layout) -> tuple[list[Record], bool]:
    """The records of a path that come behind the cursor, and whether there are more."""
    key = layout.spec.key
    if cursor is not None:
        same = layout.spec.key_of(cursor.record)
        every = [each for each in every if layout.spec.key_of(each) != same]
        every.append(cursor.record)
    ordered = sort_records(every, (op.order,), key)
    if cursor is not None:
        start = next(number for number, each in enumerate(ordered) if each is cursor.record)
        ordered = ordered[start + 1 :]
    ordered = ordered[op.skip :]
    return ordered[: op.limit], len(ordered) > op.limit
