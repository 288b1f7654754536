"""Connections for the async stores: a SQLAlchemy pool for each event loop, the driver's own coroutines.

A pool waits on primitives of one loop, and agno runs more than one: its exporter calls `asyncio.run` for every batch,
tests start a loop each. So each loop gets a pool, and a closed loop's connections are dropped when the next one comes.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from dbrouter.backends.kernel.deadline import Deadline
from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.backends.kernel.forking import begins_anew_in_a_child
from dbrouter.backends.sql.connections import Unit
from dbrouter.backends.sql.driver import Aftermath, AsyncDriver
from dbrouter.backends.sql.statements import Outcome
from dbrouter.backends.sql.waiting import (
    ATTEMPTS,
    STALE_IN_A_ROW,
    Generation,
    Opening,
    all_stale,
    held_by_a_writer,
    may_repeat,
    no_connection,
)

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine


class _LoopPool:
    """One event loop's engine, its open connections and its writers' lock."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.writing = asyncio.Lock()
        self.open: set[Any] = set()
        self.is_closed = False


class AsyncConnections:
    """Runs units on pooled connections of the running loop.

    engine: makes an engine. deadline, single_writer: as in the blocking form. resets: whether the engine's pool talks
    to the database when it gets a connection back, as a given engine's does.
    """

    def __init__(
        self,
        engine: Callable[[], AsyncEngine],
        driver: AsyncDriver,
        *,
        deadline: float,
        single_writer: bool = False,
        resets: bool = False,
    ) -> None:
        self._make_engine = engine
        self._resets = resets
        self._driver = driver
        self._deadline = deadline
        self._single_writer = single_writer
        self._generation = Generation()
        self.begin_anew()
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """Know no loop yet; what the parent's loops have open is the parent's."""
        self._pools: WeakKeyDictionary[asyncio.AbstractEventLoop, _LoopPool] = WeakKeyDictionary()
        self._abandoned: list[tuple[asyncio.AbstractEventLoop, _LoopPool]] = []
        self._lock = threading.Lock()

    async def run(self, unit: Unit) -> list[Outcome]:
        """Each statement's outcome, in order."""
        pool = self._pool()
        deadline = Deadline(self._deadline)
        if not (self._single_writer and unit.writes):
            return await self._run(pool, unit, deadline)
        try:
            async with asyncio.timeout(deadline.left()):
                await pool.writing.acquire()
        except TimeoutError as error:
            raise held_by_a_writer(self._driver.place, deadline) from error
        try:
            return await self._run(pool, unit, deadline)
        finally:
            pool.writing.release()

    async def _run(self, pool: _LoopPool, unit: Unit, deadline: Deadline) -> list[Outcome]:
        failed: Exception | None = None
        for _ in range(ATTEMPTS):
            pooled = await self._fresh(pool, deadline)
            connection = pooled.driver_connection
            shorter = deadline.is_shorter
            try:
                if shorter:
                    await self._driver.limit(connection, deadline.left())
                outcomes = await self._driver.send(connection, unit)
            except Exception as error:
                failure = self._driver.translate(error)
                if failure.aftermath is Aftermath.DEMOTED:
                    self._generation.end(pooled)
                if failure.aftermath in {Aftermath.BROKEN, Aftermath.DEMOTED}:
                    await self._discard(pool, pooled)
                else:
                    await self._recover(pool, pooled, shorter=shorter)
                if not may_repeat(failure, unit, deadline):
                    raise failure.error from error
                failed = failure.error
            except BaseException:
                # Cancelled: half a conversation may be on the wire.
                await self._discard(pool, pooled)
                raise
            else:
                await self._give_back(pool, pooled, shorter=shorter)
                return outcomes
        raise failed or Unavailable(f"{self._driver.place}: nothing was sent")

    async def _fresh(self, pool: _LoopPool, deadline: Deadline) -> Any:
        for _ in range(STALE_IN_A_ROW):
            try:
                async with asyncio.timeout(deadline.left()):
                    with Opening(deadline):
                        pooled = await pool.engine.raw_connection()
            except TimeoutError as error:
                raise no_connection(self._driver.place, deadline) from error
            except Exception as error:
                raise self._driver.translate(error).error from error
            pool.open.add(pooled.driver_connection)
            if not self._generation.is_over(pooled) and not self._driver.is_stale(pooled.driver_connection):
                return pooled
            await self._discard(pool, pooled)
        raise all_stale(self._driver.place)

    async def _recover(self, pool: _LoopPool, pooled: Any, *, shorter: bool) -> None:
        try:
            await self._driver.roll_back(pooled.driver_connection)
        except BaseException as error:
            await self._discard(pool, pooled)
            if isinstance(error, Exception):
                raise self._driver.translate(error).error from error
            raise  # cancelled while it was rolled back
        await self._give_back(pool, pooled, shorter=shorter)

    async def _give_back(self, pool: _LoopPool, pooled: Any, *, shorter: bool) -> None:
        if shorter:
            try:
                await self._driver.limit(pooled.driver_connection, self._deadline)
            except BaseException as error:
                # As in the blocking form; a cancelled task is another matter.
                await self._discard(pool, pooled)
                if isinstance(error, Exception):
                    return
                raise
        if pool.is_closed:
            # SQLAlchemy would keep it open in the pool that nobody takes from any more.
            await self._discard(pool, pooled)
        elif self._resets:
            from sqlalchemy.util import greenlet_spawn

            # Its pool has to wait for that; asked in any other way it would throw the connection away, still open.
            await greenlet_spawn(pooled.close)
        else:
            pooled.close()

    async def _discard(self, pool: _LoopPool, pooled: Any) -> None:
        from sqlalchemy.util import greenlet_spawn

        pool.open.discard(pooled.driver_connection)
        await greenlet_spawn(pooled.invalidate)

    def _pool(self) -> _LoopPool:
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is None:
            with self._lock:
                self._drop_closed_loops()
                pool = self._pools.setdefault(loop, _LoopPool(self._make_engine()))
                self._abandoned.append((loop, pool))
        return pool

    def _drop_closed_loops(self) -> None:
        alive: list[tuple[asyncio.AbstractEventLoop, _LoopPool]] = []
        for loop, pool in self._abandoned:
            if not loop.is_closed():
                alive.append((loop, pool))
                continue
            self._abandon(pool)
        self._abandoned = alive

    def _abandon(self, pool: _LoopPool) -> None:
        for connection in pool.open:
            self._driver.abandon(connection)
        pool.open.clear()

    async def close(self) -> None:
        """Close this loop's idle connections, and those of loops that are closed; those in use when given back."""
        loop = asyncio.get_running_loop()
        with self._lock:
            self._drop_closed_loops()
            pool = self._pools.pop(loop, None)
            self._abandoned = [(each, other) for each, other in self._abandoned if each is not loop]
        if pool is not None:
            pool.is_closed = True
            await pool.engine.dispose()
