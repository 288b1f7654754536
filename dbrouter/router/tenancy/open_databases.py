"""Tenants' own databases: opened when they are used, the least used closed when too many are open."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from dbrouter.backends.kernel.capabilities import EVERYTHING_NATIVE, Capabilities
from dbrouter.backends.kernel.errors import Throttled
from dbrouter.backends.kernel.forking import begins_anew_in_a_child
from dbrouter.backends.kernel.ops import Op
from dbrouter.backends.kernel.running import Runtime
from dbrouter.backends.kernel.store import Store

R = TypeVar("R")

MOST = 64
PATIENCE = 10.0
"""Seconds that a call waits for another database to have no call under way, so that it can be closed."""
PAUSE = 0.005

logger = logging.getLogger("dbrouter.tenancy")


@dataclass(slots=True)
class Opened:
    """An open database, and how many calls are under way in it."""

    store: Store
    under_way: int = 0


_Entries: TypeAlias = "OrderedDict[str, Opened]"
"""Name -> open database, the least recently used first."""

_Loop: TypeAlias = "asyncio.AbstractEventLoop | None"

_Named: TypeAlias = tuple[str, Store]


class OpenDatabases:
    """At most so many databases at once; a database with a call under way is never closed.

    Connections of async stores belong to an event loop, and only there can they be closed: each loop has databases of
    its own. open_: opens a configured database by its name; nothing is sent yet. runtime: how calls wait.
    """

    def __init__(self, open_: Callable[[str], Store], *, runtime: Runtime, most: int = MOST) -> None:
        self.runtime = runtime
        self._make = open_
        self._most = most
        self._loops: dict[_Loop, _Entries] = {}
        self._unclosed: deque[tuple[_Loop, _Named]] = deque()
        self.begin_anew()
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """No call is under way: those of a forked process are its parent's."""
        self._lock = threading.Lock()
        self._left: deque[Opened] = deque()
        for entries in self._loops.values():
            for entry in entries.values():
                entry.under_way = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Those that are open here, the least recently used first."""
        with self._lock:
            return tuple(self._loops.get(self._loop(), ()))

    def named(self, name: str) -> Store:
        """The database of that name, which each call opens if it is not open."""
        return OpenedOnUse(self, name)

    def physical_name(self, name: str, table: str) -> str:
        """What a table is called in the database of that name."""
        with self._lock:
            entry = next((each[name] for each in self._loops.values() if name in each), None)
        # A store that nobody asks anything is not open.
        return (self._make(name) if entry is None else entry.store).physical_name(table)

    async def enter(self, name: str) -> Opened:
        """The open database, which stays open until `leave`. `Throttled` if all that may be open stay busy."""
        waited = 0.0
        while True:
            entry, idle = self._entered(name)
            try:
                for failed, failure in await self._close_each(idle):
                    # Whose call it was has nothing to do with this database.
                    logger.warning("%s: could not be closed: %s", failed, failure)
            except BaseException:
                if entry is not None:
                    self.leave(entry)
                raise
            if entry is not None:
                return entry
            if waited >= PATIENCE:
                raise Throttled(
                    f"{name}: {self._most} other databases of tenants had calls under way for {PATIENCE:g} s; "
                    f"raise tenancy.open_databases"
                )
            await self.runtime.sleep(PAUSE)
            waited += PAUSE

    def leave(self, entry: Opened) -> None:
        """A call is over; it is counted when somebody next needs to know.

        The garbage collector ends calls that nobody awaits any more, in the middle of anything, also of what holds the
        lock: so leaving never waits for it, and does not ask which event loop this is.
        """
        self._left.append(entry)

    async def close(self) -> None:
        """Close all that this loop has open. One that fails does not keep the others open."""
        with self._lock:
            self._count()
            loop = self._loop()
            entries = self._loops.get(loop, OrderedDict())
            stores = [(name, entry.store) for name, entry in entries.items()]
            # Those with a call under way stay known, so that its end is noticed; they open again when used.
            for name in [name for name, entry in entries.items() if not entry.under_way]:
                del entries[name]
            stores += [*self._of_closed_loops(), *self._cut_short(loop)]
        for _, failure in await self._close_each(stores):
            raise failure

    async def _close_each(self, stores: Iterable[_Named]) -> list[tuple[str, Exception]]:
        """Close these, which nobody finds any more. What a cancellation leaves open, the next call closes."""
        loop = self._loop()
        failures: list[tuple[str, Exception]] = []
        waiting = deque(stores)
        try:
            while waiting:
                name, store = waiting[0]
                try:
                    await store.close()
                except Exception as failure:  # noqa: BLE001  # the caller's to tell when all are closed
                    failures.append((name, failure))
                waiting.popleft()
        finally:
            self._unclosed.extend((loop, each) for each in waiting)
        return failures

    def _entered(self, name: str) -> tuple[Opened | None, list[_Named]]:
        """The database if it is or may be opened, and others that have to be closed for it."""
        with self._lock:
            self._count()
            loop = self._loop()
            entries = self._loops.setdefault(loop, OrderedDict())
            entry = entries.get(name)
            idle: list[_Named] = []
            if entry is None:
                is_full = len(entries) >= self._most
                least_used = next((each for each, one in entries.items() if not one.under_way), None)
                if is_full and least_used is None:
                    return None, idle
                # It may fail: nothing is taken out before.
                entry = entries[name] = Opened(self._make(name))
                if is_full and least_used is not None:
                    idle.append((least_used, entries.pop(least_used).store))
            entry.under_way += 1
            entries.move_to_end(name)
            if self._unclosed or len(self._loops) > 1:
                idle += [*self._cut_short(loop), *self._of_closed_loops()]
            return entry, idle

    def _count(self) -> None:
        """Notice the calls that are over. Under the lock."""
        while self._left:
            entry = self._left.popleft()
            if entry.under_way:
                entry.under_way -= 1

    def _cut_short(self, loop: _Loop) -> list[_Named]:
        """What was not closed to its end on this loop, or on one that is closed. Under the lock."""
        found: list[_Named] = []
        for _ in range(len(self._unclosed)):
            where, named = self._unclosed.popleft()
            if where is loop or (where is not None and where.is_closed()):
                found.append(named)
            else:
                self._unclosed.append((where, named))
        return found

    def _of_closed_loops(self) -> list[_Named]:
        """What loops that are closed have left open. Under the lock."""
        closed = [loop for loop in self._loops if loop is not None and loop.is_closed()]
        return [(name, entry.store) for loop in closed for name, entry in self._loops.pop(loop).items()]

    def _loop(self) -> _Loop:
        return None if self.runtime.blocking else asyncio.get_running_loop()


class OpenedOnUse:
    """A store over one of them."""

    def __init__(self, databases: OpenDatabases, name: str) -> None:
        self.runtime: Runtime = databases.runtime
        self._databases = databases
        self._name = name

    @property
    def capabilities(self) -> Capabilities:
        """Everything: each database stands behind the kernel's emulation."""
        return EVERYTHING_NATIVE

    async def execute(self, op: Op[R], /) -> R:
        """The database's answer."""
        entry = await self._databases.enter(self._name)
        try:
            return await entry.store.execute(op)
        finally:
            self._databases.leave(entry)

    async def existing_tables(self) -> frozenset[str]:
        """The database's."""
        entry = await self._databases.enter(self._name)
        try:
            return await entry.store.existing_tables()
        finally:
            self._databases.leave(entry)

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        """As the database does."""
        entry = await self._databases.enter(self._name)
        try:
            await entry.store.create_tables(tables)
        finally:
            self._databases.leave(entry)

    def physical_name(self, table: str) -> str:
        """The database's."""
        return self._databases.physical_name(self._name, table)

    async def ping(self) -> None:
        """As the database does."""
        entry = await self._databases.enter(self._name)
        try:
            await entry.store.ping()
        finally:
            self._databases.leave(entry)

    @asynccontextmanager
    async def held(self) -> AsyncGenerator[Store]:
        """The database itself, which stays open meanwhile."""
        entry = await self._databases.enter(self._name)
        try:
            yield entry.store
        finally:
            self._databases.leave(entry)

    async def close(self) -> None:
        """Do nothing: it is closed with the others."""
