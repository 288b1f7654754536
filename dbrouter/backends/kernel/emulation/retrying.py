"""Compare-and-set loops that give up."""

from __future__ import annotations

import random

from dbrouter.backends.kernel.errors import Conflict
from dbrouter.backends.kernel.running import Runtime

ATTEMPTS = 64
"""Writes that lose one race after the other before the caller is told: far above the writers one record has."""
FIRST_PAUSE = 0.002
LONGEST_PAUSE = 0.1


class Lost(Exception):  # a turn of events inside a loop, not an error anyone sees
    """Another writer came first: read again and decide anew."""


class Attempts:
    """The tries of one write. After each lost race, `again` pauses for a random while, or raises `Conflict`."""

    def __init__(self, runtime: Runtime, what: str) -> None:
        self._runtime = runtime
        self._what = what
        self._lost = 0

    async def again(self) -> None:
        """Pause before the next try; longer after each."""
        self._lost += 1
        if self._lost >= ATTEMPTS:
            raise Conflict(
                f"{self._what}: {ATTEMPTS} tries all lost to other writers; nothing was written, try again later"
            )
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._lost, 10))
        await self._runtime.sleep(random.uniform(0, longest))  # noqa: S311  # not a secret
