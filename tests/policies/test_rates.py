"""Requests and bytes a second: buckets, refusals with when to come back, sizes."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbrouter.backends.kernel.errors import LimitExceeded
from dbrouter.backends.kernel.filters import eq
from dbrouter.backends.kernel.ops import (
    Batch,
    Choice,
    Commit,
    Delete,
    Insert,
    Put,
    Remove,
    Scan,
    Upsert,
)
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.memory.store import MemoryStore
from dbrouter.policies.limits.bucket import Bucket
from dbrouter.policies.limits.sizes import answered, size_of, written
from dbrouter.testing.conformance.records import session
from tests.policies.limited_world import GET, LONG, Clock, World


@given(
    rate=st.floats(0.1, 1000),
    steps=st.lists(st.tuples(st.floats(0, 3), st.floats(0.1, 50)), max_size=60),
)
def test_no_span_of_time_lets_more_through_than_its_share_and_one_burst(
    rate: float, steps: list[tuple[float, float]]
) -> None:
    clock = Clock()
    bucket = Bucket(rate, clock)
    taken: list[tuple[float, float]] = []
    for pause, amount in steps:
        clock.now += pause
        if bucket.lacks(amount) == 0 and amount <= bucket.full:
            bucket.take(amount)
            taken.append((clock.now, amount))
    for first, (start, _) in enumerate(taken):
        for last in range(first, len(taken)):
            let_through = sum(amount for _, amount in taken[first : last + 1])
            assert let_through <= bucket.full + rate * (taken[last][0] - start) + 1e-6 * (1 + let_through)


@given(rate=st.floats(0.1, 1000), amounts=st.lists(st.floats(0.1, 2000), min_size=1, max_size=20))
def test_after_the_time_it_said_the_bucket_has_what_was_asked(rate: float, amounts: list[float]) -> None:
    clock = Clock()
    bucket = Bucket(rate, clock)
    for amount in amounts:
        bucket.take(amount)
        clock.now += bucket.lacks(1) + 1e-6
        assert bucket.lacks(1) == 0
        bucket.take(amount)
        clock.now += bucket.owes + 1e-6
        assert bucket.owes == 0


def test_a_clock_that_was_set_back_takes_nothing_away() -> None:
    clock = Clock()
    bucket = Bucket(5, clock)
    clock.now -= 500
    assert bucket.level == 5
    bucket.take(5)
    clock.now += 1
    assert bucket.level == 5


def test_calls_over_the_rate_are_refused_with_when_to_come_back() -> None:
    world = World(requests_per_second=2)
    world.do(GET)
    world.do(GET)
    refused = world.refused(GET)
    assert "'acme' is over its limit of 2 calls a second" in str(refused)
    assert refused.retry_after == pytest.approx(0.5)
    assert refused.retryable
    world.clock.now += 0.49
    world.refused(GET)
    world.clock.now += 0.02  # who was refused has used nothing up
    world.do(GET)


def test_a_rate_below_one_lets_one_call_through_now_and_then() -> None:
    world = World(requests_per_second=0.5)
    world.do(GET)
    assert world.refused(GET).retry_after == pytest.approx(2)
    world.clock.now += 2
    world.do(GET)


def test_bytes_that_are_written_and_read_count_and_are_paid_by_the_next_call() -> None:
    world = World(bytes_per_second=1000)
    big = session("s1", session_data={"text": "x" * 2500})
    world.insert("sessions", big)  # more than a second's worth, but nothing was owed
    owed = world.refused(GET).retry_after
    assert owed == pytest.approx(1.5, abs=0.1)
    world.clock.now += owed
    world.refused(Scan(table="memories")) if world.store._meter._bytes.owes else None  # type: ignore[union-attr]
    world.clock.now += 0.1
    assert world.do(GET).record["session_data"] == {"text": "x" * 2500}  # let in, and its answer is owed
    assert world.refused(GET).retry_after == pytest.approx(2.4, abs=0.2)
    world.clock.now += 3
    world.do(Scan(table="memories"))


def test_sizes_are_those_of_the_text_whatever_it_is_made_of() -> None:
    assert size_of({"a": "abc", "b": "äö", "c": None, "d": 5, "e": 1.5, "f": {"k": "v"}}) == 3 + 4 + 8 + 8 + 9
    assert size_of({"a": "\ud800x", "b": {"k": float("nan")}}) > 5
    assert size_of({"a": Choice(where=eq("id", "x"), then="four", otherwise="sixsix")}) == 6
    one = session()
    assert written(Insert(table="sessions", records=(one, one))) == 2 * size_of(one)
    upsert = Upsert(table="sessions", records=(one,))
    assert written(Batch(upserts=(upsert, upsert))) == 2 * size_of(one)
    assert written(Commit(writes=(Put(table="sessions", record=one), Remove(table="sessions", key=("x",))))) == size_of(
        one
    )
    assert written(GET) == 0
    store = MemoryStore()
    finish(store.execute(Insert(table="sessions", records=(one,))))
    whole = answered(finish(store.execute(Scan(table="sessions"))))
    assert whole == answered(finish(store.execute(GET))) >= size_of(one)
    assert answered(finish(store.execute(Delete(table="sessions", where=eq("session_id", "s1"))))) == 0


def test_many_threads_never_get_more_than_the_burst() -> None:
    world = World(requests_per_second=50)
    let_in: list[int] = []

    def calls() -> None:
        for _ in range(50):
            try:
                world.do(GET)
            except LimitExceeded:
                continue
            let_in.append(1)

    threads = [threading.Thread(target=calls) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(LONG)
    assert len(let_in) == 50
