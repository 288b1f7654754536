"""From the settings of an agno database to its store."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, Protocol, TypeVar, cast

from dbrouter.backends.kernel.capabilities import Capabilities
from dbrouter.backends.kernel.errors import ConfigError, DbRouterError
from dbrouter.backends.kernel.ops import Op
from dbrouter.backends.kernel.running import BlockingRuntime, Runtime
from dbrouter.backends.kernel.store import Store
from dbrouter.router.any_agno.classes import Wrong, found
from dbrouter.router.any_agno.implemented import is_asynchronous
from dbrouter.router.any_agno.instances import Instances
from dbrouter.router.any_agno.methods import Methods
from dbrouter.router.any_agno.store import AgnoStore
from dbrouter.router.threaded import awaited

R = TypeVar("R")

KIND = "agno"

LAST_WORDS = 0.1
"""Seconds."""


class AgnoSource(Protocol):
    """The settings of an agno database."""

    @property
    def class_path(self) -> str:
        """The class, with its module."""
        ...

    @property
    def args(self) -> Mapping[str, Any]:
        """The arguments of its constructor."""
        ...

    @property
    def at_once(self) -> int | None:
        """Calls that a class that blocks works on at the same time, if it is said."""
        ...

    @property
    def deadline(self) -> float:
        """Seconds that a call waits for its turn."""
        ...


def open_agno(name: str, settings: object, *, blocking: bool) -> Store:
    """The store of one configured agno database. Nothing is sent to it yet.

    `ConfigError` if its class cannot be had, or must be awaited by a router that blocks.
    """
    store = _opened(name, settings)
    if blocking and is_asynchronous(store.cls):
        raise ConfigError(
            f"databases.{name}: {store.cls.__name__} must be awaited, and DbRouter is for blocking code; use "
            f"AsyncDbRouter, or name the class that blocks"
        )
    return store if blocking else awaited(store)


def open_to_look(name: str, settings: object) -> Store:
    """A blocking store of one configured agno database, also of a class that must be awaited.

    For commands, and for what agno does not await of a router that is awaited.
    """
    store = _opened(name, settings)
    return OnALoop(store) if is_asynchronous(store.cls) else store


def _opened(name: str, settings: object) -> AgnoStore:
    said = cast("AgnoSource", settings)
    cls = found(said.class_path)
    if isinstance(cls, Wrong):
        raise ConfigError(f"databases.{name}: {cls.what}; {cls.do}")
    return AgnoStore(Methods(Instances(cls, said.args, name=name), at_once=said.at_once, deadline=said.deadline))


class OnALoop:
    """A blocking store over one that is awaited: each call has an event loop, and connections, of its own."""

    def __init__(self, inner: AgnoStore) -> None:
        self.inner = inner
        self.runtime: Runtime = BlockingRuntime()

    @property
    def capabilities(self) -> Capabilities:
        """The inner store's."""
        return self.inner.capabilities

    async def execute(self, op: Op[R], /) -> R:
        """The inner store's answer."""
        return self._run(self.inner.execute(op))

    async def existing_tables(self) -> frozenset[str]:
        """The inner store's."""
        return self._run(self.inner.existing_tables())

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        """As the inner store does."""
        self._run(self.inner.create_tables(tables))

    def physical_name(self, table: str) -> str:
        """The inner store's."""
        return self.inner.physical_name(table)

    async def ping(self) -> None:
        """As the inner store does."""
        self._run(self.inner.ping())

    async def close(self) -> None:
        """Do nothing: nothing stays open."""

    def _run(self, call: Any) -> Any:
        async def called() -> Any:
            try:
                return await call
            except DbRouterError:
                # A client's threads tell the loop of a connection that failed, and must find it.
                await asyncio.sleep(LAST_WORDS)
                raise
            finally:
                await self.inner.close()

        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(called())
        # Called by who holds an event loop up meanwhile, as for any blocking call.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(copy_context().run, asyncio.run, called()).result()
