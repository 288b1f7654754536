"""A writer that falls asleep after it has reserved a unique value: what others have been shown does not vanish."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import TypeVar

import pytest

from dbrouter.backends.kernel.emulation import Emulated, reservations
from dbrouter.backends.kernel.emulation.internal_tables import RESERVATIONS
from dbrouter.backends.kernel.errors import Duplicate
from dbrouter.backends.kernel.ops import Commit, Insert, Op, Put, Scan
from dbrouter.backends.kernel.running import BlockingRuntime, finish
from dbrouter.testing.minimal import MinimalStore
from tests.kernel.rows import schedule

R = TypeVar("R")


class Clock(BlockingRuntime):
    """Time goes by only while somebody sleeps."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def monotonic(self) -> float:
        """Seconds since the test began."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Be there at once."""
        self.now += seconds


class Crash(BaseException):
    """The process ends here."""


class Interrupted(MinimalStore):
    """A minimal store whose first writer is held up when it has just reserved: meanwhile something else is run."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        super().__init__()
        self.written: list[str] = []
        self._meanwhile: Callable[[], None] | None = meanwhile

    async def execute(self, op: Op[R], /) -> R:
        """The answer, and what it wrote of schedules kept in `written`."""
        answer = await super().execute(op)
        puts = [write for write in op.writes if isinstance(write, Put)] if isinstance(op, Commit) else []
        self.written += [put.record["id"] for put in puts if put.table == "schedules"]
        if self._meanwhile is not None and any(put.table == RESERVATIONS.name for put in puts):
            meanwhile, self._meanwhile = self._meanwhile, None
            meanwhile()
        return answer


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What reservations go by."""
    clock = Clock()
    monkeypatch.setattr(reservations, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


def test_a_writer_that_overslept_does_not_write_what_it_would_take_back(clock: Clock) -> None:
    def another() -> None:
        finish(store.execute(_insert("another")))

    minimal = Interrupted(another)
    minimal.runtime = clock
    store = Emulated(minimal)
    with pytest.raises(Duplicate):
        finish(store.execute(_insert("slow")))
    assert minimal.written == ["another"]
    assert clock.now >= reservations.GRACE


def test_a_writer_that_nobody_waited_for_reserves_anew(clock: Clock) -> None:
    def nap() -> None:
        clock.now += reservations.LEASE + 1

    minimal = Interrupted(nap)
    minimal.runtime = clock
    store = Emulated(minimal)
    finish(store.execute(_insert("slow")))
    with pytest.raises(Duplicate):
        finish(store.execute(_insert("another")))
    assert minimal.written == ["slow"]


def test_a_commit_goes_on_when_what_it_waits_for_is_taken_by_another(clock: Clock) -> None:
    def crash(op: Op[object]) -> None:
        if isinstance(op, Commit) and op.writes[0].table == "schedules":
            raise Crash

    # What a writer leaves that reserves and writes by turns, over a store that has learned commits since.
    one_by_one = MinimalStore(watch=crash)
    with pytest.raises(Crash):
        finish(Emulated(one_by_one).execute(_insert("crashed")))
    (left,) = finish(one_by_one.execute(Scan(table=RESERVATIONS.name))).records
    minimal = MinimalStore(commits=True)
    minimal.runtime = clock
    finish(minimal.execute(Commit(writes=(Put(table=RESERVATIONS.name, record=left),))))

    async def another(seconds: float) -> None:
        clock.now += seconds
        clock.sleep = super(Clock, clock).sleep  # type: ignore[method-assign]
        await minimal.execute(Commit(writes=(Put(table=RESERVATIONS.name, record={**left, "confirmed": True}),)))

    clock.sleep = another  # type: ignore[method-assign]
    both = (schedule("one", "wanted"), schedule("two", "other"))
    finish(Emulated(minimal).execute(Insert(table="schedules", records=both)))
    assert len(finish(minimal.execute(Scan(table="schedules"))).records) == 2


def test_a_refused_write_reserves_nothing(clock: Clock) -> None:
    def taken() -> None:
        finish(store.execute(_insert("same", name="of the first")))

    minimal = Interrupted(taken)
    minimal.runtime = clock
    store = Emulated(minimal)
    with pytest.raises(Duplicate):
        finish(store.execute(_insert("same", name="of the second")))
    before = clock.now
    finish(store.execute(_insert("another", name="of the second")))
    assert clock.now == before, "nobody is waited for"
    stored = finish(store.execute(Scan(table="schedules"))).records
    assert {row["id"]: row["name"] for row in stored} == {"same": "of the first", "another": "of the second"}


def _insert(id_: str, name: str = "wanted") -> Insert:
    return Insert(table="schedules", records=(schedule(id_, name),))
