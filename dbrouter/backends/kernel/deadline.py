"""One call's end: whatever it waits for, in whatever order, it waits so long in all."""

from __future__ import annotations

import time

SPENT = 0.1
"""The share of its time that a call may have spent before its connection is told to wait for less: telling costs."""


class Deadline:
    """The end of a call that may wait `seconds` in all."""

    __slots__ = ("_until", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._until = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds, never less than none."""
        return max(0.0, self._until - time.monotonic())

    @property
    def is_over(self) -> bool:
        """Whether nothing is left."""
        return time.monotonic() >= self._until

    @property
    def is_shorter(self) -> bool:
        """Whether notably less is left than connections wait by themselves."""
        return self._until - time.monotonic() < self.seconds * (1 - SPENT)
