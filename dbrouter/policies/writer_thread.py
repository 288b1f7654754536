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
        self._loop: asyncio.AbstractEventLoop | None = None

    def wake(self) -> None:
        """There is something to write."""
        if self._thread is None:
            self._start()
        with self._lock:
            self._held = self._write()
            self._work.set()

    def abandon(self) -> None:
        """End the thread: nobody is left to write for."""
        self._stop.set()
        self._work.set()

    def _start(self) -> None:
        with self._lock:
            if self._thread is not None:
                return
            self._work, self._stop = threading.Event(), threading.Event()
            self._thread = threading.Thread(target=self._run, name="dbrouter-traces", daemon=True)
            self._thread.start()
            atexit.register(_stop_at_exit, weakref.ref(self))

    def stop(self, at_end: Callable[[], Coroutine[Any, Any, None]] | None = None) -> None:
        """Write once more and end the thread. at_end: run on the thread's own event loop, to close what it opened."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is None or not thread.is_alive():
            return
        self._at_end = at_end
        self._stop.set()
        self._work.set()
        thread.join(LAST_WORDS)

    def _run(self) -> None:
        stop, work = self._stop, self._work
        retry = 0.0
        while True:
            work.wait(retry or None)
            if not stop.is_set():
                # More spans of the same trace are on their way.
                stop.wait(self._delay)
            work.clear()
            left = self._call()
            with self._lock:
                if not left and not work.is_set():
                    self._held = None
            if stop.is_set():
                break
            retry = min(LONGEST_RETRY, max(FIRST_RETRY, 2 * retry)) if left else 0.0
        self._end()

    def _call(self) -> bool:
        write = self._write()
        return False if write is None else self._finish(write())

    def _finish(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        if self._blocking:
            return finish(coroutine)
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        return self._loop.run_until_complete(coroutine)

    def _end(self) -> None:
        if self._loop is not None:
            if self._at_end is not None:
                self._loop.run_until_complete(self._at_end())
            self._loop.close()
            self._loop = None


def _stop_at_exit(writer: weakref.ref[WriterThread]) -> None:
    alive = writer()
    if alive is not None:
        alive.stop()
