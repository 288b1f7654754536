"""A tenant's limits: rates, concurrent calls, what is stored; threads, tasks, processes."""

from __future__ import annotations

import asyncio
import gc
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbrouter.backends.kernel.errors import Duplicate, LimitExceeded, Unavailable
from dbrouter.backends.kernel.filters import eq
from dbrouter.backends.kernel.merging import Replace
from dbrouter.backends.kernel.ops import (
    Aggregate,
    Batch,
    Choice,
    Commit,
    Delete,
    Get,
    Insert,
    Op,
    Put,
    Remove,
    Scan,
    Update,
    Upsert,
)
from dbrouter.backends.kernel.running import AsyncRuntime, BlockingRuntime, finish
from dbrouter.backends.memory.store import AsyncMemoryStore, MemoryStore
from dbrouter.policies.limits.account import SHARE, Account, Verdict
from dbrouter.policies.limits.bucket import Bucket
from dbrouter.policies.limits.limited import Limited, limited
from dbrouter.policies.limits.limits import UNLIMITED, Limits
from dbrouter.policies.limits.meter import REMEMBERED, Meter, Meters
from dbrouter.policies.limits.sizes import answered, size_of, written
from dbrouter.policies.tenancy.confining import Confined
from dbrouter.testing.conformance.records import run, session, span, trace
from scripts.servers import Server

GET = Get(table="sessions", key=("s1",))
LONG = 20.0


class Clock:
    """Time as the test has it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Asked:
    """A store that remembers what it was asked."""

    def __init__(self, inner: Any = None) -> None:
        self.inner = inner or MemoryStore()
        self.runtime = self.inner.runtime
        self.capabilities = self.inner.capabilities
        self.ops: list[Op[Any]] = []
        self.fails: Exception | None = None

    async def execute(self, op: Op[Any]) -> Any:
        self.ops.append(op)
        if self.fails is not None and not isinstance(op, Aggregate):
            raise self.fails
        return await self.inner.execute(op)

    @property
    def counts(self) -> int:
        return sum(isinstance(op, Aggregate) for op in self.ops)


class World:
    """A tenant's limited store with a clock of the test's."""

    def __init__(self, inner: Any = None, **limits: Any) -> None:
        self.clock = Clock()
        self.asked = Asked(inner)
        meter = Meter("acme", Limits(**limits), blocking=True, clock=self.clock)
        self.store = Limited(self.asked, meter)  # type: ignore[arg-type]

    def do(self, op: Op[Any]) -> Any:
        return finish(self.store.execute(op))

    def insert(self, table: str, *records: dict[str, Any]) -> None:
        self.do(Insert(table=table, records=records))

    def refused(self, op: Op[Any]) -> LimitExceeded:
        before = [each for each in self.asked.ops if not isinstance(each, Aggregate | Scan)]
        with pytest.raises(LimitExceeded) as error:
            self.do(op)
        assert [each for each in self.asked.ops if not isinstance(each, Aggregate | Scan)] == before, "it was done"
        return error.value


# Rates


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


# Concurrent calls


class Held:
    """A store whose calls last until told."""

    def __init__(self, *, blocking: bool) -> None:
        self.runtime = BlockingRuntime() if blocking else AsyncRuntime()
        self.capabilities = MemoryStore().capabilities
        self.go = threading.Event()
        self.inside = 0

    async def execute(self, _: Op[Any]) -> None:
        self.inside += 1
        try:
            if self.runtime.blocking:
                assert self.go.wait(LONG)
            else:
                while not self.go.is_set():  # noqa: ASYNC110  # the same event as for threads
                    await asyncio.sleep(0.001)
        finally:
            self.inside -= 1


def test_a_thread_beyond_the_concurrent_ones_waits_a_moment_and_is_refused() -> None:
    held = Held(blocking=True)
    meter = Meter("acme", Limits(concurrent=2), blocking=True, patience=0.02)
    store = Limited(held, meter)  # type: ignore[arg-type]
    threads = [threading.Thread(target=lambda: finish(store.execute(GET))) for _ in range(2)]
    for each in threads:
        each.start()
    until(lambda: held.inside == 2)
    with pytest.raises(LimitExceeded, match="2 calls under way, which is its limit") as refused:
        finish(store.execute(GET))
    assert refused.value.retry_after == 0.02
    held.go.set()
    for each in threads:
        each.join(LONG)
    finish(store.execute(GET))


def test_a_task_beyond_the_concurrent_ones_is_served_when_one_ends_or_is_cancelled() -> None:
    async def story() -> None:
        held = Held(blocking=False)
        store = Limited(held, Meter("acme", Limits(concurrent=2), blocking=False, patience=LONG))  # type: ignore[arg-type]
        tasks = [asyncio.create_task(store.execute(GET)) for _ in range(3)]
        await asyncio.sleep(0.01)
        assert held.inside == 2
        tasks[0].cancel()
        await asyncio.sleep(0.01)
        assert held.inside == 2, "the third took the place of the cancelled one"
        held.go.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert held.inside == 0

    asyncio.run(story())


def test_a_call_that_fails_is_under_way_no_longer() -> None:
    world = World(concurrent=1)
    world.asked.fails = Unavailable("away")
    for _ in range(3):
        with pytest.raises(Unavailable):
            world.do(GET)
    assert world.store._meter.places is not None
    assert world.store._meter.places.parties == 0


# What is stored


def stored(world: World, table: str) -> int:
    return finish(world.asked.inner.execute(Scan(table=table, limit=0, total=True))).total


def test_inserts_stop_at_the_limit_and_the_message_says_which_and_how_many() -> None:
    world = World(rows={"memories": 3})
    for number in range(3):
        world.insert("memories", memory(number))
    refused = world.refused(Insert(table="memories", records=(memory(3),)))
    assert "tenant 'acme' stores 3 of 3 rows of memories, and this would add 1" in str(refused)
    assert refused.retry_after is None
    assert not refused.retryable
    world.insert("sessions", session())  # another family


def test_an_insert_of_several_is_let_in_whole_or_not_at_all() -> None:
    world = World(rows={"memories": 3})
    world.insert("memories", memory(0))
    world.refused(Insert(table="memories", records=tuple(memory(number) for number in range(1, 4))))
    world.insert("memories", memory(1), memory(2))
    assert stored(world, "memories") == 3


def test_upserts_that_replace_are_let_in_at_the_limit_and_those_that_insert_are_not() -> None:
    world = World(rows={"memories": 2})
    rules = {"memory": Replace()}
    for number in range(2):
        world.do(Upsert(table="memories", records=(memory(number),), rules=rules))
    for _ in range(5):
        world.do(Upsert(table="memories", records=(memory(0), memory(1)), rules=rules))
        world.do(Commit(writes=(Put(table="memories", record=memory(1)),)))
    world.refused(Upsert(table="memories", records=(memory(1), memory(2)), rules=rules))
    world.refused(Commit(writes=(Put(table="memories", record=memory(2)),)))
    world.refused(Batch(upserts=(Upsert(table="memories", records=(memory(2),)),)))
    assert stored(world, "memories") == 2


def test_many_replacing_upserts_fill_nothing_up() -> None:
    world = World(rows={"memories": 100})
    for number in range(99):
        world.insert("memories", memory(number))
    for number in range(200):
        world.do(Upsert(table="memories", records=(memory(number % 99),), rules={"memory": Replace()}))
    world.insert("memories", memory(99))
    world.refused(Insert(table="memories", records=(memory(100),)))


def test_a_delete_makes_room_at_once() -> None:
    world = World(rows={"memories": 2})
    world.insert("memories", memory(0), memory(1))
    world.refused(Insert(table="memories", records=(memory(2),)))
    world.do(Delete(table="memories", where=eq("memory_id", "m0")))
    world.insert("memories", memory(2))
    world.refused(Insert(table="memories", records=(memory(3),)))
    world.do(Commit(writes=(Remove(table="memories", key=("m1",)),)))
    world.insert("memories", memory(3))


def test_all_rows_of_a_family_count_and_those_that_go_with_their_parent_do_no_more() -> None:
    world = World(rows={"sessions": 4, "traces": 3})
    world.insert("sessions", session("s1"))
    world.insert("runs", run("r1", "s1"), run("r2", "s1"), run("r3", "s1"))
    world.refused(Insert(table="sessions", records=(session("s2"),)))
    world.do(Delete(table="sessions", where=eq("session_id", "s1")))
    world.insert("sessions", session("s2"), session("s3"), session("s4"))

    world.insert("traces", trace("t1"))
    world.insert("spans", span("a", "t1"), span("b", "t1"))
    world.refused(Batch(upserts=(Upsert(table="traces", records=(trace("t2"),)),)))
    world.do(Delete(table="spans", where=eq("trace_id", "t1")))
    world.do(Delete(table="traces", where=eq("trace_id", "t1")))
    world.do(
        Batch(
            upserts=(Upsert(table="traces", records=(trace("t2"),)), Upsert(table="spans", records=(span("c", "t2"),)))
        )
    )
    assert stored(world, "spans") == 1


def test_what_a_refused_or_failed_write_would_have_added_is_not_counted() -> None:
    world = World(rows={"memories": 2})
    world.insert("memories", memory(0))
    for _ in range(5):
        with pytest.raises(Duplicate):
            world.insert("memories", memory(0))
    world.insert("memories", memory(1))
    world.refused(Insert(table="memories", records=(memory(2),)))


def test_a_write_whose_fate_nobody_knows_counts_until_the_next_count() -> None:
    world = World(rows={"memories": 100})
    world.insert("memories", memory(0))
    account = world.store._meter.stored._of_family["memories"][0].account  # type: ignore[union-attr]
    world.asked.fails = Unavailable("away")
    with pytest.raises(Unavailable):
        world.insert("memories", memory(1))
    assert account.stored == 2
    world.asked.fails = None
    world.clock.now += 60
    world.insert("memories", memory(2))
    assert account.stored == 2


def test_a_full_family_is_not_counted_for_every_try() -> None:
    world = World(rows={"memories": 50})
    world.insert("memories", *(memory(number) for number in range(50)))
    world.refused(Insert(table="memories", records=(memory(50),)))
    before = world.asked.counts
    for _ in range(100):
        world.refused(Insert(table="memories", records=(memory(50),)))
    assert world.asked.counts == before
    # Somebody else deleted: seen within a second.
    finish(world.asked.inner.execute(Delete(table="memories", where=eq("memory_id", "m1"))))
    world.clock.now += 1.1
    world.insert("memories", memory(50))


def test_a_tenant_far_from_its_limit_is_counted_once_in_a_while() -> None:
    world = World(rows={"memories": 3200})
    for number in range(200):
        world.insert("memories", memory(number))
    assert world.asked.counts <= 1 + 200 // (3200 // SHARE)


def test_reads_ask_nothing_more() -> None:
    world = World(rows={"sessions": 1})
    world.do(GET)
    world.do(Scan(table="sessions"))
    assert world.asked.counts == 0


def test_bytes_stop_at_the_limit_and_replacing_does_not_fill_them_up() -> None:
    world = World(bytes={"memories": 10_000})
    text = "x" * 3000
    for number in range(3):
        world.insert("memories", memory(number, memory={"text": text}))
    refused = world.refused(Insert(table="memories", records=(memory(3, memory={"text": text}),)))
    assert "of 10000 bytes of memories" in str(refused)
    for _ in range(20):
        record = memory(1, memory={"text": text.upper()})
        world.do(Upsert(table="memories", records=(record,), rules={"memory": Replace()}))
        world.do(Update(table="memories", where=eq("memory_id", "m2"), changes={"memory": {"text": text.lower()}}))
    larger = {"text": "x" * 6000}
    world.refused(Update(table="memories", where=eq("memory_id", "m2"), changes={"memory": larger}))
    world.refused(Upsert(table="memories", records=(memory(2, memory=larger),), rules={"memory": Replace()}))
    # Each of three records grows by 400: together too much.
    more = {"text": "x" * 3400}
    world.refused(Update(table="memories", where=eq("agent_id", "a"), changes={"memory": more}))
    world.do(Delete(table="memories", where=eq("memory_id", "m0")))
    world.do(Update(table="memories", where=eq("memory_id", "m2"), changes={"memory": {"text": "x" * 5000}}))


@pytest.mark.parametrize("isolation", ["plain", "rows"])
@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgres"])
def test_rows_and_bytes_are_counted_where_they_are(
    kind: str, isolation: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    store = opened(kind, tmp_path, request)
    try:
        if isolation == "rows":
            others = Confined(store, "other")
            finish(others.execute(Insert(table="memories", records=tuple(memory(number) for number in range(50)))))
            world = World(Confined(store, "acme"), rows={"memories": 4}, bytes={"memories": 100_000})
        else:
            world = World(store, rows={"memories": 4}, bytes={"memories": 100_000})
        # Text that does not compress.
        noise = random.Random(5).randbytes(15_000).hex()
        world.insert("memories", memory(0, memory={"text": noise}))
        world.insert("memories", memory(1))
        world.refused(Insert(table="memories", records=tuple(memory(number) for number in range(2, 6))))
        assert "bytes" in str(
            world.refused(
                Insert(table="memories", records=(memory(2, memory={"t": random.Random(6).randbytes(45_000).hex()}),))
            )
        )
        world.insert("memories", memory(2))
        world.insert("memories", memory(3))
        assert "stores 4 of 4 rows" in str(world.refused(Insert(table="memories", records=(memory(4),))))
        world.do(Upsert(table="memories", records=(memory(3),), rules={"memory": Replace()}))
    finally:
        finish(store.close())


def opened(kind: str, folder: Path, request: pytest.FixtureRequest) -> Any:
    if kind == "memory":
        return MemoryStore()
    if kind == "sqlite":
        from dbrouter.backends.sqlite.store import SqliteStore

        return SqliteStore(folder / "stored.db")
    from dbrouter.backends.postgres.store import PostgresStore

    server: Server = request.getfixturevalue("postgres")
    return PostgresStore(server.url, schema=request.getfixturevalue("postgres_schema"))


def test_threads_at_once_never_pass_the_limit() -> None:
    inner = MemoryStore()
    meter = Meter("acme", Limits(rows={"memories": 60}), blocking=True)
    store = Limited(inner, meter)
    refused: list[int] = []

    def adds(thread: int) -> None:
        for number in range(20):
            try:
                finish(store.execute(Insert(table="memories", records=(memory(f"{thread}-{number}"),))))
            except LimitExceeded:
                refused.append(1)

    threads = [threading.Thread(target=adds, args=(number,)) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(LONG)
    assert finish(inner.execute(Scan(table="memories", limit=0, total=True))).total == 60
    assert len(refused) == 60


def test_tasks_at_once_never_pass_the_limit_and_share_one_count() -> None:
    async def story() -> None:
        asked = Asked(AsyncMemoryStore())
        store = Limited(asked, Meter("acme", Limits(rows={"memories": 3200}), blocking=False))  # type: ignore[arg-type]
        ops = [Insert(table="memories", records=(memory(number),)) for number in range(90)]
        await asyncio.gather(*(store.execute(op) for op in ops))
        assert asked.counts == 1

    asyncio.run(story())


@given(
    limit=st.integers(1, 200),
    steps=st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(["add", "add", "add", "delete", "wait"]), st.integers(1, 12)),
        max_size=120,
    ),
)
def test_several_processes_pass_the_limit_by_no_more_than_was_promised(
    limit: int, steps: list[tuple[int, str, int]]
) -> None:
    clock = Clock()
    processes = [Account(limit, clock) for _ in range(3)]
    truth, largest = 0, 1
    for process, what, amount in steps:
        account = processes[process]
        if what == "wait":
            clock.now += amount
        elif what == "delete":
            truth -= min(truth, amount)
            account.removed()
        else:
            verdict = account.enter(amount)
            if verdict is Verdict.UNKNOWN:
                account.count(truth, account.begin_count())
                verdict = account.enter(amount, just_counted=True)
            if verdict is Verdict.FITS:
                truth += amount
                largest = max(largest, amount)
                account.end(amount, stored=True)
        assert truth <= limit + 2 * max(limit // SHARE, largest)


PROCESS = """
import random
import sys
import time
from dbrouter.backends.kernel.errors import LimitExceeded
from dbrouter.backends.kernel.ops import Insert
from dbrouter.backends.kernel.running import finish
from dbrouter.policies.limits.limited import Limited
from dbrouter.policies.limits.limits import Limits
from dbrouter.policies.limits.meter import Meter
kind, where, name = sys.argv[1:4]
if kind == "sqlite":
    from dbrouter.backends.sqlite.store import SqliteStore
    inner = SqliteStore(where)
else:
    from dbrouter.backends.postgres.store import PostgresStore
    inner = PostgresStore(where, schema=sys.argv[4])
store = Limited(inner, Meter("acme", Limits(rows={"memories": 320}), blocking=True))
added = 0
print("ready", flush=True)
sys.stdin.readline()
try:
    while True:
        record = {"memory_id": f"{name}-{added}", "memory": {}, "created_at": 1, "updated_at": 1}
        finish(store.execute(Insert(table="memories", records=(record,))))
        added += 1
        time.sleep(random.random() / 500)
except LimitExceeded as full:
    print(added, full.retry_after, flush=True)
finish(inner.close())
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_two_processes_that_fill_a_family_at_once_stop_within_the_promised_bound(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    store = opened(kind, tmp_path, request)
    finish(store.execute(Insert(table="memories", records=(memory(0),))))
    if kind == "sqlite":
        place = ["sqlite", str(tmp_path / "stored.db")]
    else:
        place = ["postgres", request.getfixturevalue("postgres").url]
    schema = [request.getfixturevalue("postgres_schema")] if kind == "postgres" else []
    command = [sys.executable, "-c", PROCESS, *place]
    processes = [
        subprocess.Popen([*command, name, *schema], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name in ("a", "b")
    ]
    try:
        for each in processes:
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        for each in processes:
            assert each.stdin is not None
            each.stdin.write("\n")
            each.stdin.flush()
        said = [each.communicate(timeout=60)[0].split() for each in processes]
    finally:
        for each in processes:
            each.kill()
            each.wait()
    total = finish(store.execute(Scan(table="memories", limit=0, total=True))).total
    finish(store.close())
    assert [retry for _, retry in said] == ["None", "None"]
    assert total == 1 + sum(int(added) for added, _ in said)
    assert all(int(added) > 10 for added, _ in said), "both took part"
    assert 320 <= total <= 320 + 320 // SHARE


# Whose meter


def test_without_limits_the_store_is_as_it_was() -> None:
    store = MemoryStore()
    assert limited(store, Meters(blocking=True).of("acme", UNLIMITED)) is store


def test_all_stores_of_a_tenant_share_what_it_may_use() -> None:
    meters = Meters(blocking=True)
    limits = Limits(requests_per_second=0.001)
    first, second = (limited(MemoryStore(), meters.of("acme", limits)) for _ in range(2))
    finish(first.execute(GET))
    with pytest.raises(LimitExceeded):
        finish(second.execute(GET))
    finish(limited(MemoryStore(), meters.of("globex", limits)).execute(GET))


def test_a_view_for_a_component_has_its_tenants_limits() -> None:
    class WithViews(MemoryStore):
        def bound(self, _: object) -> MemoryStore:
            return MemoryStore()

    store = Limited(WithViews(), Meter("acme", Limits(requests_per_second=0.001), blocking=True))
    finish(store.bound("an agent").execute(GET))
    with pytest.raises(LimitExceeded):
        finish(store.execute(GET))


def test_new_limits_count_from_the_next_store_on() -> None:
    meters = Meters(blocking=True)
    old = meters.of("acme", Limits(requests_per_second=1))
    assert meters.of("acme", Limits(requests_per_second=1)) is old
    new = meters.of("acme", Limits(requests_per_second=2))
    assert new is not old
    assert meters.of("acme", Limits(requests_per_second=2)) is new


def test_tenants_who_are_gone_leave_only_a_bounded_memory() -> None:
    meters = Meters(blocking=True)
    limits = Limits(requests_per_second=1, concurrent=8, rows={"memories": 1})
    for number in range(REMEMBERED + 500):
        meters.of(f"tenant {number}", limits)
    gc.collect()
    assert len(meters._live) == len(meters._latest) == REMEMBERED


def memory(number: int | str, **columns: Any) -> dict[str, Any]:
    return {"memory_id": f"m{number}", "memory": {}, "agent_id": "a", "created_at": 1, "updated_at": 1, **columns}


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.001)
