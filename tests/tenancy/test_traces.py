"""Traces of all tenants go through one buffer, and each tenant's are written, read, kept and dropped apart."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any

import pytest

from dbrouter.backends.kernel.errors import MissingTenant, PolicyError, TenantSuspended, Unavailable
from dbrouter.backends.kernel.ops import Batch, Get, Op, Scan, Upsert
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.memory.store import AsyncMemoryStore, MemoryStore
from dbrouter.policies.trace_buffer import EVERY_PART, BufferLimits, Divided, Share, TraceBuffer
from dbrouter.router.tenancy.binding import ALL, tenant
from tests.families.trace_samples import span, trace
from tests.policies.stores import Watched
from tests.tenancy.deployments import TENANTS, Databases, Deployment, in_a_thread_of_its_own, memory
from tests.waiting import until

IN_TIME = 5.0
WHOSE: ContextVar[str | None] = ContextVar("whose", default=None)
Deploy = Callable[..., Deployment]


def test_every_tenant_reads_its_own_traces_though_ids_are_the_same(deployment: Deployment) -> None:
    for each in TENANTS:
        view = deployment.of(each)
        view.upsert_trace(trace("t", name=each))
        view.create_spans([span("1", "t", name=each), span(f"2-{each}", "t")])
    for each in TENANTS:
        view = deployment.of(each)
        assert (view.get_trace("t").name, view.get_trace("t").total_spans) == (each, 2)
        assert {found.name for found in view.get_spans("t")} == {each, "step"}
        assert view.get_traces()[1] == 1
    everyone = deployment.of(ALL)
    assert (everyone.get_traces()[1], len(everyone.get_spans("t"))) == (3, 6)


def test_the_writer_writes_for_whom_the_trace_was_made_though_it_has_no_context(deployment: Deployment) -> None:
    for each in TENANTS:
        with tenant(each):
            deployment.db.upsert_trace(trace("t", name=each))
    deployment.run(deployment.router.close())
    if deployment.database("x")["kind"] != "memory":
        again = deployment.view(deployment.another())
        for each in TENANTS:
            assert again.over(again.db.for_tenant(each)).get_trace("t").name == each


def test_a_trace_of_nobody_is_refused_and_said_so(deploy: Deploy) -> None:
    made = deploy(memory)
    # As once a provider of spans is known; until then any trace may have begun here.
    made.router._wiring.tenants.parts.trace_began_here = lambda _: False
    with pytest.raises(MissingTenant, match="nothing says whose this trace is"):
        in_a_thread_of_its_own(lambda: made.db.upsert_trace(trace("t")))


def test_what_was_buffered_for_a_tenant_is_read_by_no_other(deploy: Deploy, files: Databases) -> None:
    made = deploy(files, traces={"max_delay_ms": 60_000})
    made.of("acme").upsert_trace(trace("t"))
    for other in ("globex", "initech"):
        assert made.of(other).get_trace("t") is None
        assert made.of(other).get_traces() == ([], 0)
    assert made.of("acme").get_trace("t") is not None


def test_shared_traces_are_written_for_everybody(deploy: Deploy) -> None:
    made = deploy(memory, tenancy={"shared": ["traces"]})
    in_a_thread_of_its_own(lambda: made.db.upsert_trace(trace("t")))
    assert made.of("acme").get_trace("t").trace_id == made.db.get_trace("t").trace_id == "t"


class Parts:
    """A store of several parts, whose rows are whose a context variable says."""

    def __init__(self, made: type[MemoryStore], names: Sequence[str]) -> None:
        self.of = {name: Watched(made()) for name in names}
        self.suspended: set[str] = set()
        self.runtime = made().runtime

    def shares(self, upserts: Sequence[Upsert], /) -> tuple[list[Share], PolicyError | None]:
        whose = WHOSE.get()
        return ([], MissingTenant("nobody's")) if whose is None else ([(whose, tuple(upserts))], None)

    def some_wait(self) -> bool:
        return False

    def share_read(self, _: Op[object], /) -> Any:
        return WHOSE.get() or EVERY_PART

    def share_store(self, part: Any, /) -> Store:
        if part in self.suspended:
            raise TenantSuspended(f"{part} is suspended")
        return self.of[part]

    async def execute(self, op: Op[Any], /) -> Any:
        return await self.of[str(WHOSE.get())].execute(op)

    def __getattr__(self, name: str) -> Any:
        return getattr(next(iter(self.of.values())), name)


class Behind:
    """A buffer over parts, as plain calls."""

    def __init__(self, made: type[MemoryStore], names: Sequence[str], **limits: Any) -> None:
        self.runner = asyncio.Runner()
        self.parts = Parts(made, names)
        assert isinstance(self.parts, Divided)
        self.buffer = TraceBuffer(self.parts, BufferLimits(**{"max_delay": 60.0, "deadline": 2.0, **limits}))

    def run(self, call: Any) -> Any:
        return self.runner.run(_done(call))

    def write(self, whose: str, *traces: str) -> None:
        self.run(_as(whose, self.buffer.execute(_upsert(*traces))))

    def read(self, whose: str, trace_id: str) -> Any:
        return self.run(_as(whose, self.buffer.execute(Get(table="traces", key=(trace_id,)))))

    def stored(self, whose: str) -> list[str]:
        page = self.run(self.parts.of[whose]._inner.execute(Scan(table="traces")))
        return sorted(record["trace_id"] for record in page.records)


async def _done(call: Any) -> Any:
    return await call


async def _as(whose: str, call: Any) -> Any:
    token = WHOSE.set(whose)
    try:
        return await call
    finally:
        WHOSE.reset(token)


def _upsert(*traces: str) -> Upsert:
    row = {"name": "x", "status": "OK", "start_time": "2026-01-01", "end_time": "2026-01-01", "duration_ms": 1}
    records = tuple({"trace_id": each, "created_at": "2026-01-01", **row} for each in traces)
    return Upsert(table="traces", records=records, returning=False)


@pytest.fixture(params=[MemoryStore, AsyncMemoryStore], ids=["blocking", "async"])
def made(request: pytest.FixtureRequest) -> Iterator[Callable[..., Behind]]:
    """Makes buffers over parts: `made("a", "b", max_rows=5)`."""
    all_made: list[Behind] = []

    def make(*names: str, **limits: Any) -> Behind:
        all_made.append(Behind(request.param, names, **limits))
        return all_made[-1]

    yield make
    for each in all_made:
        for store in each.parts.of.values():
            store.away = False
            store.gate.set()
        each.run(each.buffer.close())
        each.runner.close()


Make = Callable[..., Behind]


def batches(behind: Behind) -> dict[str, int]:
    """How many batches each part was given."""
    return {name: len(store.batches) for name, store in behind.parts.of.items()}


def test_a_flush_is_one_batch_for_each_part(made: Make) -> None:
    behind = made("a", "b", "c")
    for number in range(20):
        behind.write("a", f"a{number}")
        behind.write("b", f"b{number}")
    behind.run(behind.buffer.flush())
    assert batches(behind) == {"a": 1, "b": 1, "c": 0}
    assert (len(behind.stored("a")), len(behind.stored("b"))) == (20, 20)


def test_a_read_writes_only_what_is_the_readers(made: Make) -> None:
    behind = made("a", "b")
    behind.write("a", "t")
    behind.write("b", "t")
    assert behind.read("a", "t") is not None
    assert batches(behind) == {"a": 1, "b": 0}


def test_a_read_for_all_writes_everything(made: Make) -> None:
    behind = made("a", "b")
    behind.write("a", "t")
    behind.write("b", "t")
    behind.run(_as("", behind.buffer._flush_for(Get(table="traces", key=("t",)))))
    assert batches(behind) == {"a": 1, "b": 1}


def test_one_thread_writes_for_all(made: Make) -> None:
    behind = made(*(f"p{number}" for number in range(30)), max_delay=0.01)
    before = {thread.name for thread in threading.enumerate()}
    for name in behind.parts.of:
        behind.write(name, "t")
    until(lambda: all(behind.stored(name) for name in behind.parts.of))
    writers = [thread for thread in threading.enumerate() if thread.name == "dbrouter-traces"]
    assert len(writers) - ("dbrouter-traces" in before) == 1


def test_a_database_that_is_away_neither_holds_up_nor_drops_others_traces(made: Make) -> None:
    behind = made("away", "well", max_delay=0.01)
    behind.parts.of["away"].away = True
    behind.write("away", "t")
    for number in range(5):
        behind.write("well", f"t{number}")
        until(lambda number=number: len(behind.stored("well")) == number + 1)
    with pytest.raises(Unavailable):
        behind.read("away", "t")
    assert behind.read("well", "t0") is not None
    behind.parts.of["away"].away = False
    until(lambda: behind.stored("away") == ["t"])
    assert behind.buffer.dropped == 0


def test_a_database_that_hangs_after_a_failure_holds_nobody_up(made: Make) -> None:
    behind = made("slow", "well", max_delay=0.01)
    slow = behind.parts.of["slow"]
    slow.away = True
    behind.write("slow", "t")
    until(lambda: len(slow.batches) > 0)
    slow.away = False
    slow.gate.clear()
    slow.entered.clear()
    assert slow.entered.wait(IN_TIME)
    for number in range(5):
        behind.write("well", f"t{number}")
        until(lambda number=number: len(behind.stored("well")) == number + 1)
    slow.gate.set()
    until(lambda: behind.stored("slow") == ["t"])


def test_a_full_buffer_drops_the_rows_of_whoever_has_most_waiting(made: Make, caplog: pytest.LogCaptureFixture) -> None:
    behind = made("flood", "calm", max_rows=10)
    behind.write("calm", "t0", "t1")
    with caplog.at_level(logging.ERROR, "dbrouter.traces"):
        behind.write("flood", *(f"t{number}" for number in range(20)))
    assert behind.buffer.dropped == 12
    behind.run(behind.buffer.flush())
    assert behind.stored("calm") == ["t0", "t1"]
    assert len(behind.stored("flood")) == 8
    assert "the buffer is full" in caplog.text


def test_traces_of_a_tenant_that_may_not_be_written_any_more_are_dropped_counted_and_told(
    made: Make, caplog: pytest.LogCaptureFixture
) -> None:
    behind = made("gone", "here")
    behind.write("gone", "t0", "t1")
    behind.write("here", "t0")
    behind.parts.suspended.add("gone")
    with caplog.at_level(logging.ERROR, "dbrouter.traces"):
        behind.run(behind.buffer.flush())
    assert (behind.buffer.dropped, behind.stored("gone"), behind.stored("here")) == (2, [], ["t0"])
    assert "gone is suspended" in caplog.text


def test_rows_of_nobody_do_not_cost_the_others_theirs(deploy: Deploy) -> None:
    from dbrouter.router.tenancy.tracing import ATTRIBUTE

    made = deploy(memory)
    made.of("acme").upsert_trace(trace("t"))
    mine = span("1", "t", attributes={ATTRIBUTE: "acme"})
    with pytest.raises(MissingTenant):
        in_a_thread_of_its_own(lambda: made.db.create_spans([mine, span("2", "unknown")]))
    assert [each.span_id for each in made.of("acme").get_spans("t")] == ["1"]


@pytest.fixture
def undecided(deploy: Deploy, caplog: pytest.LogCaptureFixture) -> Iterator[Deployment]:
    """A deployment, and a trace that began in this process of which nothing says yet whose it is."""
    made = deploy(memory, traces={"max_delay_ms": 1})
    made.router._wiring.tenants.parts.trace_began_here = lambda trace_id: trace_id == "t"
    with caplog.at_level(logging.ERROR, "dbrouter.traces"):
        yield made


def test_a_trace_of_nobody_is_dropped_counted_and_told_though_nothing_else_is_written(
    undecided: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    waiting = undecided.router._wiring.tenants.parts.undecided
    waiting._patience = 0.05
    in_a_thread_of_its_own(lambda: undecided.db.upsert_trace(trace("t")))
    until(lambda: waiting.dropped == 1)
    assert caplog.messages == ["traces: nothing says whose trace t is, 1 rows dropped; 1 since the start"]


def test_a_trace_of_nobody_that_waits_at_the_end_is_dropped_counted_and_told(
    undecided: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    waiting = undecided.router._wiring.tenants.parts.undecided
    in_a_thread_of_its_own(lambda: undecided.db.upsert_trace(trace("t")))
    assert waiting.dropped == 0
    undecided.run(undecided.router.close())
    assert (waiting.dropped, waiting.expire()) == (1, False)
    assert "nothing says whose trace t is, 1 rows dropped" in caplog.text


def test_a_trace_of_nobody_is_told_of_at_the_end_of_the_process() -> None:
    script = """
from dbrouter.backends.kernel.ops import Upsert
from dbrouter.router.tenancy.undecided import Undecided
kept = Undecided()
kept.hold("t", Upsert(table="traces", records=({"trace_id": "t"},)))
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "nothing says whose trace t is, 1 rows dropped" in ended.stderr


def test_nothing_is_kept_of_a_part_whose_rows_are_written(made: Make) -> None:
    behind = made("a", "b")
    behind.write("a", "t")
    behind.write("b", "t")
    behind.run(behind.buffer.flush())
    gathered = behind.buffer.parts[0]
    assert (gathered.parts(), gathered.waiting) == ([], 0)


def test_a_batch_is_taken_too(made: Make) -> None:
    behind = made("a")
    behind.run(_as("a", behind.buffer.execute(Batch(upserts=(_upsert("t"),)))))
    assert behind.read("a", "t") is not None
