"""Learnings: identity, owners, search, pages."""

from __future__ import annotations

import pytest

from dbrouter.backends.kernel.errors import ForeignOwner
from dbrouter.backends.kernel.store import Store
from dbrouter.router.families.context import Context
from dbrouter.router.families.learnings import Learnings
from tests.families.recorded import Recorded

NOW = 1_700_000_000


def learnings_in(store: Store, now: int = NOW) -> Learnings:
    return Learnings(Context(store, now=lambda: now))


def ids_of(records: list[dict[str, object]]) -> list[object]:
    return [record["learning_id"] for record in records]


async def three(store: Store) -> Learnings:
    await learnings_in(store, 1).upsert_learning("l1", "user_profile", {"name": "Sarah Chen"}, user_id="ann")
    await learnings_in(store, 2).upsert_learning(
        "l2", "entity_memory", {"name": "sarah_chen", "note": "50% off"}, entity_id="e1", entity_type="person"
    )
    await learnings_in(store, 3).upsert_learning(
        "l3",
        "user_profile",
        {"name": "Ünal"},
        user_id="bob",
        agent_id="a1",
        team_id="t1",
        session_id="s1",
        namespace="n1",
    )
    return learnings_in(store)


async def test_a_stored_learning_keeps_its_identity_and_gets_new_content(store: Store) -> None:
    await learnings_in(store).upsert_learning(
        "l1", "user_profile", {"a": 1}, user_id="ann", agent_id="a1", namespace="user", metadata={"m": 1}
    )
    await learnings_in(store, NOW + 60).upsert_learning(
        "l1", "session_context", {"b": 2}, user_id="ann", agent_id="a2", session_id="s1"
    )
    assert await learnings_in(store).get_learning_by_id("l1") == {
        "learning_id": "l1",
        "learning_type": "user_profile",
        "namespace": "user",
        "user_id": "ann",
        "agent_id": "a1",
        "team_id": None,
        "workflow_id": None,
        "session_id": None,
        "entity_id": None,
        "entity_type": None,
        "content": {"b": 2},
        "metadata": None,
        "created_at": NOW,
        "updated_at": NOW + 60,
    }


async def test_a_learning_of_another_owner_cannot_be_overwritten(store: Store) -> None:
    learnings = learnings_in(store)
    await learnings.upsert_learning("l1", "user_profile", {"a": 1}, user_id="ann")
    for user_id in ("bob", ""):
        with pytest.raises(ForeignOwner, match="l1"):
            await learnings.upsert_learning("l1", "user_profile", {"a": 2}, user_id=user_id)
    assert await learnings.get_learning("user_profile") == {"content": {"a": 1}}


async def test_an_unowned_learning_is_everybodys(store: Store) -> None:
    learnings = learnings_in(store)
    await learnings.upsert_learning("l1", "session_context", {"a": 1}, session_id="s1")
    await learnings.upsert_learning("l1", "session_context", {"a": 2}, session_id="s1", user_id="ann")
    await learnings.upsert_learning("l1", "session_context", {"a": 3}, session_id="s1", user_id="bob")
    stored = await learnings.get_learning_by_id("l1")
    assert stored is not None
    assert (stored["content"], stored["user_id"]) == ({"a": 3}, None)


async def test_a_write_that_names_no_owner_may_change_an_owned_learning(store: Store) -> None:
    learnings = learnings_in(store)
    await learnings.upsert_learning("l1", "user_profile", {"a": 1}, user_id="ann")
    await learnings.upsert_learning("l1", "user_profile", {"a": 2})
    assert await learnings.get_learning("user_profile", user_id="ann") == {"content": {"a": 2}}


async def test_one_learning_is_the_latest_that_matches(store: Store) -> None:
    learnings = await three(store)
    assert await learnings.get_learning("user_profile") == {"content": {"name": "Ünal"}}
    assert await learnings.get_learning("user_profile", user_id="ann") == {"content": {"name": "Sarah Chen"}}
    assert await learnings.get_learning("entity_memory", entity_id="e1", entity_type="person") is not None
    assert await learnings.get_learning("entity_memory", entity_id="e2") is None
    assert await learnings.get_learning("user_profile", workflow_id="w1") is None
    assert await learnings.get_learning("user_profile", user_id="") is None


async def test_learnings_come_latest_first_and_filtered(store: Store) -> None:
    learnings = await three(store)
    assert ids_of(await learnings.get_learnings()) == ["l3", "l2", "l1"]
    assert ids_of(await learnings.get_learnings(limit=2)) == ["l3", "l2"]
    assert ids_of(await learnings.get_learnings("user_profile", agent_id="a1", team_id="t1")) == ["l3"]
    assert ids_of(await learnings.get_learnings(session_id="s1", namespace="n1")) == ["l3"]


async def test_search_crosses_case_and_separators_and_takes_wildcards_as_text(store: Store) -> None:
    learnings = await three(store)
    assert ids_of(await learnings.search_learnings("sarah chen")) == ["l2", "l1"]
    assert ids_of(await learnings.search_learnings("SARAH-CHEN", user_id="ann")) == ["l1"]
    assert ids_of(await learnings.search_learnings("50%")) == ["l2"]
    assert ids_of(await learnings.search_learnings("ünal")) == ["l3"]
    assert ids_of(await learnings.search_learnings("sarah", limit=1)) == ["l2"]
    assert ids_of(await learnings.search_learnings("nobody")) == []


async def test_a_query_of_wildcards_asks_nothing_and_finds_nothing(store: Store) -> None:
    await three(store)
    recorded = Recorded(store)
    assert await learnings_in(recorded).search_learnings(" %_ ") == []
    assert recorded.ops == []


async def test_a_listing_may_add_those_without_an_owner(store: Store) -> None:
    learnings = await three(store)
    records, total = await learnings.list_learnings()
    assert (ids_of(records), total) == (["l3", "l2", "l1"], 3)
    records, total = await learnings.list_learnings(user_id="ann", include_global=True)
    assert (ids_of(records), total) == (["l2", "l1"], 2)
    records, total = await learnings.list_learnings(user_id="ann")
    assert (ids_of(records), total) == (["l1"], 1)
    records, total = await learnings.list_learnings(sort_by="learning_id", sort_order="asc", limit=1, page=2)
    assert (ids_of(records), total) == (["l2"], 3)
    records, total = await learnings.list_learnings(sort_by="nonsense", limit=2)
    assert (len(records), total) == (2, 3)
    with pytest.raises(ValueError, match="page"):
        await learnings.list_learnings(page=0)


async def test_stats_name_each_owner_once(store: Store) -> None:
    learnings = await three(store)
    await learnings_in(store, 9).upsert_learning("l4", "decision_log", {}, user_id="ann")
    ann = {"user_id": "ann", "last_learning_updated_at": 9}
    bob = {"user_id": "bob", "last_learning_updated_at": 3}
    assert await learnings.get_learnings_user_stats() == ([ann, bob], 2)
    assert await learnings.get_learnings_user_stats(sort_by="user_id") == ([bob, ann], 2)
    assert await learnings.get_learnings_user_stats(sort_by="nonsense", sort_order="asc") == ([bob, ann], 2)
    assert await learnings.get_learnings_user_stats("user_profile", limit=1, page=2) == (
        [{"user_id": "ann", "last_learning_updated_at": 1}],
        2,
    )
    assert await learnings.get_learnings_user_stats(user_id="bob") == ([bob], 1)


async def test_updating_never_inserts(store: Store) -> None:
    learnings = await three(store)
    assert await learnings.update_learning("l1", {"b": 2}, metadata={"m": 1}) is True
    assert await learnings.update_learning("l9", {"b": 2}) is False
    assert await learnings.get_learning_by_id("l9") is None
    changed = await learnings.get_learning_by_id("l1")
    assert changed is not None
    assert (changed["content"], changed["metadata"], changed["updated_at"]) == ({"b": 2}, {"m": 1}, NOW)


async def test_deleting_says_what_there_was(store: Store) -> None:
    learnings = await three(store)
    assert await learnings.delete_learning("l2") is True
    assert await learnings.delete_learning("l2") is False
    assert await learnings.delete_user_learnings("ann", learning_type="decision_log") == 0
    assert await learnings.delete_user_learnings("ann") == 1
    assert ids_of(await learnings.get_learnings()) == ["l3"]
