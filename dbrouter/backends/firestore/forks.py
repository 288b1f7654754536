"""gRPC in forked children: whether this process can use it, for where it cannot, requests would hang for ever.

It asks the environment once, when it is imported, whether it shall survive forks. It never survives one while a thread
is in a call, and its asynchronous form always has one.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager

from dbrouter.backends.kernel.errors import StoreError
from dbrouter.backends.kernel.forking import begins_anew_in_a_child

FORKS = "GRPC_ENABLE_FORK_SUPPORT"


def prepare() -> None:
    """Let children of this process use gRPC, unless the environment says something or gRPC is there already."""
    if "grpc" not in sys.modules:
        os.environ.setdefault(FORKS, "1")


class ThisProcess:
    """What was done with gRPC here, and why it cannot be used, if it cannot."""

    def __init__(self) -> None:
        self._used = False
        self._asynchronous = False
        self._calling: set[int] = set()
        self._unusable: str | None = None
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """Look at what the parent left."""
        if self._used and self._unusable is None:
            if os.environ.get(FORKS, "").lower() not in ("1", "true", "yes", "on", "y", "t"):
                self._unusable = f"gRPC was imported without {FORKS}=1: set it before the program starts"
            elif self._asynchronous:
                self._unusable = "gRPC was used asynchronously before: fork before the first call"
            elif self._calling:
                self._unusable = "other threads were in calls at that moment: fork before the first call"
        self._used = self._asynchronous = False
        self._calling = set()

    def uses(self, place: str, *, asynchronous: bool) -> None:
        """A channel is about to be made. Raises `StoreError` if it would hang."""
        if self._unusable is not None:
            raise StoreError(
                f"{place}: this process was forked from one that had used it, and {self._unusable}, or start children "
                "anew (spawn)"
            )
        self._used = True
        self._asynchronous = self._asynchronous or asynchronous

    @contextmanager
    def calling(self) -> Generator[None]:
        """This thread is in a call."""
        thread = threading.get_ident()
        self._calling.add(thread)
        try:
            yield
        finally:
            self._calling.discard(thread)


HERE = ThisProcess()
