"""What a forked child must not take over: its parent's threads, locks, sockets and unwritten rows.

Servers load an application once and fork workers; a router made before the fork works in every one of them.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
import weakref
from typing import Protocol

PATIENCE = 1.0
"""Seconds that a fork waits for what must not be cut."""

_LET_PASS = 0.02
"""Seconds for which what comes lets a fork go first."""

_PAUSE = 0.0005


class BeginsAnew(Protocol):
    """Something that holds what cannot be shared between processes."""

    def begin_anew(self) -> None:
        """Drop it, without closing it: it is the parent's. Called in the child, before anything else runs there."""
        ...


_LIVE: weakref.WeakSet[BeginsAnew] = weakref.WeakSet()


def begins_anew_in_a_child(each: BeginsAnew) -> None:
    """Have it begin anew in every process forked from this one, as long as it lives."""
    _LIVE.add(each)


_LOCKS: weakref.WeakSet[threading.Lock] = weakref.WeakSet()
_UNDER_WAY: set[uncut] = set()
_FORKING: set[int] = set()
"""Threads that are about to fork. Sets of both kinds change in one step, so that nobody needs a lock to."""


def lock() -> threading.Lock:
    """A lock that is free in a forked child, whoever held it in the parent at that moment.

    For locks around what needs no beginning anew: caches and the like, in which a change that was cut is one that was
    not made.
    """
    made = threading.Lock()
    _LOCKS.add(made)
    return made


class uncut:  # noqa: N801  # read as a word: `with uncut():`
    """A block that is not cut by a fork, which waits for it: what the child has of it would be half a change.

    For moments, and never one within another. A fork waits no longer than `PATIENCE`: it may be the block's own event
    loop that forks.
    """

    __slots__ = ()

    def __enter__(self) -> None:
        until = 0.0
        while True:
            _UNDER_WAY.add(self)
            if not _FORKING:
                return
            until = until or time.monotonic() + _LET_PASS
            if time.monotonic() > until:
                # On this thread may be the loop whose other tasks the fork waits for. It waits for this block, too.
                return
            _UNDER_WAY.discard(self)
            time.sleep(_PAUSE)

    def __exit__(self, *_: object) -> None:
        _UNDER_WAY.discard(self)

    async def __aenter__(self) -> None:
        """As `__enter__`, for tasks: others of the loop, which the fork waits for too, go on."""
        while True:
            _UNDER_WAY.add(self)
            if not _FORKING:
                return
            _UNDER_WAY.discard(self)
            await asyncio.sleep(_PAUSE)

    async def __aexit__(self, *_: object) -> None:
        _UNDER_WAY.discard(self)


def _before() -> None:
    _FORKING.add(threading.get_ident())
    until = time.monotonic() + PATIENCE
    while _UNDER_WAY and time.monotonic() < until:
        time.sleep(_PAUSE)


def _in_the_parent() -> None:
    _FORKING.discard(threading.get_ident())


def _in_the_child() -> None:
    _FORKING.clear()
    _UNDER_WAY.clear()
    for each in list(_LOCKS):
        # As Python's own modules do it. Whoever held the lock is not here to release it.
        each._at_fork_reinit()  # type: ignore[attr-defined]  # noqa: SLF001  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue, reportUnknownMemberType]
    for each in list(_LIVE):
        each.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_the_parent, after_in_child=_in_the_child)
