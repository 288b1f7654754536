"""Memories as agno's own classes keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbrouter.backends.kernel.errors import ForeignOwner
from dbrouter.router.agno_types import UserMemory

if TYPE_CHECKING:
    from tests.oracle.conftest import Both


def memory(memory_id: str, text: str = "likes tea", **columns: object) -> UserMemory:
    return UserMemory(**{"memory": text, "memory_id": memory_id, "user_id": "ann", "created_at": 5, **columns})  # type: ignore[arg-type]


def fill(both: Both) -> None:
    for each in (
        memory("m4", "café “quoted” \\ 🙂", topics=["naïve"], user_id=None, created_at=1),
        memory("m2", "likes coffee", topics=["food"], team_id="t1", created_at=2),
        memory("m1", "Likes TEA", topics=["tea", "food"], agent_id="a1", created_at=3),
        memory("m3", "dislikes snow", topics=None, user_id="bob", created_at=4),
        memory("m5", "", topics=[], user_id="", feedback="good", input="said so", created_at=6),
    ):
        both.upsert_user_memory(each)


def test_empty_tables_answer_alike(both: Both) -> None:
    both.get_user_memory("m1")
    both.get_user_memory("m1", deserialize=False)
    both.get_user_memories()
    both.get_user_memories(deserialize=False)
    both.get_user_memory_stats()
    both.get_all_memory_topics()
    both.delete_user_memory("m1")
    both.delete_user_memories(["m1"])
    both.clear_memories()
    both.upsert_memories([])


@pytest.mark.parametrize("deserialize", [True, False])
def test_reads_answer_alike(both: Both, deserialize: bool) -> None:
    fill(both)
    for asked in (
        {},
        {"user_id": "ann"},
        {"user_id": ""},
        {"agent_id": "a1"},
        {"team_id": "t1", "user_id": "ann"},
        {"topics": ["food"]},
        {"topics": ["food", "tea"]},
        {"topics": []},
        {"search_content": "LIKES"},
        {"sort_by": "created_at", "sort_order": "asc"},
        {"sort_by": "updated_at"},
        {"sort_by": "memory", "sort_order": "desc"},
        {"sort_by": "created_at", "limit": 2, "page": 2},
        {"sort_by": "created_at", "limit": 2},
        {"sort_by": "nonsense"},
    ):
        both.get_user_memories(**asked, deserialize=deserialize)
    for memory_id in ("m1", "m4", "m9"):
        both.get_user_memory(memory_id, deserialize=deserialize)
        both.get_user_memory(memory_id, deserialize=deserialize, user_id="ann")


def test_upserts_answer_and_store_alike(both: Both) -> None:
    for deserialize in (True, False):
        both.upsert_user_memory(memory("m1", topics=["a"]), deserialize=deserialize)
        both.clock.tick()
        both.upsert_user_memory(memory("m1", "changed", created_at=9, agent_id="a1"), deserialize=deserialize)
        both.upsert_user_memory(memory("m1", created_at=both.clock()), deserialize=deserialize)
        both.upsert_user_memory(memory("m1", "by nobody", user_id=None), deserialize=deserialize)
    both.get_user_memory("m1", deserialize=False)


@pytest.mark.parametrize("preserve_updated_at", [True, False])
def test_bulk_upserts_answer_and_store_alike(both: Both, preserve_updated_at: bool) -> None:
    both.upsert_memories([memory("m1"), memory("m2", updated_at=7)], preserve_updated_at=preserve_updated_at)
    both.clock.tick()
    both.upsert_memories(
        [memory("m1", "changed", created_at=9), memory("m3", updated_at=8)],
        deserialize=False,
        preserve_updated_at=preserve_updated_at,
    )
    for memory_id in ("m1", "m2", "m3"):
        both.get_user_memory(memory_id, deserialize=False)


def test_topics_and_stats_answer_alike(both: Both) -> None:
    fill(both)
    for user_id in (None, "ann", "bob", ""):
        theirs, mine = both.answers("get_all_memory_topics", user_id=user_id)
        assert mine == sorted(theirs)
        both.get_user_memory_stats(user_id=user_id)
    both.get_user_memory_stats(limit=1)
    both.get_user_memory_stats(limit=1, page=2)


def test_deletes_do_alike(both: Both) -> None:
    fill(both)
    both.delete_user_memory("m1", user_id="bob")
    both.delete_user_memory("m2", user_id="ann")
    both.delete_user_memories(["m1", "m3", "m5"], user_id="")
    both.get_user_memories(deserialize=False)
    both.delete_user_memories(["m1", "m9"])
    both.get_user_memories(deserialize=False)
    both.clear_memories()
    both.get_user_memories(deserialize=False)


@pytest.mark.parametrize("asked", [{"page": 1}, {"page": 0, "limit": 1}])
@pytest.mark.parametrize("name", ["get_user_memories", "get_user_memory_stats"])
def test_pages_that_make_no_sense_are_refused_alike(both: Both, name: str, asked: dict[str, int]) -> None:
    for side in (both.agno, both.ours):
        with pytest.raises(ValueError, match="page"):
            getattr(side, name)(**asked)


def test_ours_refuses_a_foreign_owner_where_agno_overwrites(both: Both) -> None:
    both.upsert_user_memory(memory("m1"))
    stolen = memory("m1", "mine now", user_id="bob")
    both.agno.upsert_user_memory(stolen)
    with pytest.raises(ForeignOwner):
        both.ours.upsert_user_memory(stolen)
    assert both.agno.get_user_memory("m1").memory == "mine now"  # type: ignore[union-attr]
    assert both.ours.get_user_memory("m1").memory == "likes tea"


def test_ours_keeps_the_total_of_an_empty_page_where_agno_loses_it(both: Both) -> None:
    fill(both)
    assert both.answers("get_user_memories", limit=2, page=9, deserialize=False) == (([], 0), ([], 5))
    assert both.answers("get_user_memory_stats", limit=2, page=9) == (([], 0), ([], 3))


@pytest.mark.parametrize("text", ["CAFÉ", "“", "🙂", "naïve \\"])
def test_ours_finds_text_that_agno_may_not_find(both: Both, text: str) -> None:
    """What agno searches is JSON text: on SQLite such characters are escapes there, on Postgres quotes are."""
    both.upsert_user_memory(memory("m1", "café “quoted” naïve \\ 🙂"))
    theirs, mine = both.answers("get_user_memories", search_content=text)
    assert [each.memory_id for each in mine] == ["m1"]
    assert theirs in ([], mine)


def test_ours_takes_wildcards_in_a_search_as_text(both: Both) -> None:
    both.upsert_user_memory(memory("m1", "100% sure"))
    both.upsert_user_memory(memory("m2", "sure"))
    theirs, mine = both.answers("get_user_memories", search_content="%")
    assert ([each.memory_id for each in theirs], [each.memory_id for each in mine]) == (["m1", "m2"], ["m1"])
