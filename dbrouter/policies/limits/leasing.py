"""One rate for all processes of a deployment: a bucket in a table, from which each process takes some at a time.

A lease is a read and a conditional write, for a tenth of a second's worth or for what one call needs if that is more:
not for every call. What a process has leased and not used it forgets after a second.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Any

from dbrouter.backends.kernel.codec import encode
from dbrouter.backends.kernel.errors import Conflict, Duplicate, StoreError
from dbrouter.backends.kernel.forking import begins_anew_in_a_child
from dbrouter.backends.kernel.ops import ABSENT, Commit, Get, Put
from dbrouter.backends.kernel.own_tables import USAGE
from dbrouter.backends.kernel.places import Places
from dbrouter.backends.kernel.store import Store
from dbrouter.policies.limits.bucket import Bucket

PARTS = 10
"""Leases that a full bucket is given out in."""

LIFETIME = 1.0
"""Seconds after which a process forgets what it leased and did not use."""

ATTEMPTS = 8
"""Leases tried while other processes take theirs; then the call is to come back after `CROWDED` seconds."""

PAUSE = 0.001
"""Seconds that a process waits at most before it tries again, doubled each time."""

CROWDED = 0.25

PATIENCE = 5.0
"""Seconds a call waits while its process asks the table."""

logger = logging.getLogger("dbrouter.limits")


class LeasedBucket:
    """What this process has of a bucket that all processes share. Threads and tasks may use it at once.

    While the table cannot be asked, this process lets through what it would if it were alone: a limit that cannot be
    counted must not stop everybody's work.
    """

    def __init__(
        self,
        rate: float,
        store: Store,
        *,
        tenant: str,
        what: str,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.rate = rate
        self._full = max(1.0, rate)
        self._store = store
        # A structured pair: no tenant's name can be read as another's name and a word.
        self._key = encode([tenant, what])
        self._clock = clock
        self._wall = wall
        self.begin_anew()
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """Have leased nothing."""
        self._lock = threading.Lock()
        self._leasing = Places(1, blocking=self._store.runtime.blocking)
        self._alone = Bucket(self.rate, self._clock)
        self._level = 0.0
        self._leased_at = self._refused_until = self._clock()

    async def enter(self, amount: float, *, least: float) -> float:
        """Take so much if at least `least` is there, and answer 0; else the seconds until it may be."""
        wait = self._taken(amount, least)
        if wait is not None:
            return wait
        if not self._leasing.enter(None) and not await self._leasing.wait(None, PATIENCE):
            return PATIENCE
        try:
            # Whoever was before us may have leased enough for both.
            while (wait := self._taken(amount, least)) is None:
                await self._lease(least)
            return wait
        finally:
            self._leasing.leave(None)

    def take(self, amount: float) -> None:
        """Take so much, there or not: what is lacking all processes owe together. Less than nothing gives back."""
        with self._lock:
            self._level -= amount

    def _taken(self, amount: float, least: float) -> float | None:
        """0 if it was taken, the seconds to wait if the table has said so; `None` if the table must be asked."""
        with self._lock:
            now = self._clock()
            if self._level > 0 and now - self._leased_at > LIFETIME:
                self._level = 0.0
            if self._level >= least:
                self._level -= amount
                return 0.0
            return self._refused_until - now if now < self._refused_until else None

    async def _lease(self, least: float) -> None:
        try:
            for attempt in range(ATTEMPTS):
                if await self._leased(least):
                    return
                # Others take theirs: not all at once again.
                await self._store.runtime.sleep(random.uniform(0, PAUSE * 2**attempt))  # noqa: S311  # no secret
        except StoreError as away:
            logger.warning("limits: %s; this process counts for itself meanwhile", away)
            with self._lock:
                there = max(0.0, self._alone.level)
                self._alone.take(there)
                self._gain(there, there, least)
        else:
            with self._lock:
                self._refused_until = self._clock() + CROWDED

    async def _leased(self, least: float) -> bool:
        """Take a part of the table's bucket, and leave it what is owed. False if another process was faster."""
        stored = await self._store.execute(Get(table=USAGE.name, key=(self._key,), versioned=True))
        there, now = self._there(None if stored is None else stored.record["bucket"])
        with self._lock:
            debt = max(0.0, -self._level)
        there -= debt
        granted = min(there, max(least, self._full / PARTS)) if there >= least else 0.0
        if granted or debt:
            put = Put(
                table=USAGE.name,
                record={"id": self._key, "bucket": {"level": there - granted, "at": now}},
                expect=ABSENT if stored is None else stored.version,
            )
            try:
                await self._store.execute(Commit(writes=(put,)))
            except (Conflict, Duplicate):
                return False
        with self._lock:
            self._gain(debt + granted, there, least)
        return True

    def _gain(self, amount: float, there: float, least: float) -> None:
        self._level += amount
        now = self._leased_at = self._clock()
        if there < least:
            self._refused_until = now + (least - there) / self.rate

    def _there(self, bucket: Any) -> tuple[float, float]:
        """What the table's bucket holds now, and when that is. Clocks of several machines differ a little."""
        now = self._wall()
        if bucket is None:
            return self._full, now
        passed = max(0.0, now - bucket["at"])
        return min(self._full, bucket["level"] + passed * self.rate), max(now, bucket["at"])
