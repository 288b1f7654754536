"""A blocking store, awaited: its calls run on a bounded pool of threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, Self, TypeVar, cast

from dbrouter.backends.kernel.capabilities import Capabilities
from dbrouter.backends.kernel.forking import begins_anew_in_a_child
from dbrouter.backends.kernel.isolation import HasNamespaces, HoldsRowsBack, keeps_apart
from dbrouter.backends.kernel.ops import Op
from dbrouter.backends.kernel.running import AsyncRuntime, Runtime, finish
from dbrouter.backends.kernel.store import Store

T = TypeVar("T")
R = TypeVar("R")

THREADS = 16
"""Calls that one store runs at once; more wait for a thread, as they would for a connection."""


class Threads:
    """A bounded pool, which starts when it is first needed and anew after its end or in a child process."""

    def __init__(self, number: int = THREADS) -> None:
        self._number = number
        self.begin_anew()
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """Have no threads yet."""
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()

    def start(self, call: Callable[[], Coroutine[Any, Any, T]]) -> Future[T]:
        """Run a call that never suspends, in the caller's context."""
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._number, thread_name_prefix="dbrouter-store")
            # Submitted under the lock, so that a closing pool is never given work.
            return self._pool.submit(copy_context().run, _answer, call)

    def end(self) -> None:
        """Let the threads end. Calls still under way end on their own: waiting for them would block an event loop."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False)


class Threaded:
    """An awaited `Store` over a blocking one, for databases whose client has no async form.

    Context variables reach the threads. A cancelled call stops waiting; what it asked of the database still happens.
    It belongs to no event loop: the same one may serve several, one after another or at once.
    """

    def __new__(cls, store: Store, threads: Threads | None = None) -> Self:
        """One that has namespaces, or holds rows back, if the store does."""
        del threads
        return super().__new__(cast("type[Self]", _KINDS[keeps_apart(store)]) if cls is Threaded else cls)

    def __init__(self, store: Store, threads: Threads | None = None) -> None:
        self.runtime: Runtime = AsyncRuntime()
        self.inner = store
        # Those of a parent serve its namespaces and tenants too, and are the parent's to end.
        self._owns = threads is None
        self._threads = threads or Threads()

    @property
    def capabilities(self) -> Capabilities:
        """The blocking store's."""
        return self.inner.capabilities

    async def execute(self, op: Op[R], /) -> R:
        """The blocking store's answer."""
        return await self._run(lambda: self.inner.execute(op))

    async def existing_tables(self) -> frozenset[str]:
        """Physical names of the tables that exist."""
        return await self._run(self.inner.existing_tables)

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        """Create these tables where they are missing."""
        await self._run(lambda: self.inner.create_tables(tables))

    def physical_name(self, table: str) -> str:
        """What the table is called in the blocking store."""
        return self.inner.physical_name(table)

    async def ping(self) -> None:
        """Return if the database answers, else raise `Unavailable`."""
        await self._run(self.inner.ping)

    async def close(self) -> None:
        """Close the blocking store and let the threads end. Both start again when needed."""
        await self._run(self.inner.close)
        if self._owns:
            self._threads.end()

    async def _run(self, call: Callable[[], Coroutine[Any, Any, T]]) -> T:
        return await asyncio.wrap_future(self._threads.start(call))


def _answer(call: Callable[[], Coroutine[Any, Any, T]]) -> T:
    # Made here: a coroutine that is made before its call is cancelled would never be awaited.
    return finish(call())


class _InNamespaces(Threaded):
    """Over a store that has namespaces."""

    def in_namespace(self, namespace: str) -> Store:
        """The store in this namespace, on the same threads."""
        return Threaded(cast("HasNamespaces", self.inner).in_namespace(namespace), self._threads)


class _HoldingRowsBack(Threaded):
    """Over a store whose database holds rows back."""

    def for_rows_of(self, tenant: str) -> Store:
        """The store that sees this tenant's rows only, on the same threads."""
        return Threaded(cast("HoldsRowsBack", self.inner).for_rows_of(tenant), self._threads)


class _InNamespacesHoldingRowsBack(_InNamespaces, _HoldingRowsBack):
    """Over a store that does both."""


_KINDS: dict[tuple[bool, bool], type[Threaded]] = {
    (False, False): Threaded,
    (True, False): _InNamespaces,
    (False, True): _HoldingRowsBack,
    (True, True): _InNamespacesHoldingRowsBack,
}


def awaited(store: Store) -> Store:
    """The store itself if its calls can be awaited, else the store on threads."""
    return Threaded(store) if store.runtime.blocking else store
