"""How long a call waits in all, and how often it is sent: the same for blocking and async connections."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from dbrouter.backends.kernel.deadline import Deadline
from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.backends.sql.connections import Unit
from dbrouter.backends.sql.driver import Aftermath, Failure

ATTEMPTS = 4
"""Sends of one unit at most, deadlocks and broken idle connections included."""

STALE_IN_A_ROW = 100
"""Dead connections replaced for one call; more than any pool of ours holds."""

_RUNNING: ContextVar[Deadline | None] = ContextVar("dbrouter_deadline", default=None)


_GENERATION = "dbrouter_generation"


class Generation:
    """Tells the connections that lead to a server that was demoted from those that were opened since.

    Behind one address another server may have taken its place; who keeps the old connections can write no more.
    """

    def __init__(self) -> None:
        self._now = 0

    def is_over(self, pooled: Any) -> bool:
        """Whether this connection, as the pool lends it, is of an earlier one. Its own is that which it met first."""
        return pooled.info.setdefault(_GENERATION, self._now) < self._now

    def end(self, pooled: Any) -> None:
        """Let no connection be used again that is as old as this one."""
        self._now = max(self._now, pooled.info.get(_GENERATION, self._now) + 1)


class Opening:
    """While a connection is taken from the pool: lets whoever has to open one know how long the caller still waits.

    SQLAlchemy's pool has no argument for it. Nothing is noted for a caller who has all its time.
    """

    __slots__ = ("_deadline", "_token")

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline

    def __enter__(self) -> None:
        self._token = _RUNNING.set(self._deadline) if self._deadline.is_shorter else None

    def __exit__(self, *_: object) -> None:
        if self._token is not None:
            _RUNNING.reset(self._token)


def left_for_opening(seconds: float, *, least: float = 0.0) -> float:
    """`seconds`, or what the caller that wants the connection has left of its time if that is less.

    Raises `Unavailable` if less than `least` is left: for clients that cannot be told to try for so short a time.
    """
    deadline = _RUNNING.get()
    if deadline is None:
        return seconds
    left = deadline.left()
    if left < least:
        raise Unavailable(f"{left:.1f} of {deadline.seconds:g} s were left to open a connection; the others are busy")
    return min(seconds, left)


def may_repeat(failure: Failure, unit: Unit, deadline: Deadline) -> bool:
    """Whether the unit may be sent again: there is time, and nothing of it happened, or it only reads."""
    harmless = failure.aftermath is Aftermath.AGAIN or (failure.aftermath is Aftermath.BROKEN and not unit.writes)
    return harmless and not deadline.is_over


def held_by_a_writer(place: str, deadline: Deadline) -> Unavailable:
    """The error of a caller who waited for another writer of this process."""
    return Unavailable(f"{place}: another writer of this process held the database for {deadline.seconds:g} s")


def no_connection(place: str, deadline: Deadline) -> Unavailable:
    """The error of a caller who got no connection in time."""
    return Unavailable(
        f"{place}: no connection in {deadline.seconds:g} s: all are busy (raise pool_size or look for slow calls),"
        " or the server does not answer"
    )


def all_stale(place: str) -> Unavailable:
    """The error of a caller whose connections all turned out to be dead."""
    return Unavailable(f"{place}: {STALE_IN_A_ROW} connections in a row closed at once")
