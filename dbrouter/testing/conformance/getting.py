"""Get: one record by its key, if it also matches."""

from __future__ import annotations

from datetime import date

import pytest

from dbrouter.backends.kernel.errors import StoreError
from dbrouter.backends.kernel.filters import Not, eq, is_null
from dbrouter.backends.kernel.ops import Commit, Get, Put
from dbrouter.backends.kernel.store import Store
from dbrouter.testing.conformance.asking import insert, record_of, version_of
from dbrouter.testing.conformance.records import metric, schedule, session, transcript


async def test_a_record_comes_back_whole_with_defaults_and_nulls_filled_in(store: Store) -> None:
    await insert(store, "schedules", schedule("a", payload={"x": [1, None]}))
    record = await record_of(store, "schedules", "a")
    assert record == {
        **schedule("a", payload={"x": [1, None]}),
        **dict.fromkeys(
            (
                "description",
                "next_run_at",
                "locked_by",
                "locked_at",
                "user_id",
                "managed_by",
                "target_type",
                "target_id",
            )
        ),
        **dict.fromkeys(("created_by_run_id", "created_by_session_id", "updated_by_run_id", "updated_by_session_id")),
        **dict.fromkeys(("disabled_reason", "updated_at")),
        "enabled": True,
    }
    assert record["enabled"] is True


async def test_every_kind_of_column_keeps_its_type(store: Store) -> None:
    await insert(
        store, "metrics", metric("m", date(2024, 2, 29), users_count=2**62, completed=True, token_metrics={"a": 1.5})
    )
    record = await record_of(store, "metrics", "m")
    assert record["date"] == date(2024, 2, 29)
    assert record["users_count"] == 2**62
    assert record["completed"] is True
    assert record["token_metrics"] == {"a": 1.5}
    assert record["model_metrics"] == {}
    assert record["agent_runs_count"] == 0
    assert record["user_id"] == ""


async def test_nothing_is_answered_for_an_unknown_key(store: Store) -> None:
    assert await store.execute(Get(table="sessions", key=("s1",))) is None
    await insert(store, "sessions", session("s1"))
    assert await store.execute(Get(table="sessions", key=("S1",))) is None
    assert await store.execute(Get(table="sessions", key=("s1 ",))) is None


async def test_the_filter_must_match_too(store: Store) -> None:
    await insert(store, "sessions", session("s1", user_id="ann"), session("s2"))
    assert await store.execute(Get(table="sessions", key=("s1",), where=eq("user_id", "ann"))) is not None
    assert await store.execute(Get(table="sessions", key=("s1",), where=eq("user_id", "bob"))) is None
    assert await store.execute(Get(table="sessions", key=("s2",), where=is_null("user_id"))) is not None
    assert await store.execute(Get(table="sessions", key=("s2",), where=Not(eq("user_id", "ann")))) is None


async def test_a_key_of_several_columns_is_taken_in_its_declared_order(store: Store) -> None:
    await insert(store, "sessions", session("s1"))
    await insert(store, "transcripts", transcript(1, entry="one"), transcript(2, entry="two"))
    assert (await record_of(store, "transcripts", "f", "p", "x", "", 2))["entry"] == "two"
    assert await store.execute(Get(table="transcripts", key=("p", "f", "x", "", 2))) is None


async def test_a_version_stays_until_the_record_is_written(store: Store) -> None:
    await insert(store, "sessions", session("s1"), session("s2"))
    before = await version_of(store, "sessions", "s1")
    await store.execute(Commit(writes=(Put(table="sessions", record=session("s2", agent_id="a")),)))
    assert await version_of(store, "sessions", "s1") == before
    await store.execute(Commit(writes=(Put(table="sessions", record=session("s1", agent_id="a")),)))
    assert await version_of(store, "sessions", "s1") != before


async def test_a_caller_may_change_what_it_was_given_without_changing_what_is_stored(store: Store) -> None:
    mine = {"deep": [1]}
    await insert(store, "sessions", session("s1", session_data=mine))
    mine["deep"].append(2)
    (await record_of(store, "sessions", "s1"))["session_data"]["deep"].append(3)
    assert (await record_of(store, "sessions", "s1"))["session_data"] == {"deep": [1]}


async def test_an_unknown_table_is_an_error(store: Store) -> None:
    with pytest.raises(StoreError):
        await store.execute(Get(table="nothing", key=("x",)))
