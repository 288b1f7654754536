"""Compare-and-set loops: they go on while other writers are faster, and give up in the end."""

from __future__ import annotations

import random
import time

from dbrouter.backends.kernel.errors import Conflict
from dbrouter.backends.kernel.running import Runtime

ATTEMPTS = 64
"""Tries that lose one race after the other before the caller is told: far above the writers one record has."""
PATIENCE = 30.0
"""Seconds of trying before the caller is told, however many tries were lost: as long as calls wait for a database."""
OLD = 10
"""Lost races after which pauses become shorter again: who has lost often goes before who has just come, for else chance
lets some wait for very long."""
FIRST_PAUSE = 0.001
LONGEST_PAUSE = 0.1


class Lost(Exception):  # a turn of events inside a loop, not an error anyone sees
    """Another writer came first: read again and decide anew."""


class Attempts:
    """The tries of one write. After each lost race, `again` pauses for a random while, or raises `Conflict`.

    what: what is tried. told: what became of it when no try has won, and what to do.
    """

    def __init__(self, runtime: Runtime, what: str, *, told: str = "nothing was written, try again later") -> None:
        self._runtime = runtime
        self._what = what
        self._told = told
        self._lost = 0
        self._until = 0.0

    async def again(self) -> None:
        """Pause before the next try: longer after each, and shorter again for who is `OLD`."""
        if not self._lost:
            self._until = time.monotonic() + PATIENCE
        self._lost += 1
        if self._lost >= ATTEMPTS and time.monotonic() >= self._until:
            raise Conflict(f"{self._what}: {self._lost} tries all lost to other writers; {self._told}")
        # Jittered, so that writers that met once do not meet again.
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._lost, 10))
        if self._lost > OLD:
            longest *= OLD / self._lost / 2
        await self._runtime.sleep(random.uniform(0, longest))  # noqa: S311  # not a secret
