"""Unique sets on a store that knows only keys: the values of a set are reserved under a key made of them.

Taking values is three conditional writes: reserve, write the record, confirm. The reservation's version changes with
each, so of two writers that saw the same reservation one loses. A reservation whose holder does not have the values
(its writer crashed, or the record is gone) is taken over, an unconfirmed one after `GRACE`. Its writer does not begin
to write the record when `LEASE` is over, so that whoever reads the record will find it again. The rest is for a write
that the database carries out `GRACE - LEASE` after it was sent: its confirmation fails and the record is taken back,
and may have been seen; should its writer crash before that, two records with the same values remain.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from dbrouter.backends.kernel.codec import decode, encode
from dbrouter.backends.kernel.completing import key_in
from dbrouter.backends.kernel.duplicates import duplicate, unique_values, uniques_of
from dbrouter.backends.kernel.emulation.internal_tables import RESERVATIONS
from dbrouter.backends.kernel.emulation.reading import Reading
from dbrouter.backends.kernel.errors import Conflict, Duplicate
from dbrouter.backends.kernel.filters import all_of, eq
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import ABSENT, Absent, Commit, Get, Key, Put, Remove, Stored, Version
from dbrouter.backends.kernel.racing import Lost
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.kernel.tables import TableSpec, Unique

LEASE = 1.0
"""Seconds after reserving in which a writer may begin to write the record; later it reserves anew."""
GRACE = 3.0
"""Seconds that a writer between reserving and writing is left alone. That one record has the values does not depend on
it: it is what nobody sees of a record that will be taken back."""
PAUSE = 0.05
"""Seconds between two looks at a writer that is left alone."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """Values that a record is about to take. expect: the version of the reservation they are under now."""

    id: str
    holder: str
    unique: Unique
    expect: Version | Absent

    def put(self, *, confirmed: bool) -> Put:
        """The write that takes the values, or takes them anew. confirmed: the record is written by then."""
        record = {"id": self.id, "holder": self.holder, "confirmed": confirmed}
        return Put(table=RESERVATIONS.name, record=record, expect=self.expect)


class Reservations:
    """Keeps unique sets, unless the store does."""

    def __init__(self, store: Store, reading: Reading) -> None:
        self._store = store
        self._reading = reading
        self._needed = not store.capabilities.uniques

    async def wanted(
        self, spec: TableSpec, before: Record | None, after: Record, *, freed: Collection[str] = ()
    ) -> list[Reservation]:
        """What the record newly takes. Raises `Duplicate` if another record has it.

        freed: the reservations that the same commit gives up.
        """
        holder = _text(key_in(spec, after))
        wanted: list[Reservation] = []
        for unique in self._uniques(spec):
            values = unique_values(unique, after)
            if values is None or (before is not None and unique_values(unique, before) == values):
                continue
            identity = _id(spec, unique, values)
            found = await self._find(identity)
            if found is not None and found.record["holder"] != holder and identity not in freed:
                await self._refuse_if_held(spec, unique, found)
            wanted.append(Reservation(identity, holder, unique, ABSENT if found is None else found.version))
        return wanted

    async def given_up(self, spec: TableSpec, before: Record | None, after: Record | None) -> list[Remove]:
        """The removals, once the record is written, of what it no longer takes.

        Read before the record is written: a writer that takes the values again changes the version.
        """
        removes: list[Remove] = []
        if before is None:
            return removes
        for unique in self._uniques(spec):
            values = unique_values(unique, before)
            if values is None or (after is not None and unique_values(unique, after) == values):
                continue
            found = await self._find(_id(spec, unique, values))
            if found is not None and found.record["holder"] == _text(key_in(spec, before)):
                removes.append(Remove(table=RESERVATIONS.name, key=(found.record["id"],), expect=found.version))
        return removes

    @asynccontextmanager
    async def reserved(self, wanted: Sequence[Reservation]) -> AsyncGenerator[list[Reservation]]:
        """The reservations as they are after taking them, one by one, for writing the record within.

        Raises `Lost`. What was taken is given up if the record is not written.
        """
        began = time.monotonic()
        taken: list[Reservation] = []
        try:
            for each in wanted:
                taken.append(await self._take(each, confirmed=False))
            _be_in_time(began)
            yield taken
        except (Lost, Duplicate):
            # Only what was not there before: another writer of the same record may count on the rest.
            new = [mine for mine, each in zip(taken, wanted, strict=False) if each.expect is ABSENT]
            await self.release([Remove(table=RESERVATIONS.name, key=(each.id,), expect=each.expect) for each in new])
            raise

    async def confirm(self, reserved: Sequence[Reservation]) -> Unique | None:
        """The unique set that was lost to another record meanwhile, if one was."""
        for each in reserved:
            pending = each
            while True:
                try:
                    await self._take(pending, confirmed=True)
                    break
                except Lost:
                    found = await self._find(each.id)
                    if found is not None and found.record["holder"] != each.holder:
                        return each.unique
                    # Another writer of the same record took it again, or removed it.
                    version = ABSENT if found is None else found.version
                    pending = Reservation(each.id, each.holder, each.unique, version)
        return None

    async def release(self, removes: Sequence[Remove]) -> None:
        """Give up what was read for that. What was taken again meanwhile stays."""
        for remove in removes:
            try:
                await self._store.execute(Commit(writes=(remove,)))
            except Conflict:
                continue

    async def holder(self, spec: TableSpec, unique: Unique, record: Record) -> Stored | None:
        """The record that has the same values in the unique set, and keeps them. Raises `Lost`."""
        values = unique_values(unique, record)
        if values is None:
            return None
        if not self._needed:
            return await self._scanned(spec, unique, values)
        found = await self._find(_id(spec, unique, values))
        stored = None if found is None else await self._holding(spec, found)
        if found is None or stored is None or unique_values(unique, stored.record) != values:
            return None
        if not found.record["confirmed"]:
            # Or its values could still be taken over, and what is merged into it would be lost.
            reservation = Reservation(found.record["id"], found.record["holder"], unique, found.version)
            await self._take(reservation, confirmed=True)
        return stored

    async def _scanned(self, spec: TableSpec, unique: Unique, values: tuple[Any, ...]) -> Stored | None:
        equal = all_of(*(eq(column, value) for column, value in zip(unique.columns, values, strict=True)), unique.where)
        keys = await self._reading.keys(spec.name, equal)
        return await self._reading.current(spec.name, keys[0]) if keys else None

    def _uniques(self, spec: TableSpec) -> tuple[Unique, ...]:
        return uniques_of(spec) if self._needed else ()

    async def _find(self, identity: str) -> Stored | None:
        return await self._store.execute(Get(table=RESERVATIONS.name, key=(identity,), versioned=True))

    async def _holding(self, spec: TableSpec, reservation: Stored) -> Stored | None:
        key = tuple(decode(reservation.record["holder"]))
        return await self._store.execute(Get(table=spec.name, key=key, versioned=True))

    async def _refuse_if_held(self, spec: TableSpec, unique: Unique, reservation: Stored) -> None:
        waited = 0.0
        while not await self._is_held(spec, unique, reservation):
            if reservation.record["confirmed"] or waited >= GRACE:
                return
            # Its writer may be between reserving and writing: one that lives is done after a moment.
            await self._store.runtime.sleep(PAUSE)
            waited += PAUSE
            again = await self._find(reservation.record["id"])
            if again is None or again.version != reservation.version:
                raise Lost
        raise duplicate(spec.name, unique.columns)

    async def _is_held(self, spec: TableSpec, unique: Unique, reservation: Stored) -> bool:
        stored = await self._holding(spec, reservation)
        if stored is None:
            return False
        values = unique_values(unique, stored.record)
        return values is not None and _id(spec, unique, values) == reservation.record["id"]

    async def _take(self, wanted: Reservation, *, confirmed: bool) -> Reservation:
        try:
            (version,) = await self._store.execute(Commit(writes=(wanted.put(confirmed=confirmed),)))
        except (Conflict, Duplicate) as race:
            raise Lost from race
        return Reservation(wanted.id, wanted.holder, wanted.unique, version)


def _be_in_time(began: float) -> None:
    if time.monotonic() - began > LEASE:
        raise Lost


def _id(spec: TableSpec, unique: Unique, values: tuple[object, ...]) -> str:
    return _text((spec.name, unique.name, values))


def _text(values: Key) -> str:
    return encode(values)
