"""Learnings as agno's own classes keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbrouter.backends.kernel.errors import ForeignOwner

if TYPE_CHECKING:
    from tests.oracle.conftest import Both


def fill(both: Both) -> None:
    both.upsert_learning("l1", "user_profile", {"name": "Sarah Chen"}, user_id="ann", metadata={"m": 1})
    both.clock.tick()
    both.upsert_learning(
        "l2", "entity_memory", {"name": "sarah_chen", "note": "50% off"}, entity_id="e1", entity_type="person"
    )
    both.clock.tick()
    both.upsert_learning(
        "l3", "user_profile", {"name": "Ünal"}, "bob", agent_id="a1", team_id="t1", session_id="s1", namespace="n1"
    )
    both.clock.tick()
    both.upsert_learning("l4", "decision_log", {"deep": [{"x": None}]}, user_id="")
    both.clock.tick()


def test_empty_tables_answer_alike(both: Both) -> None:
    both.get_learning("user_profile")
    both.get_learnings()
    both.get_learning_by_id("l1")
    both.search_learnings("x")
    both.list_learnings()
    both.get_learnings_user_stats()
    both.update_learning("l1", {})
    both.delete_learning("l1")
    both.delete_user_learnings("ann")


FILTERS = (
    {},
    {"learning_type": "user_profile"},
    {"user_id": "ann"},
    {"user_id": ""},
    {"agent_id": "a1", "team_id": "t1"},
    {"session_id": "s1"},
    {"namespace": "n1"},
    {"entity_id": "e1", "entity_type": "person"},
    {"limit": 2},
)


@pytest.mark.parametrize("asked", FILTERS)
def test_reads_answer_alike(both: Both, asked: dict[str, object]) -> None:
    fill(both)
    both.get_learnings(**asked)
    both.list_learnings(**asked)
    both.list_learnings(**asked, include_global=True)
    for query in ("sarah chen", "SARAH-CHEN", "50%", "ünal", "nobody", "%", "", "deep"):
        both.search_learnings(query, **asked)


def test_single_reads_answer_alike(both: Both) -> None:
    fill(both)
    for user_id in (None, "ann", ""):
        both.get_learning("user_profile" if user_id == "ann" else "decision_log", user_id=user_id)
    both.get_learning("user_profile", user_id="ann", workflow_id="w1")
    both.get_learnings(workflow_id="w1")
    both.get_learning("entity_memory", entity_id="e1")
    both.get_learning_by_id("l3")
    both.get_learning_by_id("l9")


def test_listings_sort_and_page_alike(both: Both) -> None:
    fill(both)
    for asked in (
        {"sort_by": "created_at", "sort_order": "asc"},
        {"sort_by": "learning_type", "user_id": "ann", "include_global": True},
        {"sort_order": "asc"},
        {"limit": 2, "page": 2},
        {"limit": 2, "page": 9},
    ):
        both.list_learnings(**asked)


def test_stats_answer_alike(both: Both) -> None:
    fill(both)
    for asked in (
        {},
        {"learning_type": "user_profile"},
        {"user_id": "ann"},
        {"sort_by": "user_id", "sort_order": "asc"},
        {"sort_by": "user_id"},
        {"sort_by": "nonsense", "sort_order": "asc"},
        {"limit": 1, "page": 2},
        {"limit": 1, "page": 9},
    ):
        both.get_learnings_user_stats(**asked)


def test_writes_store_alike(both: Both) -> None:
    fill(both)
    both.upsert_learning("l1", "session_context", {"b": 2}, user_id="ann", session_id="s9")
    both.upsert_learning("l1", "user_profile", {"b": 3})
    both.clock.tick()
    both.upsert_learning("l2", "entity_memory", {"b": 4}, user_id="ann", metadata={"m": 2})
    both.get_learnings()
    both.clock.tick()
    both.update_learning("l3", {"c": 1})
    both.update_learning("l9", {"c": 1})
    both.get_learnings()
    both.delete_learning("l2")
    both.delete_learning("l2")
    both.delete_user_learnings("ann", learning_type="decision_log")
    both.delete_user_learnings("ann")
    both.get_learnings()


def test_ours_refuses_a_foreign_owner_where_agno_overwrites(both: Both) -> None:
    fill(both)
    both.agno.upsert_learning("l1", "user_profile", {"stolen": True}, user_id="bob")
    with pytest.raises(ForeignOwner):
        both.ours.upsert_learning("l1", "user_profile", {"stolen": True}, user_id="bob")
    assert both.ours.get_learning("user_profile", user_id="ann") == {"content": {"name": "Sarah Chen"}}
