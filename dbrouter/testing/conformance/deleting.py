"""Delete: every record that matches, and its children with it."""

from __future__ import annotations

import pytest

from dbrouter.backends.kernel.errors import StoreError
from dbrouter.backends.kernel.filters import EVERYTHING, Not, Related, eq, one_of
from dbrouter.backends.kernel.ops import Delete
from dbrouter.backends.kernel.store import Store
from dbrouter.testing.conformance.asking import all_well, at_once, found, insert
from dbrouter.testing.conformance.records import (
    learning,
    run,
    schedule,
    schedule_run,
    session,
    span,
    trace,
    transcript,
)


async def test_what_matches_is_gone_and_counted(store: Store) -> None:
    await insert(store, "learnings", learning("a", user_id="x"), learning("b", user_id="x"), learning("c"))
    assert await store.execute(Delete(table="learnings", where=eq("user_id", "x"))) == 2
    assert await found(store, "learnings") == {"c"}
    assert await store.execute(Delete(table="learnings", where=eq("user_id", "x"))) == 0


async def test_not_of_unknown_deletes_nothing(store: Store) -> None:
    await insert(store, "learnings", learning("a"), learning("b", user_id="y"))
    assert await store.execute(Delete(table="learnings", where=Not(eq("user_id", "x")))) == 1
    assert await found(store, "learnings") == {"a"}


async def test_everything_may_be_deleted(store: Store) -> None:
    await insert(store, "learnings", *(learning(key) for key in "abc"))
    assert await store.execute(Delete(table="learnings", where=EVERYTHING)) == 3
    assert await found(store, "learnings") == set()


async def test_children_go_with_their_parent_and_are_not_counted(store: Store) -> None:
    await insert(store, "sessions", session("s1"), session("s2"), session("s3"))
    await insert(store, "runs", run("r1", "s1"), run("r2", "s1"), run("r3", "s2"), run("r4", "s3"))
    assert await store.execute(Delete(table="sessions", where=one_of("session_id", ["s1", "s2"]))) == 2
    assert await found(store, "runs") == {"r4"}
    await insert(store, "schedules", schedule("a"))
    await insert(store, "schedule_runs", schedule_run("x", "a"))
    assert await store.execute(Delete(table="schedules", where=eq("id", "a"))) == 1
    assert await found(store, "schedule_runs") == set()


async def test_children_that_no_foreign_key_ties_go_too(store: Store) -> None:
    await insert(store, "sessions", session("s1"), session("s2"))
    await insert(store, "transcripts", transcript(1, "s1"), transcript(2, "s2"))
    for session_id in ("s1", "s2"):
        await insert(
            store,
            "compactions",
            {"compaction_id": session_id, "session_id": session_id, "summary": "short", "created_at": 1},
        )
        await insert(
            store,
            "tool_results",
            {
                **dict.fromkeys(("run_id", "tool_call_id", "tool_name", "args_hash", "content_type", "preview"), "x"),
                "result_id": session_id,
                "session_id": session_id,
                "namespace": "n",
                "path": session_id,
                "size_bytes": 1,
                "line_count": 1,
                "created_at": 1,
            },
        )
    assert await store.execute(Delete(table="sessions", where=eq("session_id", "s1"))) == 1
    for table in ("compactions", "tool_results"):
        assert await found(store, table) == {"s2"}
    assert await found(store, "transcripts", eq("agno_session_id", "s1")) == set()
    assert await found(store, "transcripts", eq("agno_session_id", "s2")) == {"f"}


async def test_deleting_a_child_leaves_its_parent(store: Store) -> None:
    await insert(store, "sessions", session("s1"))
    await insert(store, "runs", run("r1"), run("r2"))
    assert await store.execute(Delete(table="runs", where=eq("run_id", "r1"))) == 1
    assert await found(store, "sessions") == {"s1"}
    assert await found(store, "runs") == {"r2"}


async def test_a_parent_whose_children_do_not_go_with_it_stays(store: Store) -> None:
    await insert(store, "traces", trace("t1"), trace("t2"))
    await insert(store, "spans", span("a", "t1"))
    with pytest.raises(StoreError):
        await store.execute(Delete(table="traces", where=EVERYTHING))
    assert await found(store, "traces") == {"t1", "t2"}
    assert await found(store, "spans") == {"a"}
    assert await store.execute(Delete(table="spans", where=EVERYTHING)) == 1
    assert await store.execute(Delete(table="traces", where=EVERYTHING)) == 2


async def test_a_key_may_be_used_again_after_a_delete(store: Store) -> None:
    await insert(store, "sessions", session("s1"))
    await insert(store, "runs", run("r1"))
    await store.execute(Delete(table="sessions", where=EVERYTHING))
    await insert(store, "sessions", session("s1"))
    await insert(store, "runs", run("r1"))
    assert await found(store, "runs") == {"r1"}


async def test_many_records_are_deleted_at_once(store: Store) -> None:
    await insert(store, "learnings", *(learning(f"{index}") for index in range(1200)))
    keys = [f"{index}" for index in range(1100)]
    assert await store.execute(Delete(table="learnings", where=one_of("learning_id", keys))) == 1100
    assert len(await found(store, "learnings")) == 100


async def test_of_many_who_delete_the_same_record_one_is_told_so(store: Store) -> None:
    await insert(store, "learnings", learning("a"))
    calls = [lambda: store.execute(Delete(table="learnings", where=eq("learning_id", "a")))] * 12
    assert sorted(await all_well(at_once(store, calls))) == [0] * 11 + [1]


async def test_records_of_another_table_decide_what_goes(store: Store) -> None:
    await insert(store, "sessions", session("s1", user_id="ann"), session("s2", user_id="bob"))
    await insert(store, "runs", run("r1", "s1"), run("r2", "s2"))
    of_ann = Related("session_id", "sessions", "session_id", eq("user_id", "ann"))
    assert await store.execute(Delete(table="runs", where=of_ann)) == 1
    assert await found(store, "runs") == {"r2"}
