"""A database that goes away at any request: repeating the write completes it, and nothing is counted twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.errors import Duplicate, Unavailable
from dbrouter.backends.kernel.filters import eq
from dbrouter.backends.kernel.merging import Next, Replace
from dbrouter.backends.kernel.ops import Batch, Delete, Insert, Op, Scan, Update, Upsert
from dbrouter.backends.kernel.running import BlockingRuntime, finish
from dbrouter.testing.minimal import MinimalStore
from tests.kernel.rows import metric, run, schedule, session


class Sleepless(BlockingRuntime):
    """Nobody has to be waited for: the other writer has crashed."""

    async def sleep(self, seconds: float) -> None:
        """Be there at once."""


TABLES = ("sessions", "runs", "schedules", "metrics", "transcripts")
WRITES: dict[str, Op[Any]] = {
    "insert with unique values": Insert(table="schedules", records=(schedule("new", "new"),)),
    "change of a unique value": Update(table="schedules", where=eq("id", "a"), changes={"name": "other"}),
    "delete with children": Delete(table="sessions", where=eq("session_id", "s")),
    "delete with unique values": Delete(table="schedules", where=eq("id", "a")),
    "upsert with a position": Upsert(
        table="runs", records=(run("new"), run("newer")), rules={"run_index": Next("session_id")}
    ),
    "upsert by a unique set": Upsert(
        table="metrics",
        records=(metric("m", "u", users_count=3),),
        rules={"users_count": Replace()},
        on=("user_id", "date", "aggregation_period"),
    ),
    "batch": Batch(
        upserts=(Upsert(table="sessions", records=(session("x"),)), Upsert(table="runs", records=(run("y"),)))
    ),
}


@pytest.mark.parametrize("commits", [False, True], ids=["one at a time", "atomic commits"])
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_repeating_an_interrupted_write_completes_it(write: Op[Any], commits: bool) -> None:
    undisturbed = _filled(commits=commits)
    finish(Emulated(undisturbed).execute(write))
    for requests in range(100):
        minimal = _filled(commits=commits)
        minimal.watch = _away_after(requests)
        store = Emulated(minimal)
        try:
            finish(store.execute(write))
        except Unavailable:
            minimal.watch = None
            _repeat(store, write)
            assert _rows(store) == _rows(Emulated(undisturbed)), f"interrupted after {requests} requests"
        else:
            return
    pytest.fail("the write never ended")


def test_a_position_is_not_given_again_after_an_interruption() -> None:
    for requests in range(100):
        minimal = _filled(commits=False)
        minimal.watch = _away_after(requests)
        store = Emulated(minimal)
        first = Upsert(table="runs", records=(run("first"),), rules={"run_index": Next("session_id")})
        try:
            finish(store.execute(first))
        except Unavailable:
            minimal.watch = None
            second = Upsert(table="runs", records=(run("second"),), rules={"run_index": Next("session_id")})
            finish(store.execute(second))
            finish(store.execute(first))
            positions = [row["run_index"] for row in finish(store.execute(Scan(table="runs"))).records]
            assert len(positions) == len(set(positions)) == 4
        else:
            return


def test_values_reserved_by_a_writer_that_crashed_are_taken_over() -> None:
    for requests in range(100):
        minimal = _filled(commits=False)
        minimal.runtime = Sleepless()
        minimal.watch = _away_after(requests)
        store = Emulated(minimal)
        try:
            finish(store.execute(Insert(table="schedules", records=(schedule("crashed", "wanted"),))))
        except Unavailable:
            minimal.watch = None
            another = Insert(table="schedules", records=(schedule("another", "wanted"),))
            stored = {row["id"] for row in finish(store.execute(Scan(table="schedules"))).records}
            if "crashed" in stored:
                with pytest.raises(Duplicate):
                    finish(store.execute(another))
            else:
                finish(store.execute(another))
        else:
            return


def _filled(*, commits: bool) -> MinimalStore:
    minimal = MinimalStore(commits=commits)
    store = Emulated(minimal)
    entry = {"framework": "f", "project_key": "p", "session_id": "x", "subpath": "", "entry": "{}", "created_at": 1}
    entries = [{**entry, "position": n, "entry_uuid": f"e{n}", "agno_session_id": "s"} for n in range(2)]
    for table, record in [
        ("sessions", session("s")),
        ("schedules", schedule("a", "a")),
        ("metrics", metric("before", "u")),
        *(("transcripts", each) for each in entries),
    ]:
        finish(store.execute(Insert(table=table, records=(record,))))
    for each in ("r0", "r1"):
        finish(store.execute(Upsert(table="runs", records=(run(each),), rules={"run_index": Next("session_id")})))
    return minimal


def _away_after(requests: int) -> Callable[[Op[Any]], None]:
    left = iter(range(requests))

    def watch(_: Op[Any]) -> None:
        if next(left, None) is None:
            raise Unavailable("the database is away")

    return watch


def _repeat(store: Emulated, write: Op[Any]) -> None:
    try:
        finish(store.execute(write))
    except Duplicate:
        # The record was stored just before the answer was lost.
        assert isinstance(write, Insert)


def _rows(store: Emulated) -> dict[str, list[dict[str, Any]]]:
    return {table: finish(store.execute(Scan(table=table))).records for table in TABLES}
