"""Commits: all writes of an op in one request, each under its condition. Imports the vendor's client.

No transaction: it would take three requests and hold locks, and contended ones starve. A version is the time of the
document's last change, and Firestore compares it when it writes.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from dbrouter.backends.firestore import messages
from dbrouter.backends.firestore.addresses import MARKS, Place
from dbrouter.backends.firestore.errors import Taken
from dbrouter.backends.firestore.exchange import AWAY, Exchange, Patience
from dbrouter.backends.firestore.layout import COLUMNS, COUNT, FITS, PART_OF, WRITTEN, Layout, Shape
from dbrouter.backends.firestore.messages import Found
from dbrouter.backends.firestore.reading import Reading, part_names, version
from dbrouter.backends.kernel.deadline import Deadline
from dbrouter.backends.kernel.emulation.at_once import at_once
from dbrouter.backends.kernel.emulation.layouts import Layouts
from dbrouter.backends.kernel.errors import Conflict, StoreError, TooLarge, Unavailable
from dbrouter.backends.kernel.ops import ABSENT, Absent, Check, Commit, Key, Put, Version
from dbrouter.backends.kernel.writes import Asked, asked, of_each_record

MOST_BYTES = 3_500_000
"""Of documents in one commit. Firestore takes 10 MiB, its emulator 4."""
SMALL = 20_000
"""What records are brought down to where those of one commit are too large together."""
RACES = 16
STATE = [f"{COLUMNS}.{COUNT}", f"{COLUMNS}.{WRITTEN}"]
"""The fields that tell a version."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What becomes of one document. shape: what is to be stored, if something is. splits: whether it may have parts."""

    asked: Asked
    name: str
    shape: Shape | None
    splits: bool


class Writing:
    """Writes the records of one place."""

    def __init__(self, exchange: Exchange, place: Place, layouts: Layouts[Layout], reading: Reading) -> None:
        self._exchange = exchange
        self._place = place
        self._layouts = layouts
        self._reading = reading

    async def commit(self, op: Commit, deadline: Deadline) -> tuple[Version | None, ...]:
        """Each put's new version."""
        writes = [asked(self._layouts[write.table].spec, write) for write in op.writes]
        planned = self._planned(of_each_record(writes))
        written = secrets.token_bytes(9)
        ahead = await self._ahead(planned, written, deadline)
        try:
            versions = await self._committed(planned, written, deadline, ahead=bool(ahead))
            return tuple(versions[each.record] if isinstance(each.write, Put) else None for each in writes)
        except Unavailable:
            # It may have happened: then the parts are needed.
            raise
        except StoreError:
            await self._forget(ahead, deadline)
            raise

    async def mark(self, collections: Sequence[str], deadline: Deadline) -> None:
        """Note that these tables exist."""
        writes = [messages.setting(self._place.document(MARKS, each), {WRITTEN: b"1"}) for each in collections]
        await self._exchange.commit(writes, deadline)

    def _planned(self, records: Sequence[Asked]) -> list[Planned]:
        planned = [self._plan(each, FITS) for each in records]
        if _size(planned) > MOST_BYTES:
            planned = [self._plan(each, SMALL) for each in records]
            if (size := _size(planned)) > MOST_BYTES:
                raise TooLarge(
                    f"{self._exchange.target.place}: an atomic commit of {len(records)} records with {size:,} bytes is "
                    "more than Firestore takes; nothing was written: write fewer at once"
                )
        return planned

    def _plan(self, asked: Asked, fits: int) -> Planned:
        layout = self._layouts[asked.write.table]
        shape = None if asked.values is None else layout.shaped(asked.values, fits)
        return Planned(asked, self._reading.name(layout, asked.key), shape, layout.splits)

    async def _ahead(self, planned: Sequence[Planned], written: bytes, deadline: Deadline) -> list[str]:
        """Write the parts that do not fit the commit: nobody finds them before their record is there."""
        parts = self._parts(planned, written)
        if not parts or _size(planned) + sum(map(len, parts.values())) <= MOST_BYTES:
            return []
        loads: list[dict[str, bytes]] = [{}]
        for name, part in parts.items():
            if sum(map(len, loads[-1].values())) + len(part) > MOST_BYTES:
                loads.append({})
            loads[-1][name] = part
        try:
            sending = [partial(self._exchange.commit, _kept(load), deadline) for load in loads]
            await at_once(self._exchange.runtime, sending)
        except StoreError:
            await self._forget(list(parts), deadline)
            raise
        return list(parts)

    async def _forget(self, parts: Sequence[str], deadline: Deadline) -> None:
        """Remove parts that no record has. If that fails too, they stay, and nobody finds them."""
        if not parts:
            return
        try:
            await self._exchange.commit([messages.deleting(each) for each in parts], deadline)
        except StoreError:
            return

    async def _committed(
        self, planned: Sequence[Planned], written: bytes, deadline: Deadline, *, ahead: bool
    ) -> dict[tuple[str, Key], Version]:
        """The version of each record that is put."""
        beside = {} if ahead else self._parts(planned, written)
        patience = Patience(self._exchange.runtime, deadline)
        while True:
            met = await self._met(planned, deadline)
            writes = [self._write(each, met, written, number) for number, each in enumerate(planned)]
            cleared = [messages.deleting(name) for each in planned for name in self._cleared(each, met)]
            try:
                times = await self._send([*writes, *_kept(beside), *cleared], planned, written, deadline)
            except (Conflict, Taken) as lost:
                if met and not self._is_refused(planned, await self._met(planned, deadline, every=True)):
                    # A write without a condition met another writer: it goes on top of that one's.
                    patience.tried += 1
                    if patience.tried <= RACES and not deadline.is_over:
                        continue
                raise await self._refusal(planned, lost, deadline) from lost
            return {
                each.asked.record: _version(times[number], each.shape, _number(written, number))
                for number, each in enumerate(planned)
                if each.shape is not None
            }

    async def _send(
        self, writes: Sequence[Any], planned: Sequence[Planned], written: bytes, deadline: Deadline
    ) -> list[tuple[int, int]]:
        """Each write's time. If it is not known whether they happened, the number that each write has tells."""
        patience = Patience(self._exchange.runtime, deadline)
        unsure: Unavailable | None = None
        while True:
            try:
                return await self._exchange.commit(writes, deadline)
            except Unavailable as error:
                if patience.tried >= AWAY - 1 or deadline.is_over:
                    raise
                unsure = error
                await patience.pause(error)
            except (Conflict, Taken):
                if unsure is None:
                    raise
                times = await self._happened(planned, written, deadline)
                if times is None:
                    raise unsure from None
                return times
            except StoreError as error:
                if unsure is None:
                    raise
                # Nothing was done this time; of the time before nobody knows.
                raise unsure from error

    async def _happened(
        self, planned: Sequence[Planned], written: bytes, deadline: Deadline
    ) -> list[tuple[int, int]] | None:
        names = [each.name for each in planned if each.shape is not None]
        found = await self._exchange.documents(names, deadline, select=STATE) if names else {}
        times: list[tuple[int, int]] = []
        for number, each in enumerate(planned):
            stored = found.get(each.name)
            if each.shape is None:
                times.append((0, 0))
            elif stored is not None and stored.columns[WRITTEN] == _number(written, number):
                times.append(stored.time)
            else:
                return None
        return times if names else None

    async def _met(
        self, planned: Sequence[Planned], deadline: Deadline, *, every: bool = False
    ) -> dict[str, Found | None]:
        """What is stored where a write without a condition could leave parts behind. every: of all writes."""
        names = [each.name for each in planned if every or (each.asked.expect is None and each.splits)]
        if not names:
            return {}
        found = await self._exchange.documents(names, deadline, select=STATE)
        return {name: found.get(name) for name in names}

    def _write(self, planned: Planned, met: Mapping[str, Found | None], written: bytes, number: int) -> Any:
        expect = planned.asked.expect
        if planned.name in met:
            stored = met[planned.name]
            expect = ABSENT if stored is None else version(stored)
        if planned.shape is not None:
            columns = planned.shape.columns | {WRITTEN: _number(written, number)}
            return messages.setting(planned.name, columns, planned.shape.entries, expect=_condition(expect))
        if isinstance(planned.asked.write, Check) and expect is not ABSENT:
            return messages.checking(planned.name, expect[:2])  # type: ignore[index]
        return messages.deleting(planned.name, expect=_condition(expect))

    def _cleared(self, planned: Planned, met: Mapping[str, Found | None]) -> list[str]:
        """The parts of what is there now, which the commit replaces."""
        if isinstance(planned.asked.write, Check):
            return []
        stored = met.get(planned.name)
        expect = version(stored) if stored is not None else planned.asked.expect
        if expect is None or isinstance(expect, Absent):
            return []
        _, _, before, count = expect
        return part_names(self._place, before, count)

    def _parts(self, planned: Sequence[Planned], written: bytes) -> dict[str, bytes]:
        parts: dict[str, bytes] = {}
        for number, each in enumerate(planned):
            if each.shape is not None and each.shape.parts:
                names = part_names(self._place, _number(written, number), len(each.shape.parts))
                parts |= zip(names, each.shape.parts, strict=True)
        return parts

    def _is_refused(self, planned: Sequence[Planned], stored: Mapping[str, Found | None]) -> bool:
        """Whether a condition of the caller's does not hold."""
        expected = [(each.asked.expect, each.name) for each in planned if each.asked.expect is not None]
        return any(expect != _state(stored[name]) for expect, name in expected)

    async def _refusal(self, planned: Sequence[Planned], lost: StoreError, deadline: Deadline) -> StoreError:
        """The error to raise: which record is taken, where one is."""
        new = [each for each in planned if each.shape is not None and each.asked.expect is ABSENT]
        if isinstance(lost, Taken) and new:
            if len(planned) == 1:
                return new[0].asked.refusal(lost)
            there = await self._exchange.documents([each.name for each in new], deadline, select=STATE)
            for each in new:
                if each.name in there:
                    return each.asked.refusal(lost)
        return Conflict(f"{planned[0].asked.write.table}: {lost}; nothing was written")


def _size(planned: Sequence[Planned]) -> int:
    """Bytes of the documents, without parts."""
    return sum(each.shape.size for each in planned if each.shape is not None)


def _kept(parts: Mapping[str, bytes]) -> list[Any]:
    return [messages.setting(name, {PART_OF: part}) for name, part in parts.items()]


def _number(written: bytes, number: int) -> bytes:
    """What tells this write of a commit from all others."""
    return written + number.to_bytes(3, "big")


def _version(time: tuple[int, int], shape: Shape, number: bytes) -> Version:
    return (*time, number if shape.parts else b"", len(shape.parts))


def _state(stored: Found | None) -> Version | Absent:
    return ABSENT if stored is None else version(stored)


def _condition(expect: Version | Absent | None) -> Any:
    if expect is None:
        return None
    return messages.there(exists=False) if expect is ABSENT else messages.at(expect[:2])
