"""A thread that writes behind: woken by work, patient for company, flushed before the process ends."""

from __future__ import annotations

import asyncio
import atexit
import threading
import weakref
from collections.abc import Callable, Coroutine
from typing import Any

from dbrouter.backends.kernel.forking import begins_anew_in_a_child
from dbrouter.backends.kernel.running import finish

FIRST_RETRY, LONGEST_RETRY = 0.1, 5.0
LAST_WORDS = 5.0
"""Seconds that the end of the process waits for a last write."""


class WriterThread:
    """Calls `write` `delay` seconds after it was woken, again later while it answers that something is left.

    write: a bound method; its object is kept alive only while there is work. blocking: whether `write` never suspends;
    otherwise the thread has an event loop of its own.
    """

    def __init__(self, write: Callable[[], Coroutine[Any, Any, bool]], *, delay: float, blocking: bool) -> None:
        self._write = weakref.WeakMethod(write)
        self._held: Callable[[], Coroutine[Any, Any, bool]] | None = None
        self._delay = delay
        self._blocking = blocking
        self._at_end: Callable[[], Coroutine[Any, Any, None]] | None = None
        self.begin_anew()
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """Have no thread yet."""
        self._work = threading.Event()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """There is something to write."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._start()
            self._held = self._write()
            self._work.set()

    def abandon(self) -> None:
        """End the thread: nobody is left to write for."""
        self._stop.set()
        self._work.set()

    def _start(self) -> None:
        self._work, self._stop = threading.Event(), threading.Event()
        events = (self._stop, self._work)
        self._thread = threading.Thread(target=self._run, args=events, name="dbrouter-traces", daemon=True)
        self._thread.start()
        atexit.register(_stop_at_exit, weakref.ref(self))

    def stop(self, at_end: Callable[[], Coroutine[Any, Any, None]] | None = None) -> None:
        """Write once more and end the thread. at_end: run on the thread's own event loop, to close what it opened."""
        with self._lock:
            # Together: once there is no thread, whoever wakes this begins another, with events of its own.
            thread, self._thread = self._thread, None
            stop, work = self._stop, self._work
        if thread is None or not thread.is_alive():
            return
        self._at_end = at_end
        stop.set()
        work.set()
        thread.join(LAST_WORDS)

    def _run(self, stop: threading.Event, work: threading.Event) -> None:
        loop = None if self._blocking else asyncio.new_event_loop()
        retry = 0.0
        while True:
            work.wait(retry or None)
            if not stop.is_set():
                # More spans of the same trace are on their way.
                stop.wait(self._delay)
            work.clear()
            # What came while a write was going on is written before the end too.
            ending = stop.is_set()
            left = self._call(loop)
            with self._lock:
                if not left and not work.is_set():
                    self._held = None
            if ending:
                break
            retry = min(LONGEST_RETRY, max(FIRST_RETRY, 2 * retry)) if left else 0.0
        self._end(loop)

    def _call(self, loop: asyncio.AbstractEventLoop | None) -> bool:
        write = self._write()
        if write is None:
            return False
        return finish(write()) if loop is None else loop.run_until_complete(write())

    def _end(self, loop: asyncio.AbstractEventLoop | None) -> None:
        if loop is None:
            return
        if self._at_end is not None:
            loop.run_until_complete(self._at_end())
        loop.close()


def _stop_at_exit(writer: weakref.ref[WriterThread]) -> None:
    alive = writer()
    if alive is not None:
        alive.stop()
