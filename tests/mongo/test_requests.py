"""How many commands a call sends."""

from __future__ import annotations

from typing import Any

import pytest

from dbrouter.backends.kernel.filters import EVERYTHING, Comparison, Field, all_of, compare, eq
from dbrouter.backends.kernel.merging import Fill, Greatest, Least, Next, OwnerGuard, Replace
from dbrouter.backends.kernel.ops import (
    Aggregate,
    Batch,
    Children,
    Claim,
    Commit,
    Computed,
    Delete,
    Get,
    Insert,
    Load,
    Measure,
    Op,
    Order,
    Put,
    Scan,
    Update,
    Upsert,
)
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.testing.conformance.records import learning, run, schedule, session, span, trace

RUNS = Children(table="runs", on=("session_id",), columns=("run_data",), order=(Order(Field("run_index")),))
GUARD = OwnerGuard("user_id", claim=True)
SPANS = tuple(span(f"s{index}", "t9") for index in range(50))
TRACE = {"start_time": Least(), "end_time": Greatest(), "run_id": Fill()}
NEWEST = (Order(Field("created_at"), descending=True),)
LATEST = (Order(Field("updated_at"), descending=True, fallback="created_at"),)
DUE = all_of(eq("enabled", True), compare("next_run_at", Comparison.LE, 9))

CALLS: dict[str, tuple[Op[Any], list[str]]] = {
    "a record": (Get(table="sessions", key=("s1",), where=eq("user_id", "ann")), ["find"]),
    "a session with its runs": (Load(table="sessions", key=("s1",), children=RUNS), ["aggregate", "find"]),
    "a session saved": (
        Upsert(table="sessions", records=(session("s1", user_id="ann"),), rules={"summary": Replace()}, guard=GUARD),
        ["findAndModify"],
    ),
    "a new run": (
        Upsert(table="runs", records=(run("r2"),), rules={"run_index": Next("session_id"), "run_data": Replace()}),
        ["aggregate", "findAndModify", "findAndModify", "findAndModify"],
    ),
    "a known run": (
        Upsert(table="runs", records=(run("r1"),), rules={"run_index": Next("session_id"), "run_data": Replace()}),
        ["aggregate", "findAndModify"],
    ),
    "a page with its total": (
        Scan(table="sessions", where=eq("user_id", "ann"), order=NEWEST, limit=20, total=True),
        ["aggregate", "find"],
    ),
    "a page by a column that may be null": (Scan(table="sessions", order=LATEST, limit=20), ["aggregate"]),
    "a trace with 50 spans": (
        Batch(
            upserts=(
                Upsert(table="traces", records=(trace("t9"),), rules=TRACE),
                Upsert(table="spans", records=SPANS),
            )
        ),
        ["update", "update"],
    ),
    "a conditional write": (Commit(writes=(Put(table="sessions", record=session("s1")),)), ["findAndModify"]),
    "a claim": (
        Claim(table="schedules", where=DUE, order=(Order(Field("next_run_at")),), changes={"locked_by": "w"}),
        ["findAndModify"],
    ),
    "a record changed": (
        Update(table="learnings", where=eq("learning_id", "a"), changes={"namespace": "n"}),
        ["findAndModify"],
    ),
    "groups": (
        Aggregate(table="learnings", by={}, measures=(Computed(name="n", measure=Measure.COUNT),)),
        ["aggregate"],
    ),
    "records without children deleted": (Delete(table="learnings", where=EVERYTHING), ["delete"]),
}


@pytest.mark.parametrize(("op", "expected"), list(CALLS.values()), ids=list(CALLS))
def test_a_call_sends_no_more_than(store: Store, requests: Any, op: Op[Any], expected: list[str]) -> None:
    finish(store.create_tables(("sessions", "runs", "traces", "spans", "learnings", "schedules")))
    finish(store.execute(Insert(table="sessions", records=(session("s1", user_id="ann"),))))
    finish(store.execute(Upsert(table="runs", records=(run("r1"),), rules={"run_index": Next("session_id")})))
    finish(store.execute(Insert(table="schedules", records=(schedule("a", next_run_at=1),))))
    finish(store.execute(Insert(table="learnings", records=(learning("a"),))))
    requests.sent.clear()
    finish(store.execute(op))
    assert sorted(requests.sent) == expected
