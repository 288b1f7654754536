"""What a tenant may store, family by family: counted on its own tables, so that nothing can drift.

Between two counts a process goes by the last one and what it added itself: see `Account`. Only where an addition does
not fit is the database asked what it really adds, for a record that replaces another is no new row.
"""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.errors import LimitExceeded, StoreError, Unavailable
from dbrouter.backends.kernel.filters import Field
from dbrouter.backends.kernel.forking import begins_anew_in_a_child
from dbrouter.backends.kernel.ops import Aggregate, Computed, Measure, Op, Scan
from dbrouter.backends.kernel.places import Places
from dbrouter.backends.kernel.store import Store
from dbrouter.policies.limits.account import Account, Verdict
from dbrouter.policies.limits.growth import Growth, growths, shrinks
from dbrouter.policies.limits.limits import Limits
from dbrouter.policies.limits.sizes import size_of

COUNT_DEADLINE = 30.0
"""Seconds a call waits for another one's count."""


@dataclass(slots=True)
class _Limit:
    """One limit: the account, and who counts for it."""

    family: str
    unit: str
    account: Account
    counting: Places


@dataclass(slots=True)
class _Entry:
    """What one call has entered, and how much of it."""

    limit: _Limit
    amount: int
    growths: list[Growth] = field(default_factory=list[Growth])


class StoredLimits:
    """The rows and bytes that one tenant may store."""

    def __init__(
        self, tenant: str, limits: Limits, *, blocking: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tenant = tenant
        self._limits = limits
        self._blocking = blocking
        self._clock = clock
        self.begin_anew()
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """Know nothing of what is stored."""
        self._lock = threading.Lock()
        self._of_family: dict[str, list[_Limit]] = {}
        by_unit: dict[str, Mapping[str, int]] = {"rows": self._limits.rows, "bytes": self._limits.bytes}
        for unit, limits in by_unit.items():
            for family, limit in limits.items():
                made = _Limit(family, unit, Account(limit, self._clock), Places(1, blocking=self._blocking))
                self._of_family.setdefault(family, []).append(made)

    @asynccontextmanager
    async def entered(self, op: Op[Any], store: Store) -> AsyncGenerator[None]:
        """While the op is executed on the tenant's store. `LimitExceeded` instead if it would store too much."""
        entries: list[_Entry] = []
        stored = False
        try:
            for entry in self._entries(op):
                await self._enter(entry, store)
                entries.append(entry)
            stored = True
            try:
                yield
            except StoreError as error:
                # A store half-writes nothing; of a database that went away nobody knows.
                stored = isinstance(error, Unavailable)
                raise
        finally:
            with self._lock:
                for entry in entries:
                    entry.limit.account.end(entry.amount, stored=stored)
                for family in shrinks(op):
                    for limit in self._of_family.get(family, ()):
                        limit.account.removed()

    def _entries(self, op: Op[Any]) -> list[_Entry]:
        entries: dict[int, _Entry] = {}
        for growth in growths(op):
            for limit in self._of_family.get(growth.family, ()):
                entry = entries.setdefault(id(limit), _Entry(limit, 0))
                entry.amount += growth.rows if limit.unit == "rows" else growth.bytes
                entry.growths.append(growth)
        return [entry for entry in entries.values() if entry.amount > 0]

    async def _enter(self, entry: _Entry, store: Store) -> None:
        verdict = await self._verdict(entry, store)
        if verdict is Verdict.FITS:
            return
        asked = entry.amount
        entry.amount = sum([await self._really(each, entry.limit.unit, store) for each in entry.growths])
        if entry.amount <= 0:
            entry.amount = 0
            return
        if entry.amount < asked and await self._verdict(entry, store) is Verdict.FITS:
            return
        account = entry.limit.account
        raise LimitExceeded(
            f"tenant {self._tenant!r} stores {account.stored} of {account.limit} {entry.limit.unit} of "
            f"{entry.limit.family}, and this would add {entry.amount}; delete some, or raise the limit"
        )

    async def _verdict(self, entry: _Entry, store: Store) -> Verdict:
        limit = entry.limit
        with self._lock:
            verdict = limit.account.enter(entry.amount)
        if verdict is not Verdict.UNKNOWN:
            return verdict
        if not limit.counting.enter(None) and not await limit.counting.wait(None, COUNT_DEADLINE):
            raise Unavailable(f"{limit.family}: counting what tenant {self._tenant!r} stores took {COUNT_DEADLINE:g} s")
        try:
            with self._lock:
                # Perhaps the one we waited for has found out.
                verdict = limit.account.enter(entry.amount)
                begun = limit.account.begin_count()
            if verdict is not Verdict.UNKNOWN:
                return verdict
            counted = await _counted(limit, store)
            with self._lock:
                limit.account.count(counted, begun)
                return limit.account.enter(entry.amount, just_counted=True)
        finally:
            limit.counting.leave(None)

    async def _really(self, growth: Growth, unit: str, store: Store) -> int:
        """What a part of an op adds, seeing what it replaces."""
        if growth.replaces is None or not growth.written:
            return growth.rows if unit == "rows" else growth.bytes
        if unit == "rows":
            if not growth.rows:
                return 0
            page = await store.execute(Scan(table=growth.table, where=growth.replaces, limit=0, total=True))
            return growth.rows - (page.total or 0)
        page = await store.execute(Scan(table=growth.table, where=growth.replaces, columns=growth.columns))
        times = len(page.records) if growth.everywhere else 1
        return growth.bytes * times - sum(map(size_of, page.records))


async def _counted(limit: _Limit, store: Store) -> int:
    """What the tenant stores of the family now."""
    total = 0
    for spec in TABLES.values():
        if spec.family != limit.family:
            continue
        if limit.unit == "rows":
            measures = (Computed(name="rows", measure=Measure.COUNT),)
        else:
            measures = tuple(
                Computed(name=column.name, measure=Measure.BYTES, field=Field(column.name)) for column in spec.columns
            )
        page = await store.execute(Aggregate(table=spec.name, by={}, measures=measures))
        total += sum(int(value or 0) for record in page.records for value in record.values())
    return total
