"""The pauses before another try of a request: exponential backoff with full jitter, never past a call's deadline."""

from __future__ import annotations

import random

from dbrouter.backends.kernel.deadline import Deadline

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 2.0
"""Seconds."""
_DOUBLINGS = 10


def pause_before(
    tried: int,
    deadline: Deadline,
    error: Exception,
    *,
    first: float = FIRST_PAUSE,
    longest: float = LONGEST_PAUSE,
) -> float:
    """Seconds to wait before the next try: longer after each, and no two callers' the same.

    Raises `error` if the deadline comes first. tried: how often it was tried before the last time.
    """
    pause = random.uniform(0, min(longest, first * 2 ** min(tried, _DOUBLINGS)))  # noqa: S311  # not a secret
    if pause >= deadline.left():
        raise error
    return pause
