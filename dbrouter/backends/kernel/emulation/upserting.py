"""Upserts over conditional puts: read, merge, write over what was read, else again."""

from __future__ import annotations

from dbrouter.backends.kernel.completing import check_columns, completed, key_in
from dbrouter.backends.kernel.duplicates import duplicate, unique_values, uniques_of
from dbrouter.backends.kernel.emulation.positions import Positions
from dbrouter.backends.kernel.emulation.reading import Reading
from dbrouter.backends.kernel.emulation.reservations import Reservations
from dbrouter.backends.kernel.emulation.retrying import Attempts, Lost
from dbrouter.backends.kernel.emulation.writing import Writing
from dbrouter.backends.kernel.errors import Duplicate, StoreError
from dbrouter.backends.kernel.merging import Record, merged
from dbrouter.backends.kernel.ops import ABSENT, Stored, Upsert
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.kernel.stored_form import as_stored
from dbrouter.backends.kernel.tables import TableSpec, Unique


class Upserting:
    """Answers upserts record by record. Repeating one that failed half-way gives what it would have given."""

    def __init__(
        self, store: Store, reading: Reading, writing: Writing, reservations: Reservations, positions: Positions
    ) -> None:
        self._store = store
        self._reading = reading
        self._writing = writing
        self._reservations = reservations
        self._positions = positions

    async def upsert(self, op: Upsert) -> list[Stored | None]:
        """What is stored now, per record; `None` where the guard or `expect` refused."""
        spec = self._reading.spec(op.table)
        check_columns(spec, op.rules)
        on = _identity(spec, op.on)
        records = [as_stored(spec, record) for record in op.records]
        # What can be refused is refused before the first is written.
        for record in records if len(records) > 1 else ():
            await self._writing.check_parents(spec, None, record)
        answers = [await self._one(spec, op, on, record) for record in records]
        return answers if op.returning else []

    async def _one(self, spec: TableSpec, op: Upsert, on: Unique | None, incoming: Record) -> Stored | None:
        attempts = Attempts(self._store.runtime, f"upsert of {spec.name} {key_in(spec, incoming)}")
        while True:
            try:
                stored = await self._met(spec, on, incoming)
                if op.expect is not None and op.expect != (ABSENT if stored is None else stored.version):
                    return None
                if stored is not None and op.guard is not None and not op.guard.admits(stored.record, incoming):
                    return None
                after = await self._after(spec, op, stored, incoming)
                if stored is not None and after == stored.record:
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

    async def _after(self, spec: TableSpec, op: Upsert, stored: Stored | None, incoming: Record) -> Record:
        if stored is None:
            await self._writing.check_parents(spec, None, incoming)
            return await self._positions.decided(spec, op.rules, incoming, None)
        incoming = await self._positions.decided(spec, op.rules, incoming, stored.record)
        after = completed(spec, merged(stored.record, incoming, op.rules))
        if key_in(spec, after) != key_in(spec, stored.record):
            raise StoreError(f"{spec.name}: an upsert cannot change the key of the record it found")
        await self._writing.check_parents(spec, stored.record, after)
        return after


def _identity(spec: TableSpec, on: tuple[str, ...]) -> Unique | None:
    """The unique set that identifies records; `None` for the key."""
    if not on or on == spec.key:
        return None
    for unique in uniques_of(spec):
        if unique.columns == on:
            return unique
    raise StoreError(f"{spec.name} has no unique set ({', '.join(on)}) to find records by")
