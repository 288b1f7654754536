"""Threads and tasks on one store: one winner, no position twice, no increment lost."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest

from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.errors import Conflict, Duplicate
from dbrouter.backends.kernel.filters import Field, is_null
from dbrouter.backends.kernel.merging import Next, Replace
from dbrouter.backends.kernel.ops import ABSENT, Claim, Commit, Get, Insert, Op, Order, Put, Scan, Upsert
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.memory.store import MemoryStore
from dbrouter.testing.minimal import AsyncMinimalStore, MinimalStore
from tests.kernel.rows import metric, run, schedule, session

T = TypeVar("T")


def _dawdle(_: Op[Any]) -> None:
    """Give the other threads a chance between any two requests."""
    time.sleep(random.uniform(0, 0.0005))


STORES: dict[str, Callable[[], Store]] = {
    "memory": MemoryStore,
    "emulated": lambda: Emulated(MinimalStore(watch=_dawdle)),
    "emulated over atomic commits": lambda: Emulated(MinimalStore(commits=True, watch=_dawdle)),
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> Store:
    """A store that threads share."""
    return STORES[request.param]()


def test_each_free_record_is_claimed_once(store: Store) -> None:
    for each in range(12):
        _ask(store, Insert(table="schedules", records=(schedule(f"s{each}", f"n{each}", next_run_at=each),)))
    claims = _at_once(16, lambda worker: _ask(store, _claim(f"w{worker}")))
    claimed = [record for record in claims if record is not None]
    assert sorted(record["id"] for record in claimed) == sorted(f"s{each}" for each in range(12))
    assert len({record["locked_by"] for record in claimed}) == 12


def test_no_position_is_given_twice(store: Store) -> None:
    _ask(store, Insert(table="sessions", records=(session("s"),)))
    _at_once(16, lambda worker: [_ask(store, _run(f"{worker}-{turn}")) for turn in range(4)])
    positions = [row["run_index"] for row in _ask(store, Scan(table="runs")).records]
    assert sorted(positions) == list(range(64))


def test_no_change_is_lost_between_writers_that_expect_what_they_read(store: Store) -> None:
    _ask(store, Insert(table="sessions", records=(session("s", session_data={"n": 0}),)))

    def increments(_: int) -> None:
        left = 10
        while left:
            found = _ask(store, Get(table="sessions", key=("s",), versioned=True))
            assert found is not None
            record = {**found.record, "session_data": {"n": found.record["session_data"]["n"] + 1}}
            op = Upsert(table="sessions", records=(record,), rules={"session_data": Replace()}, expect=found.version)
            left -= _ask(store, op)[0] is not None

    _at_once(8, increments)
    assert _ask(store, Scan(table="sessions")).records[0]["session_data"] == {"n": 80}


def test_of_writers_that_expect_one_version_one_succeeds(store: Store) -> None:
    _ask(store, Insert(table="sessions", records=(session("s"),)))
    found = _ask(store, Get(table="sessions", key=("s",), versioned=True))
    assert found is not None
    version = found.version

    def put(worker: int) -> bool:
        write = Put(table="sessions", record=session("s", user_id=f"{worker}"), expect=version)
        try:
            _ask(store, Commit(writes=(write,)))
        except Conflict:
            return False
        return True

    assert sum(_at_once(8, put)) == 1


def test_of_writers_that_expect_absence_one_succeeds(store: Store) -> None:
    def create(worker: int) -> bool:
        op = Upsert(table="sessions", records=(session("s", user_id=f"{worker}"),), expect=ABSENT)
        return _ask(store, op)[0] is not None

    assert sum(_at_once(8, create)) == 1


def test_a_unique_value_goes_to_one_record(store: Store) -> None:
    def create(worker: int) -> bool:
        try:
            _ask(store, Insert(table="schedules", records=(schedule(f"{worker}", "same"),)))
        except Duplicate:
            return False
        return True

    assert sum(_at_once(8, create)) == 1
    assert len(_ask(store, Scan(table="schedules")).records) == 1


def test_upserts_by_a_unique_set_make_one_record(store: Store) -> None:
    def save(worker: int) -> Any:
        op = Upsert(
            table="metrics",
            records=(metric(f"{worker}", "u", users_count=worker),),
            rules={"users_count": Replace()},
            on=("user_id", "date", "aggregation_period"),
        )
        saved = _ask(store, op)[0]
        return saved and saved.record["id"]

    ids = _at_once(8, save)
    assert [row["id"] for row in _ask(store, Scan(table="metrics")).records] == list(set(ids))


def test_tasks_of_one_event_loop_race_as_threads_do() -> None:
    async def race() -> None:
        store = Emulated(AsyncMinimalStore())
        await store.execute(Insert(table="sessions", records=(session("s"),)))
        await asyncio.gather(*(store.execute(_run(f"r{each}")) for each in range(12)))
        runs = (await store.execute(Scan(table="runs"))).records
        assert sorted(row["run_index"] for row in runs) == list(range(12))
        for each in range(3):
            await store.execute(Insert(table="schedules", records=(schedule(f"s{each}", f"n{each}"),)))
        claims = await asyncio.gather(*(store.execute(_claim(f"w{worker}")) for worker in range(5)))
        assert sorted(record["id"] for record in claims if record is not None) == ["s0", "s1", "s2"]

    asyncio.run(race())


def _claim(worker: str) -> Claim:
    free = is_null("locked_by")
    return Claim(table="schedules", where=free, order=(Order(Field("next_run_at")),), changes={"locked_by": worker})


def _run(run_id: str) -> Upsert:
    return Upsert(table="runs", records=(run(run_id),), rules={"run_index": Next("session_id")})


def _ask(store: Store, op: Op[T]) -> T:
    return finish(store.execute(op))


def _at_once(workers: int, work: Callable[[int], T]) -> list[T]:
    """What each worker answers, all started together."""
    start = threading.Barrier(workers)

    def started(worker: int) -> T:
        start.wait()
        return work(worker)

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(started, range(workers)))
