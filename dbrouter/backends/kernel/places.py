"""A bounded number of places, and who takes the next free one: whoever has the fewest, in turn.

Threads and event loops wait for the same places. A free place costs one short lock and no queue; nobody spins.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import Protocol

from dbrouter.backends.kernel.forking import begins_anew_in_a_child

RECENTLY = 1.0
"""Seconds for which a party that does nothing any more is still reckoned with."""


class _Waiter(Protocol):
    """Somebody who waits; `given` says that the place is theirs, whether or not they know yet."""

    given: bool

    def wake(self) -> bool:
        """Say that the place is theirs. False if nobody is there any more to be told."""
        ...


class _WaitingThread:
    def __init__(self) -> None:
        self.given = False
        self._asleep = threading.Lock()
        self._asleep.acquire()

    def wake(self) -> bool:
        self._asleep.release()
        return True

    def wait(self, seconds: float) -> bool:
        return self._asleep.acquire(timeout=seconds)


class _WaitingTask:
    def __init__(self) -> None:
        self.given = False
        self._loop = asyncio.get_running_loop()
        self._told: asyncio.Future[None] = self._loop.create_future()

    def wake(self) -> bool:
        try:
            # Also from the same loop: whoever leaves does not run others' callbacks.
            self._loop.call_soon_threadsafe(self._tell)
        except RuntimeError:
            return False  # its loop is closed, and its task with it
        return True

    def _tell(self) -> None:
        if not self._told.done():
            self._told.set_result(None)

    async def wait(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._told
        except TimeoutError:
            return False
        return True


class Places:
    """So many at once. Of those who wait, the one with the fewest places is next; among equals, in turn.

    A party that holds places while its calls are slow thus gets no more of them than the others, and a thousand waiting
    calls of one party count as one. kept: places that only a party without any may take, so that one that was quiet
    need not wait for those that were not. share: places that one party may have while there are, or just were, others,
    so that what they ask for at once need not wait for its slow calls either. Who has neither a place nor a waiting
    call costs no memory.
    blocking: whether those who wait are threads or tasks.
    """

    def __init__(self, number: int, *, blocking: bool, kept: int = 0, share: int | None = None) -> None:
        if number < 1:
            raise ValueError(f"{number} places would let nobody in")
        self.number = number
        self._kept = min(kept, number - 1)
        self._share = number if share is None else max(share, 1)
        self._blocking = blocking
        self.begin_anew()
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """All places are free and nobody waits."""
        self._lock = threading.Lock()
        self._free = self.number
        self._held: dict[Hashable, int] = {}
        self._waiting: dict[Hashable, OrderedDict[_Waiter, None]] = {}
        # Places held -> the parties with waiting calls that hold so many, in turn. No level is empty.
        self._levels: dict[int, OrderedDict[Hashable, None]] = {}
        self._gone: deque[tuple[Hashable, _Waiter | None]] = deque()
        # Who left last and when, and who of the others did. Two are enough to know whether anybody has company.
        self._last: tuple[Hashable, float] | None = None
        self._other: tuple[Hashable, float] | None = None

    def enter(self, party: Hashable) -> bool:
        """Take a place if one is free for this party. Then `leave` must follow."""
        with self._lock:
            held = self._held.get(party, 0)
            # Other parties that wait could not be served by what is free now, or would have been. The own calls that
            # wait may have been refused for company that is gone by now: they come first.
            entered = (
                self._free > (self._kept if held else 0)
                and party not in self._waiting
                and not self._has_enough(party, held)
            )
            if entered:
                self._free -= 1
                self._held[party] = held + 1
        if self._gone:
            self._settle()
        return entered

    async def wait(self, party: Hashable, seconds: float) -> bool:
        """Take a place when it is this party's turn; false if that was not within so many seconds."""
        waiter = _WaitingThread() if self._blocking else _WaitingTask()
        with self._lock:
            self._queue(party)[waiter] = None
            woken = self._served()
        try:
            self._wake(woken)
            if self._gone:
                self._settle()
            came = waiter.wait(seconds) if isinstance(waiter, _WaitingThread) else await waiter.wait(seconds)
        except BaseException:
            # Cancelled or interrupted, perhaps when the place was given already: it goes to the next.
            self._gone.append((party, waiter))
            self._settle()
            raise
        if not came:
            with self._lock:
                # It may have been given between the end of patience and now: then it is taken all the same.
                came = waiter.given
                self._forget(party, waiter)
            if self._gone:
                self._settle()
        return came

    def leave(self, party: Hashable) -> None:
        """Give back a place."""
        self._gone.append((party, None))
        self._settle()

    def _settle(self) -> None:
        """Take back what was left, and serve those who wait for it.

        The garbage collector ends coroutines that nobody awaits any more, in the middle of anything, also of these
        methods: so leaving never waits for the lock. Whoever holds it looks here again after letting it go.
        """
        while self._gone and self._lock.acquire(blocking=False):
            try:
                woken: list[tuple[Hashable, _Waiter]] = []
                while self._gone:
                    party, waiter = self._gone.popleft()
                    if waiter is None or waiter.given:
                        self._give_back(party)
                    else:
                        self._forget(party, waiter)
                if self._waiting:
                    woken = self._served()
            finally:
                self._lock.release()
            self._wake(woken)

    def holds(self, party: Hashable) -> int:
        """Places that the party has."""
        return self._held.get(party, 0)

    def waits(self, party: Hashable) -> int:
        """Calls of the party that wait."""
        return len(self._waiting.get(party, ()))

    @property
    def parties(self) -> int:
        """Parties that anything is kept for."""
        return len(self._held.keys() | self._waiting.keys())

    def _has_enough(self, party: Hashable, held: int) -> bool:
        """Whether it has its share and is not alone."""
        if held < self._share:
            return False
        if len(self._held) > 1 or len(self._waiting) > (party in self._waiting):
            return True
        seen = self._other if self._last is not None and self._last[0] == party else self._last
        return seen is not None and time.monotonic() - seen[1] < RECENTLY

    def _queue(self, party: Hashable) -> OrderedDict[_Waiter, None]:
        queue = self._waiting.get(party)
        if queue is None:
            queue = self._waiting[party] = OrderedDict()
            self._put_on(self._held.get(party, 0), party)
        return queue

    def _give_back(self, party: Hashable) -> None:
        held = self._held[party]
        if held == 1:
            del self._held[party]
        else:
            self._held[party] = held - 1
        self._free += 1
        if self._last is not None and self._last[0] != party:
            self._other = self._last
        self._last = party, time.monotonic()
        if party in self._waiting:
            self._take_off(held, party)
            self._put_on(held - 1, party)

    def _served(self) -> list[tuple[Hashable, _Waiter]]:
        """Those who get a place now; called under the lock."""
        woken: list[tuple[Hashable, _Waiter]] = []
        while self._free and self._waiting:
            held = min(self._levels)
            party = next(iter(self._levels[held]))
            # Of the others who wait nobody has less, so what is refused to this one is refused to all. Who is refused
            # has calls under way: when one ends, or a new one comes, this is asked again.
            if held and (self._free <= self._kept or self._has_enough(party, held)):
                break
            self._take_off(held, party)
            queue = self._waiting[party]
            waiter, _ = queue.popitem(last=False)
            if queue:
                self._put_on(held + 1, party)
            else:
                del self._waiting[party]
            self._free -= 1
            self._held[party] = held + 1
            waiter.given = True
            woken.append((party, waiter))
        return woken

    def _wake(self, woken: list[tuple[Hashable, _Waiter]]) -> None:
        while woken:
            party, waiter = woken.pop(0)
            if not waiter.wake():
                with self._lock:
                    waiter.given = False  # nobody will ever leave for it
                    self._give_back(party)
                    woken.extend(self._served())

    def _forget(self, party: Hashable, waiter: _Waiter) -> None:
        """Let it wait no longer; nothing if it does not."""
        queue = self._waiting.get(party)
        if queue is None or waiter not in queue:
            return
        del queue[waiter]
        if not queue:
            del self._waiting[party]
            self._take_off(self._held.get(party, 0), party)

    def _put_on(self, held: int, party: Hashable) -> None:
        self._levels.setdefault(held, OrderedDict())[party] = None

    def _take_off(self, held: int, party: Hashable) -> None:
        level = self._levels[held]
        del level[party]
        if not level:
            del self._levels[held]
