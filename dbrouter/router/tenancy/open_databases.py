"""Tenants' own databases: opened when they are used, the least used closed when too many are open."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
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
class _Entry:
    store: Store
    under_way: int = 0


_Entries: TypeAlias = "OrderedDict[str, _Entry]"
"""Name -> open database, the least recently used first."""


class OpenDatabases:
    """At most so many databases at once; a database with a call under way is never closed.

    Connections of async stores belong to an event loop, and only there can they be closed: each loop has databases of
    its own. open_: opens a configured database by its name; nothing is sent yet. runtime: how calls wait.
    """

    def __init__(self, open_: Callable[[str], Store], *, runtime: Runtime, most: int = MOST) -> None:
        self.runtime = runtime
        self._make = open_
        self._most = most
        self._loops: dict[asyncio.AbstractEventLoop | None, _Entries] = {}
        self.begin_anew()
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """No call is under way: those of a forked process are its parent's."""
        self._lock = threading.Lock()
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

    async def enter(self, name: str) -> Store:
        """The open store, which stays open until `leave`. `Throttled` if all that may be open stay busy."""
        waited = 0.0
        while True:
            store, idle = self._entered(name)
            for each in idle:
                await _close(*each)
            if store is not None:
                return store
            if waited >= PATIENCE:
                raise Throttled(
                    f"{name}: {self._most} other databases of tenants had calls under way for {PATIENCE:g} s; "
                    f"raise tenancy.open_databases"
                )
            await self.runtime.sleep(PAUSE)
            waited += PAUSE

    def leave(self, name: str) -> None:
        """A call is over."""
        with self._lock:
            entry = self._loops.get(self._loop(), {}).get(name)
            if entry is not None and entry.under_way:
                entry.under_way -= 1

    async def close(self) -> None:
        """Close all that this loop has open. One that fails does not keep the others open."""
        with self._lock:
            entries = self._loops.get(self._loop(), OrderedDict())
            stores = [entry.store for entry in entries.values()]
            # Those with a call under way stay known, so that its end is noticed; they open again when used.
            for name in [name for name, entry in entries.items() if not entry.under_way]:
                del entries[name]
            stores += [store for _, store in self._of_closed_loops()]
        failures: list[Exception] = []
        for store in stores:
            try:
                await store.close()
            except Exception as failure:  # noqa: BLE001  # raised when all are closed
                failures.append(failure)
        if failures:
            raise failures[0]

    def _entered(self, name: str) -> tuple[Store | None, list[tuple[str, Store]]]:
        """The store if it is or may be opened, and others that have to be closed for it."""
        with self._lock:
            loop = self._loop()
            entries = self._loops.get(loop)
            if entries is None:
                idle = self._of_closed_loops()
                entries = self._loops[loop] = OrderedDict()
            else:
                idle = []
            entry = entries.get(name)
            if entry is not None:
                entry.under_way += 1
                entries.move_to_end(name)
                return entry.store, idle
            if len(entries) >= self._most:
                least_used = next((each for each, entry in entries.items() if not entry.under_way), None)
                if least_used is None:
                    return None, idle
                idle.append((least_used, entries.pop(least_used).store))
            entry = entries[name] = _Entry(self._make(name), under_way=1)
            return entry.store, idle

    def _of_closed_loops(self) -> list[tuple[str, Store]]:
        """What loops that are closed have left open. Under the lock."""
        closed = [loop for loop in self._loops if loop is not None and loop.is_closed()]
        return [(name, entry.store) for loop in closed for name, entry in self._loops.pop(loop).items()]

    def _loop(self) -> asyncio.AbstractEventLoop | None:
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
        store = await self._databases.enter(self._name)
        try:
            return await store.execute(op)
        finally:
            self._databases.leave(self._name)

    async def existing_tables(self) -> frozenset[str]:
        """The database's."""
        store = await self._databases.enter(self._name)
        try:
            return await store.existing_tables()
        finally:
            self._databases.leave(self._name)

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        """As the database does."""
        store = await self._databases.enter(self._name)
        try:
            await store.create_tables(tables)
        finally:
            self._databases.leave(self._name)

    def physical_name(self, table: str) -> str:
        """The database's."""
        return self._databases.physical_name(self._name, table)

    async def ping(self) -> None:
        """As the database does."""
        store = await self._databases.enter(self._name)
        try:
            await store.ping()
        finally:
            self._databases.leave(self._name)

    @asynccontextmanager
    async def held(self) -> AsyncGenerator[Store]:
        """The database itself, which stays open meanwhile."""
        store = await self._databases.enter(self._name)
        try:
            yield store
        finally:
            self._databases.leave(self._name)

    async def close(self) -> None:
        """Do nothing: it is closed with the others."""


async def _close(name: str, store: Store) -> None:
    try:
        await store.close()
    except Exception as failure:  # noqa: BLE001  # whose call it was has nothing to do with this database
        logger.warning("%s: could not be closed: %s", name, failure)
