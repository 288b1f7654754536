"""Insert: new records, all or none."""

from __future__ import annotations

import pytest

from dbrouter.backends.kernel.errors import Duplicate, MissingParent, StoreError, Unstorable, Unsupported
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Insert
from dbrouter.backends.kernel.store import Store
from dbrouter.testing.conformance.asking import at_once, found, insert, record_of
from dbrouter.testing.conformance.records import learning, run, schedule, session, span, token, trace


async def refused(store: Store, error: type[Exception], table: str, *records: Record) -> None:
    """Insert the records, which raises this error and leaves the table as it was.

    A store that is not atomic over several records refuses more than one before it looks at them.
    """
    before = await found(store, table)
    atomic = store.capabilities.commits or len(records) == 1
    with pytest.raises(error if atomic else (error, Unsupported)):
        await store.execute(Insert(table=table, records=records))
    assert await found(store, table) == before


async def test_many_records_are_stored_at_once(store: Store) -> None:
    # More than one statement takes; where each record is a request of its own, fewer will do.
    count = 1500 if store.capabilities.together else 150
    records = tuple(learning(f"{index:04}", content={"n": index}) for index in range(count))
    if not store.capabilities.commits:
        with pytest.raises(Unsupported):
            await store.execute(Insert(table="learnings", records=records))
        return
    await store.execute(Insert(table="learnings", records=records))
    assert len(await found(store, "learnings")) == count
    assert (await record_of(store, "learnings", "0123"))["content"] == {"n": 123}


async def test_records_may_name_different_columns(store: Store) -> None:
    await insert(store, "learnings", learning("a", user_id="ann"), learning("b", updated_at=1), learning("c"))
    assert (await record_of(store, "learnings", "a"))["updated_at"] is None
    assert (await record_of(store, "learnings", "b"))["user_id"] is None


async def test_no_records_are_no_work(store: Store) -> None:
    await store.execute(Insert(table="sessions", records=()))


async def test_a_taken_key_is_a_duplicate_and_nothing_is_stored(store: Store) -> None:
    await insert(store, "sessions", session("s1", agent_id="first"))
    await refused(store, Duplicate, "sessions", session("s2"), session("s1", agent_id="second"), session("s3"))
    await refused(store, Duplicate, "sessions", session("s1", agent_id="second"))
    assert (await record_of(store, "sessions", "s1"))["agent_id"] == "first"


async def test_a_key_given_twice_is_a_duplicate(store: Store) -> None:
    await refused(store, Duplicate, "sessions", session("s1"), session("s1", agent_id="again"))


async def test_a_taken_unique_value_is_a_duplicate_and_nothing_is_stored(store: Store) -> None:
    await insert(store, "auth_tokens", token("a"))
    await refused(store, Duplicate, "auth_tokens", token("b", "files"), token("c"))
    await refused(store, Duplicate, "auth_tokens", token("c"))
    await insert(store, "auth_tokens", token("b", "files"), token("c", user_id="bob"))


async def test_a_partial_unique_set_counts_only_the_records_it_covers(store: Store) -> None:
    await insert(store, "schedules", schedule("a", name="daily"), schedule("b", name="daily", user_id="ann"))
    await insert(
        store, "schedules", schedule("c", name="daily", user_id="bob"), schedule("d", name="daily", user_id="")
    )
    await refused(store, Duplicate, "schedules", schedule("e", name="daily"))
    await refused(store, Duplicate, "schedules", schedule("f", name="daily", user_id="ann"))


async def test_a_missing_parent_is_named_and_nothing_is_stored(store: Store) -> None:
    await insert(store, "sessions", session("s1"))
    await refused(store, MissingParent, "runs", run("r1", "s1"), run("r2", "s9"))
    await refused(store, MissingParent, "runs", run("r2", "s9"))
    await insert(store, "traces", trace("t1"))
    await refused(store, MissingParent, "spans", span("a", "t1"), span("b", "t9"))


async def test_a_duplicate_is_told_before_a_missing_parent(store: Store) -> None:
    await insert(store, "sessions", session("s1"))
    await insert(store, "runs", run("r1", "s1"))
    with pytest.raises(Duplicate):
        await insert(store, "runs", run("r1", "s9"))


async def test_a_null_or_unknown_column_is_refused_and_nothing_is_stored(store: Store) -> None:
    for wrong in (session("s2", created_at=None), session("s2", colour="red")):
        await refused(store, StoreError, "sessions", session("s1"), wrong)
        await refused(store, StoreError, "sessions", wrong)


async def test_a_value_without_a_stored_form_is_refused_and_nothing_is_stored(store: Store) -> None:
    for wrong in (session("s2", session_data={"deep": [object()]}), session("s2", user_id=["not", "text"])):
        await refused(store, Unstorable, "sessions", session("s1"), wrong)
        await refused(store, Unstorable, "sessions", wrong)


async def test_of_many_that_insert_the_same_key_one_does(store: Store) -> None:
    async def create() -> None:
        await insert(store, "learnings", learning("a"))

    outcomes = await at_once(store, [create] * 16)
    assert sum(outcome is None for outcome in outcomes) == 1
    assert all(outcome is None or isinstance(outcome, Duplicate) for outcome in outcomes), outcomes


async def test_of_many_that_take_the_same_unique_value_one_does(store: Store) -> None:
    outcomes = await at_once(
        store, [lambda index=index: insert(store, "auth_tokens", token(f"{index}")) for index in range(16)]
    )
    assert sum(outcome is None for outcome in outcomes) == 1
    assert all(outcome is None or isinstance(outcome, Duplicate) for outcome in outcomes), outcomes
    assert len(await found(store, "auth_tokens")) == 1
