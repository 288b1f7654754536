"""Rows of traces whose tenant is not known yet: kept for a moment, until their root span is found to be somebody's.

An agent that has a tenant's view, and no context, says whose it is only when it asks its db for something, and by then
its first spans have ended. Nothing is kept for long, and nothing is dropped in silence: whoever writes traces asks in
its turn what has waited for too long, and the end of the db or of the process tells what still waits.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
import weakref
from collections import OrderedDict

from dbrouter.backends.kernel.forking import begins_anew_in_a_child
from dbrouter.backends.kernel.ops import Upsert

PATIENCE = 60.0
"""Seconds that rows wait at least: as long as a run may take before it asks its db for something."""
MOST = 5_000
"""Rows that wait; beyond it the oldest are dropped."""
logger = logging.getLogger("dbrouter.traces")


class Undecided:
    """Writes of traces that nobody is known to own."""

    def __init__(self, *, patience: float = PATIENCE, most: int = MOST) -> None:
        self._patience = patience
        self._most = most
        self.dropped = 0
        """Rows that were nobody's for too long, or to the end."""
        self._told_at_exit = False
        self.begin_anew()
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """Hold nothing."""
        self._waiting: OrderedDict[str, tuple[float, list[Upsert]]] = OrderedDict()
        self._rows = 0
        self._lock = threading.Lock()

    def hold(self, trace_id: str, upsert: Upsert) -> None:
        """Keep a write of one trace."""
        if not self._told_at_exit:
            self._told_at_exit = True
            atexit.register(_close_at_exit, weakref.ref(self))
        with self._lock:
            self._waiting.setdefault(trace_id, (time.monotonic(), []))[1].append(upsert)
            self._rows += len(upsert.records)
            self._shrink()

    def taken(self, trace_id: str) -> tuple[Upsert, ...]:
        """The writes of a trace that has been found to be somebody's, in their order."""
        if not self._waiting:
            return ()
        with self._lock:
            _, upserts = self._waiting.pop(trace_id, (0.0, []))
            self._rows -= sum(len(each.records) for each in upserts)
            self._shrink()
        return tuple(upserts)

    def expire(self) -> bool:
        """Drop what has waited for too long; whether anything still waits."""
        if not self._waiting:
            return False
        with self._lock:
            self._shrink()
            return bool(self._waiting)

    def close(self) -> None:
        """Drop what waits: nobody is left to say whose it is. More may be held afterwards."""
        with self._lock:
            while self._waiting:
                self._drop_oldest()

    def _shrink(self) -> None:
        now = time.monotonic()
        while self._waiting:
            since, _ = next(iter(self._waiting.values()))
            if self._rows <= self._most and now - since < self._patience:
                return
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        trace_id, (_, upserts) = self._waiting.popitem(last=False)
        rows = sum(len(each.records) for each in upserts)
        self._rows -= rows
        self.dropped += rows
        logger.error(
            "traces: nothing says whose trace %s is, %d rows dropped; %d since the start",
            trace_id,
            rows,
            self.dropped,
        )


def _close_at_exit(undecided: weakref.ref[Undecided]) -> None:
    alive = undecided()
    if alive is not None:
        alive.close()
