"""The thread that writes behind: ended by who takes it, begun again by who wakes it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dbrouter.policies.writer_thread import WriterThread
from tests.waiting import until


class Journal:
    """Counts its writes; `during` is called within one."""

    def __init__(self) -> None:
        self.writes = 0
        self.during: Callable[[], Any] | None = None

    async def write(self) -> bool:
        """Nothing is ever left."""
        during, self.during = self.during, None
        if during is not None:
            during()
        self.writes += 1
        return False


@pytest.fixture(params=[True, False], ids=["blocking", "async"])
def written(request: pytest.FixtureRequest) -> Iterator[tuple[Journal, WriterThread]]:
    journal = Journal()
    thread = WriterThread(journal.write, delay=0.001, blocking=request.param)
    yield journal, thread
    thread.stop()


class WakesWhenFree:
    """A lock that calls `then` once, when it is let go."""

    def __init__(self, then: Callable[[], Any]) -> None:
        self._lock = threading.Lock()
        self._then: Callable[[], Any] | None = then

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *error: object) -> None:
        self._lock.release()
        then, self._then = self._then, None
        if then is not None:
            then()


def test_who_wakes_it_while_it_is_stopped_begins_one_that_goes_on(written: tuple[Journal, WriterThread]) -> None:
    journal, thread = written
    thread.wake()
    until(lambda: journal.writes == 1)
    # Between the two halves of `stop`: the thread is taken, and not yet told.
    thread._lock = WakesWhenFree(thread.wake)  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
    thread.stop()
    until(lambda: journal.writes >= 2)
    for _ in range(3):
        before = journal.writes
        thread.wake()
        until(lambda before=before: journal.writes > before)


def test_a_thread_that_died_is_begun_anew(written: tuple[Journal, WriterThread]) -> None:
    journal, thread = written
    thread.wake()
    until(lambda: journal.writes == 1)
    thread.abandon()
    ended = thread._thread  # pyright: ignore[reportPrivateUsage]
    assert ended is not None
    ended.join()
    before = journal.writes
    thread.wake()
    until(lambda: journal.writes > before)


def test_what_comes_while_the_last_write_goes_on_is_written_too(written: tuple[Journal, WriterThread]) -> None:
    journal, thread = written
    going, go_on = threading.Event(), threading.Event()

    def during() -> None:
        going.set()
        go_on.wait()

    journal.during = during
    thread.wake()
    going.wait()
    thread.wake()
    stopping = threading.Thread(target=thread.stop)
    stopping.start()
    until(lambda: thread._thread is None)  # pyright: ignore[reportPrivateUsage]
    go_on.set()
    stopping.join()
    assert journal.writes == 2
