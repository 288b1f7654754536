"""A rate as a bucket: it fills steadily, holds one second's worth, and each call takes from it."""

from __future__ import annotations

from collections.abc import Callable


class Bucket:
    """So many a second, bursts of one second let through. Not for several threads at once: its owner has a lock.

    A bucket of less than one holds one, or nobody would ever be let in.
    """

    __slots__ = ("_at", "_clock", "_level", "rate")

    def __init__(self, rate: float, clock: Callable[[], float]) -> None:
        self.rate = rate
        self._clock = clock
        self._level = self.full
        self._at = clock()

    @property
    def full(self) -> float:
        """What it holds."""
        return max(1.0, self.rate)

    @property
    def level(self) -> float:
        """What is in it now; less than nothing if more was taken than there was."""
        now = self._clock()
        # A clock that was set back must not empty it.
        self._level = min(self.full, self._level + max(0.0, now - self._at) * self.rate)
        self._at = now
        return self._level

    def lacks(self, amount: float) -> float:
        """Seconds until so much is in it; 0 if it is there. An amount it never holds counts as a full bucket."""
        missing = min(amount, self.full) - self.level
        return max(0.0, missing / self.rate)

    @property
    def owes(self) -> float:
        """Seconds until nothing is owed any more; 0 if something is in it."""
        return 0.0 if (level := self.level) > 0 else max(-level, self.full * 1e-3) / self.rate

    def take(self, amount: float) -> None:
        """Take so much, there or not: what is lacking is waited for by those who come next."""
        self._level = self.level - amount
