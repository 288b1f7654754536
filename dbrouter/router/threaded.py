"""A blocking store, awaited: its calls run on a bounded pool of threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

from dbrouter.backends.kernel.capabilities import Capabilities
from dbrouter.backends.kernel.forking import begins_anew_in_a_child
from dbrouter.backends.kernel.ops import Op
from dbrouter.backends.kernel.running import AsyncRuntime, Runtime, finish
from dbrouter.backends.kernel.store import Store

T = TypeVar("T")
R = TypeVar("R")

THREADS = 16
"""Calls that one store runs at once; more wait for a thread, as they would for a connection."""


class Threaded:
    """An awaited `Store` over a blocking one, for databases whose client has no async form.

    Context variables reach the threads. A cancelled call stops waiting; what it asked of the database still happens.
    It belongs to no event loop: the same one may serve several, one after another or at once.
    """

    def __init__(self, store: Store, *, threads: int = THREADS) -> None:
        self.runtime: Runtime = AsyncRuntime()
        self.inner = store
        self._threads = threads
        self.begin_anew()
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """Have no threads yet."""
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()

    @property
    def capabilities(self) -> Capabilities:
        """The blocking store's."""
        return self.inner.capabilities

    async def execute(self, op: Op[R], /) -> R:
        """The blocking store's answer."""
        return await self._run(self.inner.execute(op))

    async def existing_tables(self) -> frozenset[str]:
        """Physical names of the tables that exist."""
        return await self._run(self.inner.existing_tables())

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        """Create these tables where they are missing."""
        await self._run(self.inner.create_tables(tables))

    def physical_name(self, table: str) -> str:
        """What the table is called in the blocking store."""
        return self.inner.physical_name(table)

    async def ping(self) -> None:
        """Return if the database answers, else raise `Unavailable`."""
        await self._run(self.inner.ping())

    async def close(self) -> None:
        """Close the blocking store and let the threads end. Both start again when needed."""
        await self._run(self.inner.close())
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            # Calls still under way end on their own; waiting for them here would block the event loop.
            pool.shutdown(wait=False)

    async def _run(self, call: Coroutine[Any, Any, T]) -> T:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="dbrouter-store")
            # Submitted under the lock, so that a closing pool is never given work.
            running = self._pool.submit(copy_context().run, finish, call)
        return await asyncio.wrap_future(running)


def awaited(store: Store) -> Store:
    """The store itself if its calls can be awaited, else the store on threads."""
    return Threaded(store) if store.runtime.blocking else store
