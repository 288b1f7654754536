"""The reading ops over get and scan: filters, order, pages, totals, children, groups, questions to other tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from dbrouter.backends.kernel.aggregating import aggregate
from dbrouter.backends.kernel.completing import check_columns, projected, with_text
from dbrouter.backends.kernel.emulation.access import lookups, only_key, only_keys
from dbrouter.backends.kernel.emulation.at_once import SOME, a_few_at_once, each_once, many
from dbrouter.backends.kernel.emulation.native import Native
from dbrouter.backends.kernel.emulation.paging import Paging
from dbrouter.backends.kernel.filters import EVERYTHING, Filter, all_of, columns_of
from dbrouter.backends.kernel.loading import children_scan, in_order
from dbrouter.backends.kernel.matching import matches, split
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Aggregate, Choice, Get, Key, Load, Loaded, Order, Page, Scan, Stored
from dbrouter.backends.kernel.ordering import page_of, sort_records
from dbrouter.backends.kernel.relating import answer, answered, related_in
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.kernel.tables import TableSpec, declared


class Reading:
    """Answers the reading ops, passing on to the store what it runs itself."""

    def __init__(self, store: Store, native: Native, tables: Mapping[str, TableSpec]) -> None:
        self._store = store
        self._native = native
        self._tables = tables
        self._paging = Paging(store)

    def spec(self, table: str) -> TableSpec:
        """The table's spec. Raises `StoreError` for a table nobody declared."""
        return declared(table, self._tables)

    async def get(self, op: Get) -> Stored | None:
        """The record with the key, if it matches."""
        if self._native.runs(op):
            return await self._store.execute(op)
        native, residual = await self.prepared(op.where)
        found = await self._store.execute(replace(op, where=native))
        return found if found is not None and matches(residual, found.record) else None

    async def current(self, table: str, key: Key) -> Stored | None:
        """The record with the key and its version."""
        return await self._store.execute(Get(table=table, key=key, versioned=True))

    async def scan(self, op: Scan) -> Page:
        """The page of matching records."""
        if self._native.runs(op):
            return await self._store.execute(op)
        native, residual = await self.prepared(op.where)
        op = replace(op, where=all_of(native, residual))
        if self._native.runs(op):
            return await self._store.execute(op)
        if residual == EVERYTHING and self._native.capabilities.order:
            return await self._counted(op)
        spec = self.spec(op.table)
        read = _columns_read(op.where, op.order)
        check_columns(spec, (*(op.columns or ()), *sorted(read)))
        if native == EVERYTHING and op.limit is not None and (way := self._paging.way(spec, op, residual)):
            return await self._paging.page(spec, op, way)
        columns = None if op.columns is None else tuple(dict.fromkeys((*op.columns, *spec.key, *sorted(read))))
        records = await self._matching(spec, native, residual, columns, op.raw - read)
        ordered = sort_records(records, op.order, spec.key)
        late = op.raw & read
        page = [projected(with_text(record, late), op.columns) for record in page_of(ordered, op.offset, op.limit)]
        return Page(page, total=len(ordered) if op.total else None)

    async def load(self, op: Load) -> Loaded | None:
        """The record with its children."""
        if self._native.runs(op):
            return await self._store.execute(op)
        where, rest = await self.prepared(op.where)
        among, others = await self.prepared(op.children.where)
        if self._native.capabilities.loads and (others == EVERYTHING or op.children.limit is None):
            asked = replace(op, where=where, children=replace(op.children, where=among))
            return await self._load_and_choose(asked, rest, others)
        found = await self.get(Get(table=op.table, key=op.key, where=op.where, versioned=True))
        if found is None:
            return None
        children = await self.scan(children_scan(op, self.spec(op.children.table).key))
        return Loaded(with_text(found.record, op.raw), found.version, in_order(op, children.records))

    async def _load_and_choose(self, op: Load, rest: Filter, others: Filter) -> Loaded | None:
        """What a store loads that filters neither the record by `rest` nor its children by `others`."""
        late, read = op.raw & set(columns_of(rest)), set(columns_of(others))
        columns = tuple(dict.fromkeys((*op.children.columns, *sorted(read))))
        children = replace(op.children, columns=columns, raw=op.children.raw - read)
        loaded = await self._store.execute(replace(op, raw=op.raw - late, children=children))
        if loaded is None or not matches(rest, loaded.record):
            return None
        chosen = [
            projected(with_text(each, op.children.raw & read), op.children.columns)
            for each in loaded.children
            if matches(others, each)
        ]
        return Loaded(with_text(loaded.record, late), loaded.version, chosen)

    async def aggregate(self, op: Aggregate) -> Page:
        """The page of groups."""
        if self._native.runs(op):
            return await self._store.execute(op)
        measures = tuple([replace(each, where=await self.resolved(each.where)) for each in op.measures])
        fields = [*op.by.values(), *(each.field for each in measures if each.field is not None)]
        read = {field.column for field in fields}.union(*(columns_of(each.where) for each in measures))
        found = await self.scan(Scan(table=op.table, where=op.where, columns=tuple(sorted(read))))
        return aggregate(found.records, replace(op, where=EVERYTHING, measures=measures))

    async def keys(self, table: str, where: Filter, order: tuple[Order, ...] = ()) -> list[Key]:
        """The keys of the records that match, in order. `Related` must have been resolved before."""
        spec = self.spec(table)
        key = only_key(spec, where)
        if key is not None:
            return [key]
        found = await self.scan(Scan(table=table, where=where, order=order, columns=spec.key))
        return [tuple(record[column] for column in spec.key) for record in found.records]

    async def prepared(self, where: Filter) -> tuple[Filter, Filter]:
        """The filter as (what the store runs, what the kernel applies), without questions to other tables in either."""
        native, residual = split(where, self._native.capabilities.filters)
        if not any(related_in(residual)):
            return native, residual
        return split(all_of(native, await self.resolved(residual)), self._native.capabilities.filters)

    async def resolved(self, where: Filter) -> Filter:
        """The filter with every question to another table answered."""
        answers = {}
        for question in related_in(where):
            found = await self.scan(Scan(table=question.table, where=question.where, columns=(question.key,)))
            answers[question] = answer(question, (record[question.key] for record in found.records))
        return answered(where, answers) if answers else where

    async def resolved_changes(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """An update's changes with the questions of their choices answered."""
        return {
            column: replace(change, where=await self.resolved(change.where)) if isinstance(change, Choice) else change
            for column, change in changes.items()
        }

    async def _matching(
        self, spec: TableSpec, native: Filter, residual: Filter, columns: tuple[str, ...] | None, raw: frozenset[str]
    ) -> list[Record]:
        """Every matching record, unordered, by the cheapest scans the store can do."""
        if native == EVERYTHING and (keys := only_keys(spec, residual)) is not None:
            records = await many(self._store, spec.name, keys, columns, raw)
        else:
            paths: Sequence[Filter] = (
                (native,)
                if native != EVERYTHING
                else lookups(spec, residual, several=self._native.capabilities.several)
            )
            scans = [Scan(table=spec.name, where=path, columns=columns, raw=raw) for path in paths]
            asked = [partial(self._store.execute, scan) for scan in scans]
            pages = await a_few_at_once(self._store.runtime, asked, SOME)
            records = each_once(spec, [page.records for page in pages])
        return [record for record in records if matches(residual, record)]

    async def _counted(self, op: Scan) -> Page:
        """A page that the store orders, with the total that it cannot count: from the keys of all that match."""
        page = await self._store.execute(replace(op, total=False))
        if op.offset == 0 and (op.limit is None or len(page.records) < op.limit):
            return Page(page.records, total=len(page.records))
        every = await self._store.execute(Scan(table=op.table, where=op.where, columns=self.spec(op.table).key))
        return Page(page.records, total=len(every.records))


def _columns_read(where: Filter, order: Sequence[Order]) -> set[str]:
    """The columns that filtering and ordering in the kernel read."""
    ordering = {column for term in order for column in (term.field.column, term.fallback) if column is not None}
    return ordering | set(columns_of(where))
