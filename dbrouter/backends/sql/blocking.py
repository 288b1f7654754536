"""Connections for the blocking stores: a SQLAlchemy pool, shared by all threads."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dbrouter.backends.kernel.deadline import Deadline
from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.backends.kernel.forking import begins_anew_in_a_child
from dbrouter.backends.kernel.places import Places
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.sql.connections import Unit
from dbrouter.backends.sql.driver import Aftermath, BlockingDriver
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
    from sqlalchemy.engine import Engine
    from sqlalchemy.pool import Pool


class BlockingConnections:
    """Runs units on pooled connections.

    deadline: seconds a unit may wait in all: for the writers' lock, for a connection, for the database. at_once: how
    many connections the engine lends; `None` for a given engine, whose pool waits as its owner told it to.
    single_writer: the database admits one writer at a time; waiting here is fair and cheap where its own busy loop is
    neither.
    """

    def __init__(
        self,
        engine: Engine,
        driver: BlockingDriver,
        *,
        deadline: float,
        at_once: int | None = None,
        single_writer: bool = False,
    ) -> None:
        self.engine = engine
        self._driver = driver
        self._deadline = deadline
        self._at_once = at_once
        self._single_writer = single_writer
        self._one_at_a_time = False
        self._generation = Generation()
        self._open_the_doors()
        begins_anew_in_a_child(self)

    def _open_the_doors(self) -> None:
        self._writing = threading.Lock() if self._single_writer else None
        # The pool waits too, but always its own whole timeout: nobody with a seat finds it empty.
        # In turn, too: a thread that comes again and again does not overtake one that waits.
        self._seats = None if self._at_once is None else Places(self._at_once, blocking=True)

    def begin_anew(self) -> None:
        """Leave the parent its connections: two processes on one socket would read each other's answers."""
        if not self._one_at_a_time:
            self.engine.dispose(close=False)
        self._open_the_doors()

    def serialise(self) -> None:
        """Let one unit in at a time, reads too: all threads share one connection (an in-memory database)."""
        self._one_at_a_time = True

    async def run(self, unit: Unit) -> list[Outcome]:
        """Each statement's outcome, in order."""
        deadline = Deadline(self._deadline)
        if self._writing is not None and (unit.writes or self._one_at_a_time):
            with self._only_writer(self._writing, deadline):
                return self._seated(unit, deadline)
        return self._seated(unit, deadline)

    def _seated(self, unit: Unit, deadline: Deadline) -> list[Outcome]:
        seats = self._seats
        if seats is None:
            return self._run(unit, deadline)
        if not seats.enter(None) and not finish(seats.wait(None, deadline.left())):
            raise no_connection(self._driver.place, deadline)
        try:
            return self._run(unit, deadline)
        finally:
            seats.leave(None)

    def _run(self, unit: Unit, deadline: Deadline) -> list[Outcome]:
        failed: Exception | None = None
        for _ in range(ATTEMPTS):
            pool = self.engine.pool
            pooled = self._fresh(deadline)
            shorter = deadline.is_shorter
            try:
                if shorter:
                    self._driver.limit(pooled.driver_connection, deadline.left())
                outcomes = self._driver.send(pooled.driver_connection, unit)
            except Exception as error:
                failure = self._driver.translate(error)
                if failure.aftermath is Aftermath.DEMOTED:
                    self._generation.end(pooled)
                if failure.aftermath in {Aftermath.BROKEN, Aftermath.DEMOTED}:
                    self._discard(pooled)
                else:
                    self._recover(pool, pooled, shorter=shorter)
                if not may_repeat(failure, unit, deadline):
                    raise failure.error from error
                failed = failure.error
            except BaseException:
                # An interrupt may have left half a conversation on the wire.
                self._discard(pooled)
                raise
            else:
                self._give_back(pool, pooled, shorter=shorter)
                return outcomes
        raise failed or Unavailable(f"{self._driver.place}: nothing was sent")

    def _fresh(self, deadline: Deadline) -> Any:
        """A connection that was alive a moment ago."""
        for _ in range(STALE_IN_A_ROW):
            try:
                with Opening(deadline):
                    pooled = self.engine.raw_connection()
            except Exception as error:
                raise self._unreachable(error, deadline) from error
            if not self._generation.is_over(pooled) and not self._driver.is_stale(pooled.driver_connection):
                return pooled
            pooled.invalidate()
        raise all_stale(self._driver.place)

    def _discard(self, pooled: Any) -> None:
        """Throw a connection away of which nobody knows how it was left."""
        if not self._one_at_a_time:
            pooled.invalidate()
            return
        # A database in memory is gone with its connection; all that can be left on it is a transaction.
        self._driver.roll_back(pooled.driver_connection)
        pooled.close()

    def _recover(self, pool: Pool, pooled: Any, *, shorter: bool) -> None:
        try:
            self._driver.roll_back(pooled.driver_connection)
        except Exception as error:
            pooled.invalidate()
            raise self._driver.translate(error).error from error
        self._give_back(pool, pooled, shorter=shorter)

    def _give_back(self, pool: Pool, pooled: Any, *, shorter: bool) -> None:
        if shorter:
            try:
                self._driver.limit(pooled.driver_connection, self._deadline)
            except BaseException as error:
                # Nobody else may have it with its short patience, and what the caller asked for is done.
                self._discard(pooled)
                if isinstance(error, Exception):
                    return
                raise
        pooled.close()
        if self.engine.pool is not pool:
            # Closed meanwhile. SQLAlchemy would keep it open in the pool that nobody takes from any more.
            pool.dispose()

    def _unreachable(self, error: Exception, deadline: Deadline) -> Exception:
        from sqlalchemy.exc import TimeoutError as PoolTimeout

        if isinstance(error, PoolTimeout):
            # From the pool of a given engine.
            return no_connection(self._driver.place, deadline)
        return self._driver.translate(error).error

    @contextmanager
    def _only_writer(self, lock: threading.Lock, deadline: Deadline) -> Generator[None]:
        if not lock.acquire(timeout=deadline.left()):
            raise held_by_a_writer(self._driver.place, deadline)
        try:
            yield
        finally:
            lock.release()

    async def close(self) -> None:
        """Close all idle connections; those in use are closed when given back."""
        self.engine.dispose()
