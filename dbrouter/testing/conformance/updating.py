"""Update: set columns of every record that matches at the moment of writing."""

from __future__ import annotations

from typing import Any

import pytest

from dbrouter.backends.kernel.errors import Duplicate, StoreError, Unstorable
from dbrouter.backends.kernel.filters import EVERYTHING, Filter, Or, all_of, eq, is_null, not_null
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import KEEP_VALUE, Choice, Update
from dbrouter.backends.kernel.store import Store
from dbrouter.testing.conformance.asking import all_well, at_once, found, insert, record_of, version_of
from dbrouter.testing.conformance.records import learning, session, token, transcript


async def update(store: Store, where: Filter, **changes: Any) -> list[Record]:
    """Change the learnings that match."""
    return await store.execute(Update(table="learnings", where=where, changes=changes))


async def test_every_record_that_matches_is_changed_and_answered(store: Store) -> None:
    await insert(store, "learnings", learning("a", user_id="x"), learning("b", user_id="x"), learning("c", user_id="y"))
    changed = await update(store, eq("user_id", "x"), namespace="n", content={"new": [1]}, updated_at=7)
    assert {each["learning_id"] for each in changed} == {"a", "b"}
    for record in changed:
        assert record == await record_of(store, "learnings", record["learning_id"])
        assert (record["namespace"], record["content"], record["updated_at"]) == ("n", {"new": [1]}, 7)
    assert (await record_of(store, "learnings", "c"))["namespace"] is None


async def test_a_column_of_the_filter_may_be_changed(store: Store) -> None:
    await insert(store, "learnings", learning("a", user_id="x"))
    (changed,) = await update(store, eq("user_id", "x"), user_id="y")
    assert changed["user_id"] == "y"
    assert await update(store, eq("user_id", "x"), user_id="z") == []


async def test_a_value_may_be_set_to_null_and_to_the_empty_text(store: Store) -> None:
    await insert(store, "learnings", learning("a", user_id="x", metadata={"n": 1}, updated_at=5))
    (changed,) = await update(store, EVERYTHING, user_id="", metadata=None, updated_at=None)
    assert (changed["user_id"], changed["metadata"], changed["updated_at"]) == ("", None, None)


async def test_nothing_that_matches_is_nothing_changed(store: Store) -> None:
    assert await update(store, eq("user_id", "x"), user_id="y") == []
    await insert(store, "learnings", learning("a"))
    assert await update(store, eq("user_id", "x"), user_id="y") == []


async def test_the_answer_may_be_keys_only(store: Store) -> None:
    await insert(store, "sessions", session("s1"))
    await insert(store, "transcripts", transcript(1), transcript(2))
    changes = {"entry": "new"}
    answer = await store.execute(Update(table="transcripts", where=eq("position", 2), changes=changes, returning=False))
    assert answer == [{"framework": "f", "project_key": "p", "session_id": "x", "subpath": "", "position": 2}]
    assert (
        await store.execute(Update(table="transcripts", where=eq("position", 9), changes=changes, returning=False))
        == []
    )


async def test_a_change_gives_a_new_version(store: Store) -> None:
    await insert(store, "learnings", learning("a"), learning("b"))
    changed, other = await version_of(store, "learnings", "a"), await version_of(store, "learnings", "b")
    await update(store, eq("learning_id", "a"), namespace="n")
    assert await version_of(store, "learnings", "a") != changed
    assert await version_of(store, "learnings", "b") == other


async def test_a_choice_depends_on_each_record_as_it_was(store: Store) -> None:
    await insert(
        store, "learnings", learning("a", user_id="x", namespace="1"), learning("b", user_id="y", namespace="2")
    )
    await update(
        store,
        EVERYTHING,
        user_id="z",
        namespace=Choice(where=eq("user_id", "x"), then="was x", otherwise="was not"),
        content=Choice(where=eq("namespace", "2"), then={"two": True}, otherwise=KEEP_VALUE),
        updated_at=Choice(where=eq("user_id", "z"), then=1, otherwise=2),
    )
    a, b = await record_of(store, "learnings", "a"), await record_of(store, "learnings", "b")
    assert (a["user_id"], a["namespace"], a["content"], a["updated_at"]) == ("z", "was x", {}, 2)
    assert (b["user_id"], b["namespace"], b["content"], b["updated_at"]) == ("z", "was not", {"two": True}, 2)


async def test_a_choice_whose_filter_is_unknown_takes_the_other_value(store: Store) -> None:
    await insert(store, "learnings", learning("a"))
    await update(store, EVERYTHING, namespace=Choice(where=eq("user_id", "x"), then="yes", otherwise="no"))
    assert (await record_of(store, "learnings", "a"))["namespace"] == "no"


async def test_a_choice_may_set_null_on_either_side(store: Store) -> None:
    await insert(store, "learnings", learning("a", user_id="x", updated_at=1), learning("b", updated_at=1))
    await update(
        store,
        EVERYTHING,
        updated_at=Choice(where=eq("user_id", "x"), then=None, otherwise=KEEP_VALUE),
        metadata=Choice(where=eq("user_id", "x"), then={"n": 1}, otherwise=None),
    )
    a, b = await record_of(store, "learnings", "a"), await record_of(store, "learnings", "b")
    assert (a["updated_at"], a["metadata"]) == (None, {"n": 1})
    assert (b["updated_at"], b["metadata"]) == (1, None)


async def test_a_choice_may_use_any_filter(store: Store) -> None:
    await insert(store, "learnings", learning("a", user_id="x"), learning("b"))
    where = Or((is_null("user_id"), all_of(not_null("updated_at"), eq("user_id", "x"))))
    await update(store, EVERYTHING, updated_at=Choice(where=where, then=KEEP_VALUE, otherwise=5))
    assert (await record_of(store, "learnings", "a"))["updated_at"] == 5
    assert (await record_of(store, "learnings", "b"))["updated_at"] is None


async def test_a_taken_unique_value_is_a_duplicate_and_nothing_is_changed(store: Store) -> None:
    await insert(store, "auth_tokens", token("a"), token("b", "files"))
    with pytest.raises(Duplicate):
        await store.execute(Update(table="auth_tokens", where=eq("id", "b"), changes={"service": "mail"}))
    assert (await record_of(store, "auth_tokens", "b"))["service"] == "files"


async def test_an_impossible_change_is_refused_and_nothing_is_changed(store: Store) -> None:
    await insert(store, "learnings", learning("a"))
    refused: list[tuple[dict[str, Any], type[StoreError]]] = [
        ({"content": None}, StoreError),
        ({"colour": "red"}, StoreError),
        ({"learning_id": "b"}, StoreError),
        ({"content": {"f": print}}, Unstorable),
    ]
    for changes, error in refused:
        with pytest.raises(error):
            await update(store, EVERYTHING, namespace="n", **changes)
        assert (await record_of(store, "learnings", "a"))["namespace"] is None, changes


async def test_of_many_who_move_a_record_on_from_the_same_state_one_does(store: Store) -> None:
    await insert(store, "learnings", learning("a", namespace="pending"))
    calls = [lambda n=n: update(store, eq("namespace", "pending"), namespace=f"by {n}") for n in range(16)]
    answers = await all_well(at_once(store, calls))
    winners = [answer for answer in answers if answer]
    assert len(winners) == 1
    assert await found(store, "learnings", eq("namespace", winners[0][0]["namespace"])) == {"a"}


async def test_updates_of_many_records_in_both_directions_do_not_block_each_other_for_good(store: Store) -> None:
    await insert(store, "learnings", *(learning(f"{index:02}", namespace="0") for index in range(40)))
    calls = [
        lambda n=n: update(store, eq("learning_type", "note"), namespace=str(n), updated_at=n) for n in range(1, 9)
    ]
    answers = await all_well(at_once(store, calls))
    assert all(len(answer) == 40 for answer in answers)
