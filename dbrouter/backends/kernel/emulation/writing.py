"""One record written or removed as its table declares: parents checked, unique values taken, children gone first."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from dbrouter.backends.kernel.codec import encode
from dbrouter.backends.kernel.completing import key_in
from dbrouter.backends.kernel.duplicates import duplicate, unique_values, uniques_of
from dbrouter.backends.kernel.emulation.reading import Reading
from dbrouter.backends.kernel.emulation.reservations import Reservation, Reservations
from dbrouter.backends.kernel.errors import Conflict, Duplicate
from dbrouter.backends.kernel.filters import all_of, eq
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import ABSENT, Commit, Get, Key, Put, Remove, Scan, Stored, Version
from dbrouter.backends.kernel.racing import Attempts, Lost
from dbrouter.backends.kernel.relating import missing_parent, named_parent
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.kernel.tables import Parent, TableSpec, Unique


class Writing:
    """Writes single records over conditional puts."""

    def __init__(self, store: Store, reading: Reading, reservations: Reservations) -> None:
        self._store = store
        self._reading = reading
        self._reservations = reservations

    async def write(self, spec: TableSpec, before: Stored | None, after: Record) -> Version:
        """The version of `after`, written over exactly `before` (`None`: over nothing).

        Check parents before. Raises `Lost` if another writer came first, `Duplicate` if a unique value is taken.
        """
        old = None if before is None else before.record
        wanted = await self._reservations.wanted(spec, old, after)
        leftover = await self._reservations.given_up(spec, old, after)
        put = Put(table=spec.name, record=after, expect=ABSENT if before is None else before.version)
        if self._store.capabilities.commits or not (wanted or leftover):
            return await self._put(
                spec, before, after, (put, *(each.put(confirmed=True) for each in wanted), *leftover)
            )
        async with self._reservations.reserved(wanted) as reserved:
            version = await self._put(spec, before, after, (put,))
        await self._confirm(spec, before, Stored(after, version), reserved)
        await self._reservations.release(leftover)
        return version

    async def check_parents(
        self,
        spec: TableSpec,
        before: Record | None,
        after: Record,
        *,
        beside: Collection[tuple[str, Key]] = (),
        going: Collection[tuple[str, Key]] = (),
    ) -> None:
        """Raise `MissingParent` if a parent that the record newly names is not stored, nor written in the same commit.

        beside: the records that the commit writes. going: those that it removes.
        """
        if self._store.capabilities.parents:
            return
        for parent in spec.parents:
            named = named_parent(parent, after) if parent.enforced else None
            if named is None or (before is not None and named_parent(parent, before) == named):
                continue
            if (parent.table, named) in beside:
                continue
            if (parent.table, named) in going or not await self._is_stored(parent, named):
                raise missing_parent(spec.name, parent, named)

    async def _is_stored(self, parent: Parent, named: tuple[Any, ...]) -> bool:
        spec = self._reading.spec(parent.table)
        if parent.references == spec.key:
            return await self._store.execute(Get(table=parent.table, key=named)) is not None
        where = all_of(*(eq(column, value) for column, value in zip(parent.references, named, strict=True)))
        found = await self._reading.scan(Scan(table=parent.table, where=where, columns=spec.key, limit=1))
        return bool(found.records)

    async def _put(
        self, spec: TableSpec, before: Stored | None, after: Record, writes: Sequence[Put | Remove]
    ) -> Version:
        try:
            return (await self._store.execute(Commit(writes=tuple(writes))))[0]
        except Conflict as race:
            raise Lost from race
        except Duplicate as taken:
            # The key, or one of several writes, was taken meanwhile; or the store itself keeps the unique set.
            key = key_in(spec, after)
            if len(writes) > 1 or (before is None and await self._reading.current(spec.name, key) is not None):
                raise Lost from taken
            raise

    async def _confirm(
        self, spec: TableSpec, before: Stored | None, written: Stored, reserved: Sequence[Reservation]
    ) -> None:
        lost = await self._reservations.confirm(reserved)
        if lost is not None and await self._take_back(spec, before, written, lost):
            raise duplicate(spec.name, lost.columns)

    async def _take_back(self, spec: TableSpec, before: Stored | None, written: Stored, lost: Unique) -> bool:
        """Undo a write whose unique values went to another record; false if someone has written over it since."""
        key = key_in(spec, written.record)
        values = unique_values(lost, written.record)
        restored = None if before is None else before.record
        attempts = Attempts(self._store.runtime, f"taking back {spec.name} {key}")
        while True:
            undo: Put | Remove = Remove(table=spec.name, key=key, expect=written.version)
            if restored is not None:
                undo = Put(table=spec.name, record=restored, expect=written.version)
            try:
                await self._store.execute(Commit(writes=(undo,)))
            except Conflict:
                await attempts.again()
            else:
                return True
            found = await self._reading.current(spec.name, key)
            if found is None or unique_values(lost, found.record) != values:
                return False
            written = found
            if before is not None:
                # Someone built on the write: what they changed stays, only the unique values go back.
                columns = {column for unique in uniques_of(spec) for column in unique.columns}
                restored = found.record | {column: before.record[column] for column in columns}


def is_unchanged(before: Record, after: Record) -> bool:
    """Whether a write of one over the other would change nothing, down to the types of values."""
    # To Python `True` is 1 and 1.0, and dicts are equal in whatever order they are: what is written tells them apart.
    return before == after and all(encode(before[column]) == encode(value) for column, value in after.items())
