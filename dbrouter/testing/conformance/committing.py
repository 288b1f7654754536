"""Commit: conditional writes, all of them or none."""

from __future__ import annotations

from datetime import date

import pytest

from dbrouter.backends.kernel.errors import Conflict, Duplicate, StoreError, Unsupported
from dbrouter.backends.kernel.ops import ABSENT, Check, Commit, Get, Put, Remove, Version, Write
from dbrouter.backends.kernel.store import Store
from dbrouter.testing.conformance.asking import all_well, at_once, found, insert, is_stored, record_of, version_of
from dbrouter.testing.conformance.records import metric, session, token, transcript


def put(session_id: str, expect: Version | None = None, **columns: object) -> Put:
    """Write a session."""
    return Put(table="sessions", record=session(session_id, **columns), expect=expect)


async def commit(store: Store, *writes: Write) -> tuple[Version | None, ...]:
    """Execute the writes as one commit."""
    return await store.execute(Commit(writes=writes))


async def test_a_put_answers_the_version_that_a_get_then_reads(store: Store) -> None:
    (version,) = await commit(store, put("s1", agent_id="a"))
    assert version is not None
    assert await version_of(store, "sessions", "s1") == version


async def test_a_put_writes_the_whole_record(store: Store) -> None:
    await commit(store, put("s1", agent_id="a", user_id="ann"))
    await commit(store, put("s1", user_id="bob"))
    record = await record_of(store, "sessions", "s1")
    assert (record["user_id"], record["agent_id"]) == ("bob", None)


async def test_a_put_fills_what_it_does_not_say_with_the_tables_defaults(store: Store) -> None:
    for expect in (ABSENT, None):
        await commit(store, Put(table="metrics", record=metric("m", date(2024, 2, 29)), expect=expect))
        record = await record_of(store, "metrics", "m")
        assert (record["users_count"], record["user_id"], record["completed"]) == (0, "", False)


async def test_a_put_that_expects_the_stored_version_goes_through_and_once_only(store: Store) -> None:
    (first,) = await commit(store, put("s1"))
    (second,) = await commit(store, put("s1", first, agent_id="a"))
    assert second != first
    with pytest.raises(Conflict):
        await commit(store, put("s1", first, agent_id="b"))
    assert (await record_of(store, "sessions", "s1"))["agent_id"] == "a"


async def test_a_put_that_expects_a_version_of_a_record_that_is_gone_is_refused(store: Store) -> None:
    (version,) = await commit(store, put("s1"))
    await commit(store, Remove(table="sessions", key=("s1",)))
    with pytest.raises(Conflict):
        await commit(store, put("s1", version))
    assert not await is_stored(store, "sessions", ("s1",))


async def test_a_put_that_expects_absence_is_a_duplicate_if_there_is_one(store: Store) -> None:
    await commit(store, put("s1", ABSENT, agent_id="a"))
    with pytest.raises(Duplicate):
        await commit(store, put("s1", ABSENT, agent_id="b"))
    assert (await record_of(store, "sessions", "s1"))["agent_id"] == "a"


async def test_a_put_that_takes_anothers_unique_values_is_a_duplicate(store: Store) -> None:
    await insert(store, "auth_tokens", token("a"))
    with pytest.raises(Duplicate):
        await commit(store, Put(table="auth_tokens", record=token("b")))
    assert await found(store, "auth_tokens") == {"a"}


async def test_a_remove_without_condition_leaves_no_record(store: Store) -> None:
    await commit(
        store,
        put("s1"),
    )
    assert await commit(store, Remove(table="sessions", key=("s1",))) == (None,)
    assert await store.execute(Get(table="sessions", key=("s1",))) is None
    assert await commit(store, Remove(table="sessions", key=("s1",))) == (None,)


async def test_a_remove_that_expects_another_version_is_refused(store: Store) -> None:
    (first,) = await commit(store, put("s1"))
    (second,) = await commit(store, put("s1", agent_id="a"))
    with pytest.raises(Conflict):
        await commit(store, Remove(table="sessions", key=("s1",), expect=first))
    await commit(store, Remove(table="sessions", key=("s1",), expect=second))
    with pytest.raises(Conflict):
        await commit(store, Remove(table="sessions", key=("s1",), expect=second))


async def test_a_check_alone_passes_or_is_refused(store: Store) -> None:
    (version,) = await commit(store, put("s1"))
    assert await commit(store, Check(table="sessions", key=("s1",), expect=version)) == (None,)
    assert await commit(store, Check(table="sessions", key=("s2",), expect=ABSENT)) == (None,)
    for key, expect in [(("s1",), ABSENT), (("s2",), version)]:
        with pytest.raises(Conflict):
            await commit(store, Check(table="sessions", key=key, expect=expect))
    await commit(store, put("s1", agent_id="a"))
    with pytest.raises(Conflict):
        await commit(store, Check(table="sessions", key=("s1",), expect=version))


async def test_nothing_may_be_null_that_the_table_wants(store: Store) -> None:
    with pytest.raises(StoreError):
        await commit(store, Put(table="sessions", record={"session_id": "s1", "created_at": 1}))
    assert not await is_stored(store, "sessions", ("s1",))


async def test_a_commit_of_several_records_does_all_or_is_refused_outright(store: Store) -> None:
    writes = (put("s1"), Put(table="auth_tokens", record=token("a")), put("s2"))
    if store.capabilities.commits:
        versions = await commit(store, *writes)
        assert versions[0] == await version_of(store, "sessions", "s1")
        assert versions[1] == await version_of(store, "auth_tokens", "a")
        assert versions[2] == await version_of(store, "sessions", "s2")
    else:
        with pytest.raises(Unsupported):
            await commit(store, *writes)
        assert await found(store, "sessions") == set()
        assert await found(store, "auth_tokens") == set()


async def test_a_commit_of_several_records_does_nothing_if_one_is_refused(store: Store) -> None:
    _needs_commits(store)
    await insert(store, "sessions", session("old", agent_id="before"), session("there"), session("gone"))
    version = await version_of(store, "sessions", "old")
    await commit(store, put("old", agent_id="now"))
    await insert(store, "auth_tokens", token("a"))
    refused: list[tuple[Write, type[StoreError]]] = [
        (put("old", version), Conflict),
        (put("there", ABSENT), Duplicate),
        (Check(table="sessions", key=("old",), expect=version), Conflict),
        (Check(table="sessions", key=("there",), expect=ABSENT), Conflict),
        (Remove(table="sessions", key=("old",), expect=version), Conflict),
        (Put(table="auth_tokens", record=token("b")), Duplicate),
    ]
    for write, error in refused:
        for writes in [(put("new"), Remove(table="sessions", key=("gone",)), write), (write, put("new"))]:
            with pytest.raises(error):
                await commit(store, *writes)
            assert await found(store, "sessions") == {"old", "there", "gone"}, write
    assert (await record_of(store, "sessions", "old"))["agent_id"] == "now"


async def test_one_commit_answers_versions_for_puts_only_and_in_order(store: Store) -> None:
    _needs_commits(store)
    await insert(store, "sessions", session("s1"), session("s2"))
    version = await version_of(store, "sessions", "s2")
    versions = await commit(
        store,
        Check(table="sessions", key=("s2",), expect=version),
        put("s3"),
        Remove(table="sessions", key=("s1",)),
    )
    assert versions == (None, await version_of(store, "sessions", "s3"), None)
    assert await found(store, "sessions") == {"s2", "s3"}


async def test_a_key_of_several_columns_is_removed_alone(store: Store) -> None:
    await insert(store, "sessions", session("s1"))
    await insert(store, "transcripts", transcript(1), transcript(2))
    await commit(store, Remove(table="transcripts", key=("f", "p", "x", "", 1)))
    assert not await is_stored(store, "transcripts", ("f", "p", "x", "", 1))
    assert await is_stored(store, "transcripts", ("f", "p", "x", "", 2))


async def test_no_increment_is_lost_when_writers_compare_and_set(store: Store) -> None:
    await commit(store, put("s1", session_data={"n": 0}))

    async def increment() -> None:
        for _ in range(10):
            while True:
                answer = await store.execute(Get(table="sessions", key=("s1",), versioned=True))
                assert answer is not None
                data = {"n": answer.record["session_data"]["n"] + 1}
                try:
                    await commit(store, put("s1", answer.version, session_data=data))
                except Conflict:
                    continue
                break

    await all_well(at_once(store, [increment] * 8))
    assert (await record_of(store, "sessions", "s1"))["session_data"] == {"n": 80}


async def test_of_many_that_create_the_same_record_one_does(store: Store) -> None:
    async def create() -> None:
        await commit(store, put("s1", ABSENT))

    outcomes = await at_once(store, [create] * 16)
    assert sum(outcome is None for outcome in outcomes) == 1
    assert all(outcome is None or isinstance(outcome, Duplicate) for outcome in outcomes), outcomes


async def test_commits_that_failed_often_leave_nothing_in_the_way_of_the_next(store: Store) -> None:
    """A client that prepares statements it runs often must not count those of commits that failed."""
    _needs_commits(store)
    (version,) = await commit(store, put("s1"))
    await commit(store, put("s1", version, agent_id="a"))
    for number in range(12):
        with pytest.raises(Conflict):
            await commit(store, put("s1", version), put(f"new{number}", ABSENT), put("s2"))
    (version, _, _) = await commit(store, put("s1"), put("new", ABSENT), put("s2"))
    await commit(store, put("s1", version), put("newer", ABSENT), put("s2"))
    assert await found(store, "sessions") == {"s1", "s2", "new", "newer"}


def _needs_commits(store: Store) -> None:
    """Skip what a store that commits one record at a time cannot be asked.

    Nothing is left untested: `test_a_commit_of_several_records_does_all_or_is_refused_outright` has the refusal.
    """
    if not store.capabilities.commits:
        pytest.skip("the store refuses commits of several records; another test sees to that")
