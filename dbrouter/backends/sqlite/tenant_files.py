"""A file for each tenant, of which only those in use are open: a thousand tenants are not eight thousand open files."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from dbrouter.backends.kernel.forking import begins_anew_in_a_child
from dbrouter.backends.sql.connections import Connections, Unit
from dbrouter.backends.sql.statements import Outcome

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

OPEN_FILES = 64
"""Tenants' databases that stay open; the one used longest ago is closed for the next."""

logger = logging.getLogger("dbrouter.sqlite")

_Place: TypeAlias = "tuple[asyncio.AbstractEventLoop | None, str]"
"""An event loop, or none where threads share the connections, and a namespace."""


@dataclass(slots=True)
class _File:
    """One open database. users: calls that are in it now."""

    connections: Connections
    users: int = 0


class TenantFiles:
    """The open databases of the tenants of one store. opening: makes the connections of a namespace.

    limit: how many stay open (for each event loop, if asynchronous). One that is in use is never closed.
    """

    def __init__(self, opening: Callable[[str], Connections], *, asynchronous: bool, limit: int = OPEN_FILES) -> None:
        self._opening = opening
        self._asynchronous = asynchronous
        self._limit = limit
        self.begin_anew()
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """Have nothing open."""
        self._files: OrderedDict[_Place, _File] = OrderedDict()
        self._unclosed: deque[tuple[_Place, _File]] = deque()
        self._left: deque[_File] = deque()
        self._lock = threading.Lock()

    @property
    def open(self) -> int:
        """How many are open."""
        return len(self._files)

    async def run(self, namespace: str, unit: Unit) -> list[Outcome]:
        """Run a unit in a tenant's database; opens it if it is not open."""
        async with self._used(namespace) as connections:
            return await connections.run(unit)

    async def close(self, namespace: str | None = None) -> None:
        """Close the database of one tenant, or of all; those of another event loop that still runs stay open."""
        loop = self._loop()
        with self._lock:
            closing = self._cut_short(loop)
            closing += [
                (place, self._files.pop(place))
                for place in list(self._files)
                if namespace in (None, place[1]) and _is_ours(place, loop)
            ]
        for _, failure in await self._close_each(closing):
            raise failure

    async def _close_each(self, files: Iterable[tuple[_Place, _File]]) -> list[tuple[str, Exception]]:
        """Close these, which nobody finds any more. What a cancellation leaves open, the next call closes."""
        failures: list[tuple[str, Exception]] = []
        waiting = deque(files)
        try:
            while waiting:
                (_, namespace), file = waiting[0]
                try:
                    await file.connections.close()
                except Exception as failure:  # noqa: BLE001  # the caller's to tell when all are closed
                    failures.append((namespace, failure))
                waiting.popleft()
        finally:
            self._unclosed.extend(waiting)
        return failures

    @asynccontextmanager
    async def _used(self, namespace: str) -> AsyncGenerator[Connections]:
        place = (self._loop(), namespace)
        with self._lock:
            self._count()
            file = self._files.get(place)
            if file is None:
                file = self._files[place] = _File(self._opening(namespace))
            file.users += 1
            self._files.move_to_end(place)
            too_many = [*self._cut_short(place[0]), *self._too_many(place[0])]
        try:
            for failed, failure in await self._close_each(too_many):
                # Whose call this is has nothing to do with that file.
                logger.warning("%s: could not be closed: %s", failed, failure)
            yield file.connections
        finally:
            # Without the lock: the garbage collector ends calls in the middle of anything, also of what holds it.
            self._left.append(file)

    def _count(self) -> None:
        """Notice the calls that are over. Under the lock."""
        while self._left:
            self._left.popleft().users -= 1

    def _cut_short(self, loop: asyncio.AbstractEventLoop | None) -> list[tuple[_Place, _File]]:
        """Those that were not closed to their end on this loop, or on one that is closed. Under the lock."""
        found: list[tuple[_Place, _File]] = []
        for _ in range(len(self._unclosed)):
            each = self._unclosed.popleft()
            (found if _is_ours(each[0], loop) else self._unclosed).append(each)
        return found

    def _too_many(self, loop: asyncio.AbstractEventLoop | None) -> list[tuple[_Place, _File]]:
        """Take out those of this loop beyond the limit, and all of loops that are closed. Under the lock."""
        if len(self._files) <= self._limit:
            return []
        mine = [place for place, file in self._files.items() if place[0] is loop and not file.users]
        used = sum(place[0] is loop for place in self._files) - len(mine)
        over = mine[: max(0, used + len(mine) - self._limit)]
        over += [place for place in self._files if place[0] is not None and place[0].is_closed()]
        return [(place, self._files.pop(place)) for place in over]

    def _loop(self) -> asyncio.AbstractEventLoop | None:
        return asyncio.get_running_loop() if self._asynchronous else None


def _is_ours(place: _Place, loop: asyncio.AbstractEventLoop | None) -> bool:
    """Whether it can be closed here: on the loop that opened it, or where that one is closed."""
    return place[0] is loop or (place[0] is not None and place[0].is_closed())


class FileOf:
    """The connections of one tenant's store. Closing it closes this tenant's file only."""

    def __init__(self, files: TenantFiles, namespace: str) -> None:
        self._files = files
        self._namespace = namespace

    async def run(self, unit: Unit) -> list[Outcome]:
        """Each statement's outcome, in order."""
        return await self._files.run(self._namespace, unit)

    async def close(self) -> None:
        """Close this tenant's file; it is opened again when asked for."""
        await self._files.close(self._namespace)
