"""Records removed with their children, children first: what a failure leaves is found and removed by trying again.

Without atomic commits of several records, a child that is written while its parent is removed can stay behind.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from dbrouter.backends.kernel.completing import key_in
from dbrouter.backends.kernel.duplicates import uniques_of
from dbrouter.backends.kernel.emulation.at_once import a_few_at_once
from dbrouter.backends.kernel.emulation.positions import counter_of
from dbrouter.backends.kernel.emulation.reading import Reading
from dbrouter.backends.kernel.emulation.reservations import Reservations
from dbrouter.backends.kernel.errors import Conflict
from dbrouter.backends.kernel.filters import Filter, all_of, any_of, columns_of, eq, one_of
from dbrouter.backends.kernel.matching import matches
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Commit, Delete, Key, Remove, Scan, Stored
from dbrouter.backends.kernel.racing import Attempts, Lost
from dbrouter.backends.kernel.relating import Children, still_referenced
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.kernel.tables import Parent, TableSpec

MOST_TOGETHER = 25
"""Removals in one atomic commit, which every backend with commits takes; a larger family goes one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What goes with a record: first its descendants, then itself, then what the kernel kept for them."""

    descendants: list[Remove]
    own: Remove
    kept_for_them: list[Remove]


class Deleting:
    """Answers deletes record by record, a few at a time: no table is its own parent, so none takes another along."""

    def __init__(
        self,
        store: Store,
        reading: Reading,
        reservations: Reservations,
        children: Children,
    ) -> None:
        self._store = store
        self._reading = reading
        self._reservations = reservations
        self._children = children

    async def delete(self, op: Delete) -> int:
        """How many records are gone, children aside."""
        spec = self._reading.spec(op.table)
        keys = await self._reading.keys(op.table, await self._reading.resolved(op.where))
        if len(keys) > 1 and any(_holds_back(parent) for _, parent in self._children.get(op.table, ())):
            # What can be refused is refused before the first is removed.
            for key in keys:
                stored = await self._reading.current(op.table, key)
                if stored is not None and matches(await self._reading.resolved(op.where), stored.record):
                    await self._check_unreferenced(spec, await self._descendants(spec, stored.record))
        return sum(await a_few_at_once(self._store.runtime, [partial(self._delete, spec, key, op) for key in keys]))

    async def planned(self, spec: TableSpec, stored: Stored, beside: Collection[tuple[str, Key]] = ()) -> Removal:
        """The removals that take exactly this version of a record with all that cascades from it.

        beside: records that change in the same commit. Raises `MissingParent` if one that stays names one that goes.
        """
        doomed = await self._descendants(spec, stored.record)
        if not self._store.capabilities.parents:
            await self._check_unreferenced(spec, doomed, beside)
        return Removal(
            descendants=[Remove(table=child.name, key=key_in(child, record)) for child, record in doomed[:-1]],
            own=self._own(spec, stored),
            kept_for_them=[
                *[each for child, record in doomed for each in await self._reservations.given_up(child, record, None)],
                *self._counters(doomed),
            ],
        )

    async def remove(self, spec: TableSpec, stored: Stored) -> None:
        """Remove exactly this version of a record, with its descendants. Raises `Lost` or `MissingParent`."""
        if self._store.capabilities.deletes and self._store.capabilities.uniques:
            # The store takes along what cascades.
            removal = Removal(descendants=[], own=self._own(spec, stored), kept_for_them=[])
        else:
            removal = await self.planned(spec, stored)
        together = (*removal.descendants, removal.own, *removal.kept_for_them)
        try:
            if self._store.capabilities.together and len(together) <= MOST_TOGETHER:
                await self._store.execute(Commit(writes=together))
                return
            # Those of one table in a row are no children of each other.
            for _, level in groupby(removal.descendants, key=lambda each: each.table):
                removals = [partial(self._store.execute, Commit(writes=(each,))) for each in level]
                await a_few_at_once(self._store.runtime, removals)
            await self._store.execute(Commit(writes=(removal.own,)))
        except Conflict as race:
            raise Lost from race
        await self._reservations.release(removal.kept_for_them)

    def _own(self, spec: TableSpec, stored: Stored) -> Remove:
        return Remove(table=spec.name, key=key_in(spec, stored.record), expect=stored.version)

    async def _delete(self, spec: TableSpec, key: Key, op: Delete) -> bool:
        attempts = Attempts(self._store.runtime, f"delete of {spec.name} {key}")
        while True:
            stored = await self._reading.current(spec.name, key)
            if stored is None or not matches(await self._reading.resolved(op.where), stored.record):
                return False
            try:
                await self.remove(spec, stored)
            except Lost:
                await attempts.again()
            else:
                return True

    async def _descendants(self, spec: TableSpec, record: Record) -> list[tuple[TableSpec, Record]]:
        """The record and all that cascades from it, children before parents."""
        children = [(child, parent) for child, parent in self._children.get(spec.name, ()) if parent.cascade]
        naming = [partial(self._naming, child, parent, [record]) for child, parent in children]
        found: list[tuple[TableSpec, Record]] = []
        for (child, _), records in zip(children, await a_few_at_once(self._store.runtime, naming), strict=True):
            for each in records:
                found.extend(await self._descendants(child, each))
        return [*found, (spec, record)]

    async def _check_unreferenced(
        self, spec: TableSpec, doomed: list[tuple[TableSpec, Record]], beside: Collection[tuple[str, Key]] = ()
    ) -> None:
        """Raise `MissingParent` if a record that stays names one that goes."""
        going = {(child.name, key_in(child, record)) for child, record in doomed} | set(beside)
        of_table: dict[str, list[Record]] = {}
        for each, record in doomed:
            of_table.setdefault(each.name, []).append(record)
        for table, records in of_table.items():
            for child, parent in self._children.get(table, ()):
                if _holds_back(parent):
                    # One question for all of them: what names them need not be found by that.
                    naming = await self._naming(child, parent, records)
                    if any((child.name, key_in(child, other)) not in going for other in naming):
                        raise still_referenced(spec.name, child.name)

    async def _naming(self, child: TableSpec, parent: Parent, records: Sequence[Record]) -> list[Record]:
        """The child records that name one of these as their parent, with the columns that removing them needs."""
        named = [tuple(record[column] for column in parent.references) for record in records]
        values = [each for each in named if None not in each]
        if not values:
            return []
        if len(parent.columns) == 1 and len(values) > 1:
            where: Filter = one_of(parent.columns[0], [value for (value,) in values])
        else:
            where = any_of(*(all_of(*map(eq, parent.columns, each)) for each in values))
        columns = [*child.key]
        for unique in uniques_of(child):
            columns += [*unique.columns, *columns_of(unique.where)]
        for _, grandparent in self._children.get(child.name, ()):
            columns += grandparent.references
        scan = Scan(table=child.name, where=where, columns=tuple(dict.fromkeys(columns)))
        return (await self._reading.scan(scan)).records

    def _counters(self, doomed: list[tuple[TableSpec, Record]]) -> list[Remove]:
        """The removals of the counters within the parents that go."""
        if self._store.capabilities.positions:
            return []
        return [
            counter_of(child, parent.columns, tuple(record[column] for column in parent.references))
            for each, record in doomed
            for child, parent in self._children.get(each.name, ())
            if parent.cascade
        ]


def _holds_back(parent: Parent) -> bool:
    return parent.enforced and not parent.cascade
