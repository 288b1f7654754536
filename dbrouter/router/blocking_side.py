"""The blocking side of an async db: what agno calls without awaiting it, on the same databases."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from dbrouter.backends.kernel.forking import begins_anew_in_a_child
from dbrouter.backends.kernel.running import finish

if TYPE_CHECKING:
    from dbrouter.router.families.programs import Programs
    from dbrouter.router.wiring import Wiring


class BlockingSide:
    """The databases of an async db once more, on blocking connections that are opened when a call first needs them.

    An event loop cannot run a coroutine for somebody who blocks it, so such calls need connections of their own.
    """

    def __init__(self, open_: Callable[[], Wiring]) -> None:
        self._open = open_
        self._opened: Wiring | None = None
        self.begin_anew()
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """Nobody is opening it. What is open stays: stores know by themselves what a child may use."""
        self._lock = threading.Lock()

    @property
    def wiring(self) -> Wiring:
        """The databases, opened."""
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    async def close(self) -> None:
        """Close what was opened, without stopping the event loop for it."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None:
            await asyncio.to_thread(finish, opened.close())


class View:
    """The blocking side as one view of the db has it: for one component, for one tenant."""

    def __init__(self, side: BlockingSide, *seen: Callable[[Wiring], Wiring]) -> None:
        self.side = side
        self._seen = seen
        self._programs: tuple[Wiring, Programs] | None = None

    def seen(self, as_: Callable[[Wiring], Wiring]) -> View:
        """This view, seen once more."""
        return View(self.side, *self._seen, as_)

    @property
    def programs(self) -> Programs:
        """The families' programs on it."""
        opened = self.side.wiring
        if self._programs is None or self._programs[0] is not opened:
            wiring = opened
            for each in self._seen:
                wiring = each(wiring)
            self._programs = (opened, wiring.programs())
        return self._programs[1]
