"""One rate for several processes: a bucket in a table."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbrouter.backends.kernel.errors import LimitExceeded, Unavailable
from dbrouter.backends.kernel.ops import Get, Op, Scan
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.memory.store import AsyncMemoryStore, MemoryStore
from dbrouter.policies.limits.leasing import LIFETIME, PARTS, LeasedBucket
from dbrouter.policies.limits.limited import Limited
from dbrouter.policies.limits.limits import Limits
from dbrouter.policies.limits.meter import Meter, Meters
from scripts.servers import Server

GET = Get(table="sessions", key=("s1",))
LONG = 30.0


class Clock:
    """Time as the test has it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Asked(MemoryStore):
    """Counts what it is asked; away if the test says so."""

    asked = 0
    away = False

    async def execute(self, op: Op[Any], /) -> Any:
        self.asked += 1
        if self.away:
            raise Unavailable("the table is away")
        return await super().execute(op)


def process(store: Any, rate: float, clock: Clock, tenant: str = "acme", what: str = "requests") -> LeasedBucket:
    return LeasedBucket(rate, store, tenant=tenant, what=what, clock=clock, wall=clock)


def enter(bucket: LeasedBucket, amount: float = 1, least: float = 1) -> float:
    return finish(bucket.enter(amount, least=least))


def test_processes_share_one_burst_and_one_rate() -> None:
    clock, table = Clock(), MemoryStore()
    processes = [process(table, 20, clock) for _ in range(4)]

    def let_in() -> int:
        return sum(enter(each) == 0 for _ in range(20) for each in processes)

    assert let_in() == 20
    assert let_in() == 0
    clock.now += 0.5
    assert let_in() == 10


def test_the_table_is_asked_once_for_several_calls() -> None:
    clock, table = Clock(), Asked()
    bucket = process(table, 100, clock)
    assert [enter(bucket) for _ in range(100)] == [0.0] * 100
    assert table.asked <= 2 * PARTS  # a read and a write for a tenth
    for _ in range(50):
        assert enter(bucket) > 0
    assert table.asked <= 2 * PARTS + 1, "who was told to wait asks no more before that"


def test_after_the_time_it_said_a_call_is_let_in() -> None:
    clock, table = Clock(), MemoryStore()
    bucket = process(table, 2, clock)
    assert enter(bucket) == enter(bucket) == 0
    assert enter(bucket) == pytest.approx(0.5)
    clock.now += 0.51
    assert enter(bucket) == 0


def test_what_one_process_owes_all_wait_for() -> None:
    clock, table = Clock(), MemoryStore()
    one, other = process(table, 1000, clock), process(table, 1000, clock)
    assert enter(one, 200) == 0
    one.take(4000)  # a large answer
    assert enter(one, 10) > 0
    assert enter(other, 10) > 3
    clock.now += 4.3
    assert enter(other, 10) == 0


@given(
    rate=st.floats(0.5, 200),
    steps=st.lists(st.tuples(st.integers(0, 2), st.floats(0, 1.5)), max_size=80),
)
def test_no_span_of_time_lets_more_through_than_its_share_a_burst_and_what_was_leased(
    rate: float, steps: list[tuple[int, float]]
) -> None:
    clock, table = Clock(), MemoryStore()
    processes = [process(table, rate, clock) for _ in range(3)]
    taken: list[float] = []
    for index, pause in steps:
        clock.now += pause
        taken += [clock.now for _ in range(8) if enter(processes[index]) == 0]
    burst, leased = max(1.0, rate), 3 * max(1.0, rate / PARTS)
    for first, start in enumerate(taken):
        for last in range(first, len(taken)):
            assert last - first + 1 <= burst + leased + rate * (taken[last] - start) + 1e-6


def test_tenants_and_limits_have_buckets_of_their_own_whatever_their_names() -> None:
    clock, table = Clock(), MemoryStore()
    names = [
        ("a", "requests"),
        ("a", "bytes"),
        ('a","requests', "requests"),
        ("a\x00", "requests"),
        ("\ud800", "requests"),
    ]
    for tenant, what in names:
        assert enter(process(table, 1, clock, tenant, what)) == 0
    for tenant, what in names:
        assert enter(process(table, 1, clock, tenant, what)) > 0
    assert finish(table.execute(Scan(table="dbrouter_usage", limit=0, total=True))).total == len(names)


def test_without_the_table_each_process_counts_for_itself_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    clock, table = Clock(), Asked()
    table.away = True
    bucket = process(table, 5, clock)
    with caplog.at_level(logging.WARNING, logger="dbrouter.limits"):
        assert sum(enter(bucket) == 0 for _ in range(20)) == 5
    assert "the table is away; this process counts for itself" in caplog.text
    clock.now += LIFETIME
    assert sum(enter(bucket) == 0 for _ in range(20)) == 5
    table.away = False
    clock.now += 2 * LIFETIME
    assert enter(bucket) == 0
    assert finish(MemoryStore.execute(table, Scan(table="dbrouter_usage", limit=0, total=True))).total == 1


def test_threads_and_tasks_get_exactly_what_there_is() -> None:
    clock = Clock()
    bucket = process(MemoryStore(), 50, clock)
    let_in: list[int] = []

    def calls() -> None:
        for _ in range(20):
            if enter(bucket) == 0:
                let_in.append(1)

    threads = [threading.Thread(target=calls) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(LONG)
    assert len(let_in) == 50

    async def tasks() -> int:
        shared = process(AsyncMemoryStore(), 50, clock)
        return sum(wait == 0 for wait in await asyncio.gather(*(shared.enter(1, least=1) for _ in range(160))))

    assert asyncio.run(tasks()) == 50


def test_a_call_refused_for_its_bytes_has_used_up_no_request() -> None:
    table = MemoryStore()
    meter = Meter(
        "acme", Limits(requests_per_second=2, bytes_per_second=10), blocking=True, clock=Clock(), shared=table
    )
    finish(meter.admit(1000))
    for _ in range(5):
        with pytest.raises(LimitExceeded, match="10 bytes a second"):
            finish(meter.admit(1))
    meter.charge(5)
    assert meter._leased is not None
    assert meter._leased[0] is not None
    assert enter(meter._leased[0]) == 0


def test_a_deployments_meters_share_what_the_table_has() -> None:
    table = MemoryStore()
    limits = Limits(requests_per_second=0.001)
    first, second = (Meters(blocking=True, shared=lambda: table).of("acme", limits) for _ in range(2))
    finish(Limited(MemoryStore(), first).execute(GET))
    with pytest.raises(LimitExceeded, match=r"over its limit of 0\.001 calls"):
        finish(Limited(MemoryStore(), second).execute(GET))


PROCESS = """
import sys, time
from dbrouter.backends.kernel.running import finish
from dbrouter.policies.limits.leasing import LeasedBucket
if sys.argv[1] == "sqlite":
    from dbrouter.backends.sqlite.store import SqliteStore
    store = SqliteStore(sys.argv[2])
else:
    from dbrouter.backends.postgres.store import PostgresStore
    store = PostgresStore(sys.argv[2], schema=sys.argv[3])
bucket = LeasedBucket(100, store, tenant="acme", what="requests")
print("ready", flush=True)
sys.stdin.readline()
began, let_in = time.time(), 0
while time.time() - began < 2:
    if finish(bucket.enter(1, least=1)) == 0:
        let_in += 1
    else:
        time.sleep(0.002)
print(let_in, flush=True)
finish(store.close())
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_two_processes_together_get_one_rate(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if kind == "sqlite":
        place = [str(tmp_path / "usage.db")]
    else:
        server: Server = request.getfixturevalue("postgres")
        place = [server.url, request.getfixturevalue("postgres_schema")]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, kind, *place], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    try:
        for each in processes:
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        began = time.time()
        for each in processes:
            assert each.stdin is not None
            each.stdin.write("\n")
            each.stdin.flush()
        said = [int(each.communicate(timeout=60)[0]) for each in processes]
        took = time.time() - began
    finally:
        for each in processes:
            each.kill()
            each.wait()
    # A burst, the rate, and what each had leased last; two accounts would have let 600 through.
    assert 100 < sum(said) <= 100 + 100 * took + 2 * 100 / PARTS
    assert all(each > 0 for each in said)
