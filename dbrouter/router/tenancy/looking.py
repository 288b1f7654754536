"""A thread that calls something every few seconds, for as long as there is somebody to call."""

from __future__ import annotations

import threading
import weakref
from types import MethodType


class Looking:
    """Calls `look` every so many seconds on a daemon thread, and soon after `wake`.

    look: a bound method; its object is not kept alive, and the thread ends with it. It raises nothing.
    """

    def __init__(self, look: MethodType, *, every: float) -> None:
        self._look = weakref.WeakMethod(look)
        self._every = every
        self._woken = threading.Event()
        self._ended = False
        gone = weakref.finalize(look.__self__, self._woken.set)
        # Nothing is looked at while the process ends.
        gone.atexit = False
        self._thread = threading.Thread(target=self._run, name="dbrouter-tenants", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Have it look soon."""
        self._woken.set()

    def end(self) -> None:
        """End the thread. A look under way is not waited for."""
        self._ended = True
        self._woken.set()

    def _run(self) -> None:
        while True:
            self._woken.wait(self._every)
            self._woken.clear()
            look = self._look()
            if self._ended or look is None:
                return
            look()
            # Kept no longer than the call, or it would live as long as this thread.
            del look
