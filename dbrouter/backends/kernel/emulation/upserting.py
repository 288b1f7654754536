"""Upserts over conditional puts: read, merge, write over what was read, else again."""

from __future__ import annotations

from collections.abc import Collection

from dbrouter.backends.kernel.completing import check_columns, completed, key_in
from dbrouter.backends.kernel.duplicates import duplicate, unique_values, uniques_of
from dbrouter.backends.kernel.emulation.arriving import Arriving
from dbrouter.backends.kernel.emulation.native import Native
from dbrouter.backends.kernel.emulation.positions import Positions
from dbrouter.backends.kernel.emulation.reading import Reading
from dbrouter.backends.kernel.emulation.reservations import Reservations
from dbrouter.backends.kernel.emulation.writing import Writing, is_unchanged
from dbrouter.backends.kernel.errors import Duplicate, StoreError
from dbrouter.backends.kernel.merging import Record, merged
from dbrouter.backends.kernel.ops import ABSENT, Batch, Key, Stored, Upsert
from dbrouter.backends.kernel.racing import Attempts, Lost
from dbrouter.backends.kernel.relating import named_parent
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.kernel.stored_form import as_stored
from dbrouter.backends.kernel.tables import TableSpec, Unique


class Upserting:
    """Answers upserts record by record. Repeating one that failed half-way gives what it would have given."""

    def __init__(
        self,
        store: Store,
        native: Native,
        reading: Reading,
        writing: Writing,
        reservations: Reservations,
        positions: Positions,
    ) -> None:
        self._store = store
        self._native = native
        self._reading = reading
        self._writing = writing
        self._reservations = reservations
        self._positions = positions
        self._arriving = Arriving(store)

    async def batch(self, op: Batch) -> None:
        """All upserts, in order. What the ones before have brought is a parent to those after."""
        brought: set[tuple[str, Key]] = set()
        for upsert in op.upserts:
            if self._native.runs(upsert):
                await self._store.execute(upsert)
            else:
                await self.upsert(upsert, beside=brought)
            if upsert.expect is None and not upsert.on:
                spec = self._reading.spec(upsert.table)
                brought |= {(upsert.table, key_in(spec, record)) for record in upsert.records}

    async def upsert(self, op: Upsert, beside: Collection[tuple[str, Key]] = ()) -> list[Stored | None]:
        """What is stored now, per record; `None` where the guard or `expect` refused.

        beside: records of other tables that are known to be there.
        """
        spec = self._reading.spec(op.table)
        check_columns(spec, op.rules)
        on = _identity(spec, op.on)
        records = [as_stored(spec, record) for record in op.records]
        written: dict[int, Stored] = {}
        if len(records) > 1:
            # What can be refused is refused before the first is written.
            for record in _one_for_each_parent(spec, records):
                await self._writing.check_parents(spec, None, record, beside=beside)
            written = await self._arriving.written(spec, op, records) if on is None else {}
        answers = [
            written[at] if at in written else await self._one(spec, op, on, record, beside)
            for at, record in enumerate(records)
        ]
        return answers if op.returning or op.guard is not None or op.expect is not None else []

    async def _one(
        self, spec: TableSpec, op: Upsert, on: Unique | None, incoming: Record, beside: Collection[tuple[str, Key]]
    ) -> Stored | None:
        attempts = Attempts(self._store.runtime, f"upsert of {spec.name} {key_in(spec, incoming)}")
        while True:
            try:
                stored = await self._met(spec, on, incoming)
                if op.expect is not None and op.expect != (ABSENT if stored is None else stored.version):
                    return None
                if stored is not None and op.guard is not None and not op.guard.admits(stored.record, incoming):
                    return None
                after = await self._after(spec, op, stored, incoming, beside)
                if stored is not None and is_unchanged(stored.record, after):
                    return stored
                return Stored(after, await self._writing.write(spec, stored, after))
            except Lost:
                await attempts.again()
            except Duplicate as taken:
                # In the set it is identified by: then another writer inserts the record to merge into.
                if on is None or not await self._is_about(taken, spec, on, incoming):
                    raise
                await attempts.again()

    async def _is_about(self, taken: Duplicate, spec: TableSpec, on: Unique, incoming: Record) -> bool:
        """Whether it is the set `on` whose values are taken."""
        if taken.columns:
            return taken.columns == on.columns
        return await self._reservations.holder(spec, on, incoming) is not None

    async def _met(self, spec: TableSpec, on: Unique | None, incoming: Record) -> Stored | None:
        """The stored record that the incoming one is merged into."""
        if on is None:
            return await self._reading.current(spec.name, key_in(spec, incoming))
        met = await self._reservations.holder(spec, on, incoming)
        if met is not None:
            return met
        same_key = await self._reading.current(spec.name, key_in(spec, incoming))
        if same_key is None:
            return None
        values = unique_values(on, incoming)
        if values is None or unique_values(on, same_key.record) != values:
            raise duplicate(spec.name, spec.key)
        return same_key

    async def _after(
        self,
        spec: TableSpec,
        op: Upsert,
        stored: Stored | None,
        incoming: Record,
        beside: Collection[tuple[str, Key]],
    ) -> Record:
        if stored is None:
            await self._writing.check_parents(spec, None, incoming, beside=beside)
            return await self._positions.decided(spec, op.rules, incoming, None)
        incoming = await self._positions.decided(spec, op.rules, incoming, stored.record)
        after = completed(spec, merged(stored.record, incoming, op.rules))
        if key_in(spec, after) != key_in(spec, stored.record):
            raise StoreError(f"{spec.name}: an upsert cannot change the key of the record it found")
        await self._writing.check_parents(spec, stored.record, after, beside=beside)
        return after


def _one_for_each_parent(spec: TableSpec, records: list[Record]) -> list[Record]:
    """Records that name between them every parent that any of them names."""
    parents = [parent for parent in spec.parents if parent.enforced]
    by_parents = {tuple(named_parent(parent, record) for parent in parents): record for record in records}
    return list(by_parents.values())


def _identity(spec: TableSpec, on: tuple[str, ...]) -> Unique | None:
    """The unique set that identifies records; `None` for the key."""
    if not on or on == spec.key:
        return None
    for unique in uniques_of(spec):
        if unique.columns == on:
            return unique
    raise StoreError(f"{spec.name} has no unique set ({', '.join(on)}) to find records by")
