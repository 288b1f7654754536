"""The next position within a parent, on a store that cannot lock it: a counter that is compared and set.

A position is given once, even if its writer crashes before it writes; then it stays a gap. Positions that were given
and may not be written yet are remembered beside the counter, so a writer that tries again gets the one it had.
Positions written without the rule `Next` are seen only when a parent's counter starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dbrouter.backends.kernel.codec import decode, encode
from dbrouter.backends.kernel.completing import key_in
from dbrouter.backends.kernel.emulation.at_once import many
from dbrouter.backends.kernel.emulation.internal_tables import POSITIONS
from dbrouter.backends.kernel.emulation.reading import Reading
from dbrouter.backends.kernel.errors import Conflict, Duplicate
from dbrouter.backends.kernel.filters import all_of, eq, is_null
from dbrouter.backends.kernel.merging import Next, Record, Rule
from dbrouter.backends.kernel.ops import ABSENT, Commit, Get, Key, Put, Remove, Scan, Stored
from dbrouter.backends.kernel.racing import Attempts
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.kernel.tables import TableSpec

MOST_REMEMBERED = 32
"""Given positions beside a counter before the older half is looked up, and what is written of it forgotten. The newer
half answers who asks for a position that another writer has just got: all do who write to one parent at once."""


class Positions:
    """Gives positions within parents."""

    def __init__(self, store: Store, reading: Reading) -> None:
        self._store = store
        self._reading = reading

    async def decided(
        self, spec: TableSpec, rules: Mapping[str, Rule], incoming: Record, before: Record | None
    ) -> Record:
        """The incoming record with its positions, where the stored record has none yet."""
        for column, rule in rules.items():
            if isinstance(rule, Next) and (before is None or before[column] is None):
                known = incoming if before is None else before
                parent = tuple(known[each] for each in rule.within)
                key = encode(key_in(spec, known))
                position = await self._give(spec, column, rule.within, parent, key, incoming[column])
                incoming = incoming | {column: position}
        return incoming

    async def _give(
        self, spec: TableSpec, column: str, within: tuple[str, ...], parent: Key, key: str, asked: int | None
    ) -> int:
        identity = _id(spec, within, parent)
        attempts = Attempts(self._store.runtime, f"{spec.name}: the next {column} of {', '.join(within)} {parent!r}")
        while True:
            stored = await self._store.execute(Get(table=POSITIONS.name, key=(identity,), versioned=True))
            counters = {} if stored is None else stored.record["counters"]
            counter: dict[str, Any] | None = counters.get(column)
            written: dict[str, int] | None = None
            if counter is None:
                written = await self._written(spec, column, within, parent)
                counter = {"next": max(written.values(), default=-1) + 1, "given": {}}
            given: dict[str, int] = counter["given"]
            if key in given:
                return given[key]
            position = counter["next"]
            if asked is not None and asked != position and asked not in given.values():
                written = written if written is not None else await self._written(spec, column, within, parent)
                if asked not in written.values():
                    position = asked
            if len(given) >= MOST_REMEMBERED:
                given = await self._without_older(spec, column, given)
            changed = {"next": max(counter["next"], position + 1), "given": given | {key: position}}
            if await self._set(identity, stored, counters | {column: changed}):
                return position
            await attempts.again()

    async def _without_older(self, spec: TableSpec, column: str, given: dict[str, int]) -> dict[str, int]:
        """The given positions without those of the older half that are written."""
        older = sorted(given, key=given.__getitem__)[: MOST_REMEMBERED // 2]
        keys = [tuple(decode(key)) for key in older]
        found = await many(self._store, spec.name, keys, (*spec.key, column), frozenset())
        written = {encode(key_in(spec, record)): record[column] for record in found}
        return {key: at for key, at in given.items() if written.get(key) != at}

    async def _set(self, identity: str, stored: Stored | None, counters: dict[str, Any]) -> bool:
        record = {"id": identity, "counters": counters}
        expect = ABSENT if stored is None else stored.version
        try:
            await self._store.execute(Commit(writes=(Put(table=POSITIONS.name, record=record, expect=expect),)))
        except (Conflict, Duplicate):
            return False
        return True

    async def _written(self, spec: TableSpec, column: str, within: tuple[str, ...], parent: Key) -> dict[str, int]:
        """The positions of the parent's stored records, by key."""
        parts = zip(within, parent, strict=True)
        where = all_of(*(is_null(each) if value is None else eq(each, value) for each, value in parts))
        found = await self._reading.scan(Scan(table=spec.name, where=where, columns=(*spec.key, column)))
        return {encode(key_in(spec, record)): record[column] for record in found.records if record[column] is not None}


def counter_of(spec: TableSpec, within: tuple[str, ...], parent: Key) -> Remove:
    """The removal of a parent's counters."""
    return Remove(table=POSITIONS.name, key=(_id(spec, within, parent),))


def _id(spec: TableSpec, within: tuple[str, ...], parent: Key) -> str:
    return encode((spec.name, within, parent))
