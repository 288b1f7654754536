"""Connections for the blocking stores: a SQLAlchemy pool, shared by all threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.backends.kernel.forking import begins_anew_in_a_child
from dbrouter.backends.sql.connections import Unit
from dbrouter.backends.sql.driver import Aftermath, BlockingDriver, Failure
from dbrouter.backends.sql.statements import Outcome

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

ATTEMPTS = 4
"""Sends of one unit at most, deadlocks and broken idle connections included."""


STALE_IN_A_ROW = 100
"""Dead connections replaced for one call; more than any pool of ours holds."""


def may_repeat(failure: Failure, unit: Unit) -> bool:
    """Whether the unit may be sent again: nothing of it happened, or it only reads."""
    return failure.aftermath is Aftermath.AGAIN or (failure.aftermath is Aftermath.BROKEN and not unit.writes)


class BlockingConnections:
    """Runs units on pooled connections.

    deadline: seconds a unit may wait for a connection and for the writers' lock. single_writer: the database admits
    one writer at a time; waiting here is fair and cheap where its own busy loop is neither.
    """

    def __init__(self, engine: Engine, driver: BlockingDriver, *, deadline: float, single_writer: bool = False) -> None:
        self.engine = engine
        self._driver = driver
        self._deadline = deadline
        self._single_writer = single_writer
        self._writing = threading.Lock() if single_writer else None
        self._one_at_a_time = False
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """Leave the parent its connections: two processes on one socket would read each other's answers."""
        if not self._one_at_a_time:
            self.engine.dispose(close=False)
        self._writing = threading.Lock() if self._single_writer else None

    def serialise(self) -> None:
        """Let one unit in at a time, reads too: all threads share one connection (an in-memory database)."""
        self._one_at_a_time = True

    async def run(self, unit: Unit) -> list[Outcome]:
        """Each statement's outcome, in order."""
        until = time.monotonic() + self._deadline
        if self._writing is not None and (unit.writes or self._one_at_a_time):
            with self._only_writer(self._writing):
                return self._run(unit, until)
        return self._run(unit, until)

    def _run(self, unit: Unit, until: float) -> list[Outcome]:
        failed: Exception | None = None
        for _ in range(ATTEMPTS):
            pooled = self._fresh()
            try:
                outcomes = self._driver.send(pooled.driver_connection, unit)
            except Exception as error:
                failure = self._driver.translate(error)
                if failure.aftermath is Aftermath.BROKEN:
                    pooled.invalidate()
                else:
                    self._recover(pooled)
                if not may_repeat(failure, unit) or time.monotonic() >= until:
                    raise failure.error from error
                failed = failure.error
            except BaseException:
                # An interrupt may have left half a conversation on the wire.
                pooled.invalidate()
                raise
            else:
                pooled.close()
                return outcomes
        raise failed or Unavailable(f"{self._driver.place}: nothing was sent")

    def _fresh(self) -> Any:
        """A connection that was alive a moment ago."""
        for _ in range(STALE_IN_A_ROW):
            try:
                pooled = self.engine.raw_connection()
            except Exception as error:
                raise self._unreachable(error) from error
            if not self._driver.is_stale(pooled.driver_connection):
                return pooled
            pooled.invalidate()
        raise Unavailable(f"{self._driver.place}: {STALE_IN_A_ROW} connections in a row closed at once")

    def _recover(self, pooled: Any) -> None:
        try:
            self._driver.roll_back(pooled.driver_connection)
        except Exception as error:
            pooled.invalidate()
            raise self._driver.translate(error).error from error
        pooled.close()

    def _unreachable(self, error: Exception) -> Exception:
        from sqlalchemy.exc import TimeoutError as PoolTimeout

        if isinstance(error, PoolTimeout):
            return Unavailable(
                f"{self._driver.place}: no connection came free in {self._deadline:g} s; all {self.engine.pool.size()}"  # type: ignore[attr-defined]
                " and the overflow are busy; raise pool_size or look for slow calls"
            )
        failure = self._driver.translate(error)
        return failure.error

    @contextmanager
    def _only_writer(self, lock: threading.Lock) -> Generator[None]:
        if not lock.acquire(timeout=self._deadline):
            raise Unavailable(
                f"{self._driver.place}: another writer of this process held the database for {self._deadline:g} s"
            )
        try:
            yield
        finally:
            lock.release()

    async def close(self) -> None:
        """Close all idle connections; those in use are closed when given back."""
        self.engine.dispose()
