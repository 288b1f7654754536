"""Commits and inserts: one record over conditional puts, several only where the store is atomic over several."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import assert_never

from dbrouter.backends.kernel.completing import changed, key_in
from dbrouter.backends.kernel.duplicates import duplicate
from dbrouter.backends.kernel.emulation.at_once import a_few_at_once
from dbrouter.backends.kernel.emulation.deleting import Deleting
from dbrouter.backends.kernel.emulation.internal_tables import RESERVATIONS
from dbrouter.backends.kernel.emulation.native import Native
from dbrouter.backends.kernel.emulation.reading import Reading
from dbrouter.backends.kernel.emulation.reservations import Reservations
from dbrouter.backends.kernel.emulation.writing import Writing
from dbrouter.backends.kernel.errors import Conflict, Duplicate, Unsupported
from dbrouter.backends.kernel.filters import Filter
from dbrouter.backends.kernel.matching import matches
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import (
    ABSENT,
    Change,
    Check,
    Commit,
    Insert,
    Key,
    Put,
    Remove,
    Require,
    Stored,
    Version,
    Write,
)
from dbrouter.backends.kernel.racing import Attempts, Lost
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.kernel.stored_form import as_stored
from dbrouter.backends.kernel.tables import TableSpec


class Committing:
    """Answers commits and inserts."""

    def __init__(
        self,
        store: Store,
        native: Native,
        reading: Reading,
        writing: Writing,
        deleting: Deleting,
        reservations: Reservations,
    ) -> None:
        self._store = store
        self._native = native
        self._reading = reading
        self._writing = writing
        self._deleting = deleting
        self._reservations = reservations

    async def insert(self, op: Insert) -> None:
        """Keep new records, all or none."""
        spec = self._reading.spec(op.table)
        records = [as_stored(spec, record) for record in op.records]
        if len({key_in(spec, record) for record in records}) < len(records):
            raise duplicate(spec.name, spec.key)
        await self.commit(Commit(writes=tuple(Put(table=op.table, record=record, expect=ABSENT) for record in records)))

    async def commit(self, op: Commit) -> tuple[Version | None, ...]:
        """Each put's new version."""
        if not op.writes or self._native.runs(op):
            return await self._store.execute(op) if op.writes else ()
        if len(op.writes) == 1:
            return (await self._one(op.writes[0]),)
        if not self._store.capabilities.commits:
            tables = ", ".join(dict.fromkeys(write.table for write in op.writes))
            families = ", ".join(dict.fromkeys(self._reading.spec(write.table).family for write in op.writes))
            raise Unsupported(
                f"an atomic commit of {len(op.writes)} records ({tables}), but this database commits one record at a "
                f"time; nothing was written: write them one by one, or send {families} to a database with transactions"
            )
        return await self._several(op.writes)

    async def _one(self, asked: Write) -> Version | None:
        attempts = Attempts(self._store.runtime, f"commit to {asked.table}")
        while True:
            before = await self._before(asked)
            write = self._resolved(asked, before)
            self._require(write, before)
            try:
                match write:
                    case Put(table=table, record=record):
                        spec = self._reading.spec(table)
                        after = as_stored(spec, record)
                        await self._writing.check_parents(spec, before.record if before else None, after)
                        version = await self._writing.write(spec, before, after)
                        return version if isinstance(asked, Put) else None
                    case Remove(table=table):
                        if before is not None:
                            await self._deleting.remove(self._reading.spec(table), before)
                        return None
                    case Check():
                        return None
                    case _:
                        assert_never(write)
            except Lost:
                await attempts.again()

    async def _several(self, writes: Sequence[Write]) -> tuple[Version | None, ...]:
        """One commit of the writes and of what the kernel keeps beside them."""
        attempts = Attempts(self._store.runtime, f"commit of {len(writes)} records")
        while True:
            try:
                main, beside = await self._planned(writes)
            except Lost:  # while it waited for who had reserved a value
                await attempts.again()
                continue
            try:
                versions = await self._store.execute(Commit(writes=(*main, *beside)))
                return tuple(
                    version if isinstance(write, Put) else None
                    for write, version in zip(writes, versions, strict=False)
                )
            except (Conflict, Duplicate) as refused:
                # Either what the caller expects is not so, or a race was lost that the kernel can run again.
                for write, before in zip(writes, await self._all_before(writes), strict=True):
                    self._require(self._resolved(write, before), before)
                if (main == list(writes) and not beside) or self._is_final(refused, writes):
                    raise
                await attempts.again()

    def _is_final(self, refused: Conflict | Duplicate, writes: Sequence[Write]) -> bool:
        """Whether it is the store itself that found a unique value taken: no other try would find it free."""
        if not isinstance(refused, Duplicate) or not self._store.capabilities.uniques:
            return False
        keys = {self._reading.spec(write.table).key for write in writes}
        return bool(refused.columns) and refused.columns not in keys

    async def _planned(self, writes: Sequence[Write]) -> tuple[list[Write], list[Put | Remove]]:
        """The writes over exactly what is stored now, and what goes beside them."""
        main: list[Write] = []
        beside: dict[tuple[str, Key], Put | Remove] = {}
        touched = {(write.table, self._key(write)) for write in writes if not isinstance(write, Check | Require)}
        removed = {(write.table, write.key) for write in writes if isinstance(write, Remove)}
        for asked, before in zip(writes, await self._all_before(writes), strict=True):
            write = self._resolved(asked, before)
            self._require(write, before)
            spec = self._reading.spec(write.table)
            match write:
                case Put(record=record):
                    old = None if before is None else before.record
                    after = as_stored(spec, record)
                    await self._writing.check_parents(spec, old, after, beside=touched - removed, going=removed)
                    await self._reserve(spec, old, after, beside)
                    main.append(Put(table=spec.name, record=after, expect=ABSENT if before is None else before.version))
                case Remove() if before is not None:
                    removal = await self._deleting.planned(spec, before, beside=touched)
                    for each in (*removal.descendants, *removal.kept_for_them):
                        if (each.table, each.key) not in touched:
                            beside[each.table, each.key] = each
                    main.append(removal.own)
                case _:
                    main.append(write)
        return main, list(beside.values())

    async def _reserve(
        self, spec: TableSpec, old: Record | None, after: Record, beside: dict[tuple[str, Key], Put | Remove]
    ) -> None:
        """Add what keeps the unique sets. Values that an earlier write of the commit gives up change hands."""
        freed = [key[0] for (_, key), each in beside.items() if isinstance(each, Remove)]
        for each in await self._reservations.wanted(spec, old, after, freed=freed):
            place = (RESERVATIONS.name, (each.id,))
            if isinstance(beside.get(place), Put):
                raise duplicate(spec.name, each.unique.columns)
            beside[place] = each.put(confirmed=True)
        for remove in await self._reservations.given_up(spec, old, after):
            beside[remove.table, remove.key] = remove

    def _resolved(self, write: Write, before: Stored | None) -> Put | Remove | Check:
        """The write in terms of versions: a change of the record that was read, a check of one that was required."""
        match write:
            case Change(table=table, where=where, changes=changes):
                record = self._matching(table, where, before)
                after = changed(self._reading.spec(table), record, changes)
                return Put(table=table, record=after, expect=None if before is None else before.version)
            case Require(table=table, key=key, where=where):
                self._matching(table, where, before)
                return Check(table=table, key=key, expect=ABSENT if before is None else before.version)
            case _:
                return write

    def _matching(self, table: str, where: Filter, before: Stored | None) -> Record:
        if before is None or not matches(where, before.record):
            raise Conflict(f"{table}: the record is not there, or not as the commit needs it; nothing was written")
        return before.record

    async def _all_before(self, writes: Sequence[Write]) -> list[Stored | None]:
        return await a_few_at_once(self._store.runtime, [partial(self._before, write) for write in writes])

    async def _before(self, write: Write) -> Stored | None:
        return await self._reading.current(write.table, self._key(write))

    def _key(self, write: Write) -> Key:
        if isinstance(write, Put):
            spec = self._reading.spec(write.table)
            return key_in(spec, as_stored(spec, write.record))
        return write.key

    def _require(self, write: Put | Remove | Check, before: Stored | None) -> None:
        """Raise as the write does if the stored record is not the expected one."""
        if write.expect is None or write.expect == (ABSENT if before is None else before.version):
            return
        if isinstance(write, Put) and write.expect is ABSENT:
            raise duplicate(write.table, self._reading.spec(write.table).key)
        raise Conflict(f"{write.table}: the stored version is not the expected one; read it again")
