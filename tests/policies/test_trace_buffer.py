"""Traces are written behind: at once for the caller, in one request for the database, and never lost in silence."""

from __future__ import annotations

import logging
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from dbrouter.backends import SqliteDb
from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.backends.kernel.ops import Get, Insert
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.memory.store import MemoryStore
from dbrouter.policies.trace_buffer import TraceBuffer
from dbrouter.router.families.context import Context
from dbrouter.router.families.traces import Traces
from tests.families.trace_samples import at, span, trace
from tests.policies.conftest import Behind
from tests.waiting import PATIENCE, until

Make = Callable[..., Behind]


def test_who_wrote_a_trace_reads_it(behind: Behind) -> None:
    behind.upsert_trace(trace("t1", name="Agent.run"))
    assert behind.get_trace("t1").name == "Agent.run"
    behind.create_span(span("1", "t1"))
    assert behind.get_span("1").span_id == "1"
    behind.create_spans([span("2", "t1"), span("3", "t1", status_code="ERROR")])
    assert len(behind.get_spans("t1")) == 3
    behind.upsert_trace(trace("t2", session_id="s"))
    assert (behind.get_trace("t1").total_spans, behind.get_trace("t1").error_count) == (3, 1)
    behind.upsert_trace(trace("t3", session_id="s"))
    assert behind.get_traces()[1] == 3
    behind.upsert_trace(trace("t4", session_id="s"))
    assert behind.get_trace_stats(group_by="session")[0][0]["total_traces"] == 3


def test_a_write_asks_the_database_nothing(behind: Behind) -> None:
    behind.upsert_trace(trace("t1"))
    behind.create_spans([span("1", "t1")])
    assert behind.inner.ops == []


def test_other_tables_pass_by(behind: Behind) -> None:
    behind.upsert_trace(trace("t1"))
    behind.run(
        behind.buffer.execute(Insert(table="memories", records=({"memory_id": "m", "memory": "x", "created_at": 1},)))
    )
    assert behind.run(behind.buffer.execute(Get(table="memories", key=("m",)))) is not None
    assert behind.inner.batches == []


def test_fifty_spans_and_their_trace_are_one_request(behind: Behind) -> None:
    for number in range(50):
        behind.upsert_trace(trace("t1", 0, number))
        behind.create_spans([span(str(number), "t1")])
    behind.run(behind.buffer.flush())
    assert len(behind.inner.ops) == 1
    (batch,) = behind.inner.batches
    assert [(upsert.table, len(upsert.records)) for upsert in batch.upserts] == [("traces", 1), ("spans", 50)]
    assert len(behind.stored()) == 50
    assert behind.get_trace("t1").duration_ms == 49_000


def test_a_flush_of_nothing_asks_nothing(behind: Behind) -> None:
    behind.run(behind.buffer.flush())
    assert behind.inner.ops == []


def test_the_writer_writes_by_itself_after_the_delay(made: Make) -> None:
    behind = made(max_delay=0.02)
    behind.upsert_trace(trace("t1"))
    behind.create_spans([span("1", "t1"), span("2", "t1")])
    until(lambda: len(behind.stored()) == 2)
    assert len(behind.inner.batches) == 1


def test_a_span_told_twice_and_one_without_its_trace_cost_nobody_else(behind: Behind) -> None:
    behind.upsert_trace(trace("t1"))
    behind.create_spans([span("1", "t1"), span("1", "t1", name="again"), span("2", "t1")])
    behind.create_spans([span("3", "nowhere"), span("4", "t1")])
    behind.run(behind.buffer.flush())
    behind.create_spans([span("4", "t1", name="again"), span("5", "t1")])
    assert sorted(each.span_id for each in behind.get_spans()) == ["1", "2", "3", "4", "5"]
    assert behind.get_span("1").name == "step"
    assert behind.get_span("4").name == "step"
    assert behind.buffer.dropped == 0


def test_a_row_that_cannot_be_stored_costs_only_itself_and_is_counted(
    behind: Behind, caplog: pytest.LogCaptureFixture
) -> None:
    behind.inner.poisoned = lambda key: key == "2"
    behind.upsert_trace(trace("t1"))
    behind.create_spans([span(str(number), "t1") for number in range(4)])
    with caplog.at_level(logging.ERROR, "dbrouter.traces"):
        assert sorted(each.span_id for each in behind.get_spans("t1")) == ["0", "1", "3"]
    assert behind.buffer.dropped == 1
    assert "one row of spans dropped" in caplog.text


def test_an_outage_in_the_middle_of_writing_one_by_one_keeps_the_rest(behind: Behind) -> None:
    def poisoned(key: str) -> bool:
        behind.inner.away = key == "2"
        return key == "2"

    behind.inner.poisoned = poisoned
    behind.upsert_trace(trace("t1"))
    behind.create_spans([span(str(number), "t1") for number in range(6)])
    with pytest.raises(Unavailable):
        behind.get_spans("t1")
    behind.inner.poisoned, behind.inner.away = lambda key: False, False
    # The row that was refused first is dropped and said so; the ones that the outage kept away are not.
    assert {each.span_id for each in behind.get_spans("t1")} >= {"0", "1", "3", "4", "5"}


def test_an_error_never_turns_back(behind: Behind) -> None:
    for status in ("OK", "ERROR", "OK"):
        behind.upsert_trace(trace("t1", status=status))
    assert behind.get_trace("t1").status == "ERROR"
    behind.upsert_trace(trace("t1", status="OK"))
    assert behind.get_trace("t1").status == "ERROR"
    behind.upsert_trace(trace("t2", status="OK"))
    assert behind.get_trace("t2").status == "OK"
    behind.upsert_trace(trace("t2", status="ERROR"))
    assert behind.get_trace("t2").status == "ERROR"


MERGES = (
    trace("t1", 3, 4, name="step"),
    trace("t1", 1, 2, name="Agent.run", agent_id="a", session_id="s"),
    trace("t1", 0, 9, name="Team.run", team_id="t"),
    trace("t1", 2, 3, status="ERROR", run_id="r"),
)


def test_merging_in_the_buffer_is_merging_in_the_database(made: Make) -> None:
    together, apart = made(), made()
    for each in MERGES:
        together.upsert_trace(each)
        apart.upsert_trace(each)
        apart.run(apart.buffer.flush())
    assert together.get_trace("t1") == apart.get_trace("t1")
    assert len(together.inner.batches) == 1


def test_spans_before_their_trace_leave_the_trace_as_it_is_told_later(made: Make) -> None:
    together, apart = made(), made()
    for side in (together, apart):
        side.create_spans([span("1", "t1", 4, 5), span("2", "t1", 2, 3, status_code="ERROR")])
        if side is apart:
            side.run(side.buffer.flush())
        side.upsert_trace(trace("t1", 1, 9, name="Agent.run", agent_id="a", session_id="s"))
    # The trace made for the spans was made at two times.
    one, two = (replace(side.get_trace("t1"), created_at=at(0)) for side in (together, apart))
    assert one == two


def test_the_oldest_traces_go_when_too_many_wait_and_are_counted(made: Make, caplog: pytest.LogCaptureFixture) -> None:
    behind = made(max_rows=10)
    with caplog.at_level(logging.ERROR, "dbrouter.traces"):
        for number in range(8):
            behind.upsert_trace(trace(f"t{number}"))
            behind.create_spans([span(f"{number}", f"t{number}")])
    assert behind.buffer.dropped == 6
    assert "6 since the start" in caplog.text
    assert behind.get_traces()[1] == 5
    assert sorted(each.span_id for each in behind.get_spans()) == ["3", "4", "5", "6", "7"]


def test_an_outage_keeps_rows_and_they_are_written_when_the_database_is_back(made: Make) -> None:
    behind = made(max_delay=0.01)
    behind.inner.away = True
    behind.upsert_trace(trace("t1"))
    behind.create_spans([span("1", "t1")])
    until(lambda: len(behind.inner.batches) >= 2)
    behind.upsert_trace(trace("t1", 0, 7))
    assert behind.buffer.dropped == 0
    behind.inner.away = False
    until(lambda: behind.stored() == ["1"])
    assert behind.get_trace("t1").duration_ms == 7000


def test_a_read_during_an_outage_is_an_outage(behind: Behind) -> None:
    behind.inner.away = True
    behind.upsert_trace(trace("t1"))
    for _ in range(2):
        with pytest.raises(Unavailable):
            behind.get_trace("t1")
    behind.inner.away = False
    assert behind.get_trace("t1") is not None


def test_a_read_waits_for_the_writer_that_is_just_writing(made: Make) -> None:
    behind = made(max_delay=0.01)
    behind.inner.gate.clear()
    behind.upsert_trace(trace("t1"))
    assert behind.inner.entered.wait(PATIENCE)
    threading.Timer(0.1, behind.inner.gate.set).start()
    assert behind.get_trace("t1") is not None


def test_a_read_does_not_overlook_what_the_writer_just_failed_to_write(made: Make) -> None:
    """The writer gives its rows back while the reader waits for it: the reader writes them itself."""
    behind = made(max_delay=0.01)
    behind.inner.gate.clear()
    behind.upsert_trace(trace("t1"))
    assert behind.inner.entered.wait(PATIENCE)
    behind.inner.away = True

    def back() -> None:
        behind.inner.gate.set()
        time.sleep(0.02)
        behind.inner.away = False

    threading.Timer(0.05, back).start()
    try:
        found = behind.get_trace("t1")
    except Unavailable:
        return
    assert found is not None


def test_a_read_gives_up_on_a_writer_that_hangs(made: Make) -> None:
    behind = made(max_delay=0.01, deadline=0.2)
    behind.inner.gate.clear()
    behind.upsert_trace(trace("t1"))
    assert behind.inner.entered.wait(PATIENCE)
    with pytest.raises(Unavailable, match="still under way"):
        behind.get_trace("t1")


def test_closing_writes_what_waits_and_the_buffer_may_be_used_again(behind: Behind) -> None:
    behind.upsert_trace(trace("t1"))
    behind.create_spans([span("1", "t1")])
    behind.close()
    assert behind.stored() == ["1"]
    assert behind.inner.closed >= 1
    behind.create_spans([span("2", "t1")])
    behind.close()
    assert sorted(behind.stored()) == ["1", "2"]


def test_closing_during_an_outage_says_so_and_keeps_the_rows(behind: Behind) -> None:
    behind.inner.away = True
    behind.upsert_trace(trace("t1"))
    with pytest.raises(Unavailable):
        behind.close()
    assert behind.inner.closed >= 1
    behind.inner.away = False
    assert behind.get_trace("t1") is not None


def test_threads_that_write_and_read_at_once_lose_nothing() -> None:
    behind = Behind(MemoryStore(), max_delay=0.001)
    traces, spans = behind._programs

    def work(worker: int) -> None:
        for number in range(40):
            finish(traces.upsert_trace(trace(f"t{worker}", 0, number)))
            finish(spans.create_spans([span(f"{worker}-{number}", f"t{worker}")]))
            if number % 10 == 0:
                assert finish(spans.get_span(f"{worker}-{number}")) is not None

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert behind.get_traces()[1] == 8
    assert len(behind.stored()) == 320
    behind.close()
    behind.runner.close()


class Routed:
    """A store with views, that remembers which view was asked."""

    def __init__(self, behind: Behind) -> None:
        self._behind = behind

    def __getattr__(self, name: str) -> object:
        return getattr(self._behind.inner, name)

    def bound(self, component: object) -> Routed:
        view = Routed(self._behind)
        view.component = component  # type: ignore[attr-defined]
        return view


def test_a_view_reads_what_was_written_beside_it_and_outlives_its_router(made: Make) -> None:
    behind = made(max_delay=0.01)
    buffer = TraceBuffer(Routed(behind), behind.buffer._limits)  # type: ignore[arg-type]
    view = buffer.bound("agent x")
    behind.run(Traces(Context(buffer)).upsert_trace(trace("t1")))
    assert behind.run(Traces(Context(view)).get_trace("t1")) is not None
    del buffer
    behind.run(Traces(Context(view)).upsert_trace(trace("t2")))
    until(lambda: "t2" in behind.stored("traces"))


PROCESS = """if True:
    import asyncio, sys
    from dbrouter.backends import AsyncSqliteDb, SqliteDb
    from tests.families.trace_samples import span, trace

    async def write(db):
        await db.upsert_trace(trace("t1"))
        await db.create_spans([span("1", "t1"), span("2", "t1")])

    def main():
        if sys.argv[2] == "async":
            asyncio.run(write(AsyncSqliteDb(sys.argv[1])))
        else:
            db = SqliteDb(sys.argv[1])
            db.upsert_trace(trace("t1"))
            db.create_spans([span("1", "t1"), span("2", "t1")])

    main()
"""


@pytest.mark.parametrize("mode", ["blocking", "async"])
def test_the_end_of_the_process_writes_what_waits(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "traces.db"
    done = subprocess.run([sys.executable, "-c", PROCESS, str(path), mode], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    db = SqliteDb(str(path))
    assert sorted(each.span_id for each in db.get_spans("t1")) == ["1", "2"]
    db.close()


# Where the platform has no fork, nobody can fork a process that uses a db.
FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


def in_a_child(body: Callable[[], None]) -> int:
    """The exit code of a forked child that runs the body."""
    context = multiprocessing.get_context("fork")
    child = context.Process(target=body)
    child.start()
    child.join(PATIENCE)
    if child.exitcode is None:
        child.kill()
        raise AssertionError("the child hangs")
    return child.exitcode


@FORKS
def test_a_forked_child_writes_its_own_and_not_its_parents(tmp_path: Path) -> None:
    db = SqliteDb(str(tmp_path / "traces.db"))
    db.upsert_trace(trace("before"))
    assert db.get_trace("before") is not None
    db.upsert_trace(trace("waiting"))

    def child() -> None:
        db.upsert_trace(trace("child"))
        assert db.get_trace("child") is not None
        db.close()

    assert in_a_child(child) == 0
    assert db.get_trace("child") is not None
    assert db.get_trace("waiting") is not None
    db.close()


@FORKS
def test_a_child_forked_in_the_middle_of_a_write_does_not_wait_for_it(made: Make) -> None:
    behind = made(max_delay=0.01)
    if not behind.inner.runtime.blocking:
        # Whoever forks inside of a running loop may not use that loop in the child: nothing of ours could make it work.
        pytest.skip("a child has no loop of its parent's")
    behind.inner.gate.clear()
    behind.upsert_trace(trace("t1"))
    assert behind.inner.entered.wait(PATIENCE)

    def child() -> None:
        behind.inner.gate.set()
        behind.upsert_trace(trace("t2"))
        assert behind.get_trace("t2") is not None

    assert in_a_child(child) == 0
    behind.inner.gate.set()
    assert behind.get_trace("t1") is not None
