"""The role that makes and owns the tables, connected only while it makes some.

The application's role then has no right to drop a table or to switch its row-level security off.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.backends.kernel.forking import begins_anew_in_a_child
from dbrouter.backends.sql.connections import Unit
from dbrouter.backends.sql.driver import Aftermath, AsyncDriver, BlockingDriver
from dbrouter.backends.sql.statements import Outcome
from dbrouter.backends.sql.waiting import ATTEMPTS

if TYPE_CHECKING:
    from psycopg import AsyncConnection, Connection


class BlockingOwner:
    """Runs units over a connection of its own, one at a time, closed after each. connect: opens it."""

    def __init__(self, connect: Callable[[], Connection[Any]], driver: BlockingDriver) -> None:
        self._connect = connect
        self._driver = driver
        self.begin_anew()
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """Wait for no thread of the parent."""
        self._alone = threading.Lock()

    async def run(self, unit: Unit) -> list[Outcome]:
        """Each statement's outcome, in order."""
        failed: Exception = Unavailable(f"{self._driver.place}: nothing was sent")
        with self._alone:
            for _ in range(ATTEMPTS):
                try:
                    with self._connect() as connection:
                        return self._driver.send(connection, unit)
                except Exception as error:
                    failure = self._driver.translate(error)
                    if failure.aftermath is not Aftermath.AGAIN:
                        raise failure.error from error
                    failed = failure.error
        raise failed

    async def close(self) -> None:
        """Nothing is open."""


class AsyncOwner:
    """As `BlockingOwner`, for event loops."""

    def __init__(self, connect: Callable[[], Awaitable[AsyncConnection[Any]]], driver: AsyncDriver) -> None:
        self._connect = connect
        self._driver = driver
        # A lock belongs to the loop that waits for it.
        self._alone: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    async def run(self, unit: Unit) -> list[Outcome]:
        """Each statement's outcome, in order."""
        failed: Exception = Unavailable(f"{self._driver.place}: nothing was sent")
        async with self._alone.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
            for _ in range(ATTEMPTS):
                try:
                    async with await self._connect() as connection:
                        return await self._driver.send(connection, unit)
                except Exception as error:
                    failure = self._driver.translate(error)
                    if failure.aftermath is not Aftermath.AGAIN:
                        raise failure.error from error
                    failed = failure.error
        raise failed

    async def close(self) -> None:
        """Nothing is open."""
