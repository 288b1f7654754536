"""What a forked child must not take over: its parent's threads, locks, sockets and unwritten rows.

Servers load an application once and fork workers; a router made before the fork works in every one of them.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class BeginsAnew(Protocol):
    """Something that holds what cannot be shared between processes."""

    def begin_anew(self) -> None:
        """Drop it, without closing it: it is the parent's. Called in the child, before anything else runs there."""
        ...


_LIVE: weakref.WeakSet[BeginsAnew] = weakref.WeakSet()


def begins_anew_in_a_child(each: BeginsAnew) -> None:
    """Have it begin anew in every process forked from this one, as long as it lives."""
    _LIVE.add(each)


def _in_the_child() -> None:
    for each in list(_LIVE):
        each.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_the_child)
