"""Memories: shapes, owners, dates, pages."""

from __future__ import annotations

import pytest

from dbrouter.backends.kernel.errors import ForeignOwner
from dbrouter.backends.kernel.ops import Upsert
from dbrouter.backends.kernel.store import Store
from dbrouter.router.agno_types import UserMemory
from dbrouter.router.families.context import Context
from dbrouter.router.families.memories import Memories
from tests.families.recorded import Recorded

NOW = 1_700_000_000


def memories_in(store: Store, now: int = NOW) -> Memories:
    return Memories(Context(store, now=lambda: now))


def memory(memory_id: str | None, text: str = "likes tea", **columns: object) -> UserMemory:
    return UserMemory(**{"memory": text, "memory_id": memory_id, "user_id": "ann", "created_at": NOW, **columns})  # type: ignore[arg-type]


async def ids_of(memories: Memories, **asked: object) -> list[str]:
    records, _ = await memories.get_user_memories(deserialize=False, **asked)  # type: ignore[arg-type,misc]
    return [record["memory_id"] for record in records]  # type: ignore[call-overload,index]


async def test_a_memory_without_an_id_gets_one_on_the_given_object(store: Store) -> None:
    memories = memories_in(store)
    given = memory(None)
    stored = await memories.upsert_user_memory(given)
    assert given.memory_id is not None
    assert stored == await memories.get_user_memory(given.memory_id)


async def test_a_new_memory_is_dated_as_it_says(store: Store) -> None:
    memories = memories_in(store)
    updated = await memories.upsert_user_memory(memory("m1", created_at=5, updated_at=9), deserialize=False)
    created = await memories.upsert_user_memory(memory("m2", created_at=5), deserialize=False)
    assert isinstance(updated, dict)
    assert isinstance(created, dict)
    assert (updated["created_at"], updated["updated_at"]) == (5, 9)
    assert (created["created_at"], created["updated_at"]) == (5, 5)


async def test_a_changed_memory_keeps_its_creation_and_its_owner_and_is_dated_now(store: Store) -> None:
    await memories_in(store).upsert_user_memory(memory("m1", created_at=5, topics=["tea"], input="I like tea"))
    changed = await memories_in(store, now=NOW + 60).upsert_user_memory(
        memory("m1", "likes coffee", created_at=6, updated_at=7, user_id=None, agent_id="a1", feedback="good")
    )
    assert changed == UserMemory(
        memory="likes coffee",
        memory_id="m1",
        user_id="ann",
        created_at=5,
        updated_at=NOW + 60,
        agent_id="a1",
        feedback="good",
    )


async def test_a_memory_of_another_owner_cannot_be_overwritten(store: Store) -> None:
    memories = memories_in(store)
    await memories.upsert_user_memory(memory("m1"))
    for created_at in (NOW, 5):
        with pytest.raises(ForeignOwner, match="m1"):
            await memories.upsert_user_memory(memory("m1", "mine now", user_id="bob", created_at=created_at))
    assert await memories.get_user_memory("m1") == memory("m1", updated_at=NOW)


async def test_an_empty_owner_is_an_owner(store: Store) -> None:
    memories = memories_in(store)
    await memories.upsert_user_memory(memory("m1", user_id=""))
    with pytest.raises(ForeignOwner):
        await memories.upsert_user_memory(memory("m1", user_id="bob"))
    assert await memories.get_user_memory("m1", user_id="") is not None
    assert await memories.get_user_memory("m1", user_id="bob") is None
    assert await ids_of(memories, user_id="") == ["m1"]


async def test_saving_a_memory_made_now_is_one_request(store: Store) -> None:
    recorded = Recorded(store)
    memories = memories_in(recorded)
    await memories.upsert_user_memory(memory("m1"))
    await memories.upsert_user_memory(memory("m1", "likes coffee"))
    assert [type(op) for op in recorded.ops] == [Upsert, Upsert]


async def test_many_memories_are_one_request_and_come_back_in_order(store: Store) -> None:
    recorded = Recorded(store)
    stored = await memories_in(recorded).upsert_memories([memory("m2"), memory("m1"), memory("m3")])
    assert [each.memory_id for each in stored if isinstance(each, UserMemory)] == ["m2", "m1", "m3"]
    assert len(recorded.ops) == 1
    assert await memories_in(recorded).upsert_memories([]) == []
    assert len(recorded.ops) == 1


async def test_many_memories_are_dated_now_or_as_they_say(store: Store) -> None:
    memories = memories_in(store)
    now = await memories.upsert_memories([memory("m1", updated_at=9)], deserialize=False)
    said = await memories.upsert_memories([memory("m1", updated_at=9)], deserialize=False, preserve_updated_at=True)
    assert [each["updated_at"] for each in (*now, *said) if isinstance(each, dict)] == [NOW, 9]


async def test_foreign_memories_among_many_are_named_and_the_others_are_written(store: Store) -> None:
    memories = memories_in(store)
    await memories.upsert_user_memory(memory("m1"))
    with pytest.raises(ForeignOwner, match=r"m1$"):
        await memories.upsert_memories([memory("m1", "mine", user_id="bob"), memory("m2", user_id="bob")])
    assert await ids_of(memories, user_id="ann") == ["m1"]
    assert await ids_of(memories, user_id="bob") == ["m2"]


async def test_an_unowned_memory_among_many_gets_an_owner_and_none_loses_one(store: Store) -> None:
    memories = memories_in(store)
    await memories.upsert_memories([memory("m1", user_id=None), memory("m2")])
    await memories.upsert_memories([memory("m1"), memory("m2", user_id=None)])
    assert await ids_of(memories, user_id="ann") == ["m1", "m2"]


async def test_of_two_memories_with_one_id_the_last_stays(store: Store) -> None:
    memories = memories_in(store)
    stored = await memories.upsert_memories([memory("m1", "first"), memory("m2"), memory("m1", "last")])
    assert [each.memory_id for each in stored if isinstance(each, UserMemory)] == ["m1", "m2", "m1"]
    kept = await memories.get_user_memory("m1")
    assert isinstance(kept, UserMemory)
    assert kept.memory == "last"


async def test_memories_are_found_by_topic_text_and_component(store: Store) -> None:
    memories = memories_in(store)
    await memories.upsert_memories(
        [
            memory("m1", "Likes TEA", topics=["tea", "food"], agent_id="a1"),
            memory("m2", "likes 100% coffee", topics=["food"], team_id="t1"),
            memory("m3", "dislikes snow", topics=None),
        ]
    )
    assert await ids_of(memories, topics=["food"]) == ["m1", "m2"]
    assert await ids_of(memories, topics=["food", "tea"]) == ["m1"]
    assert await ids_of(memories, topics=["foo"]) == []
    assert await ids_of(memories, topics=[]) == ["m1", "m2", "m3"]
    assert await ids_of(memories, search_content="tea") == ["m1"]
    assert await ids_of(memories, search_content="100%") == ["m2"]
    assert await ids_of(memories, search_content="%") == ["m2"]
    assert await ids_of(memories, agent_id="a1") == ["m1"]
    assert await ids_of(memories, team_id="t1") == ["m2"]


async def test_pages_do_not_overlap_and_know_the_total_even_when_empty(store: Store) -> None:
    memories = memories_in(store)
    await memories.upsert_memories([memory(f"m{number}") for number in range(5)])
    asked = {"sort_by": "created_at", "sort_order": "asc", "limit": 2}
    pages = [await ids_of(memories, page=page, **asked) for page in (1, 2, 3)]
    assert [each for page in pages for each in page] == ["m0", "m1", "m2", "m3", "m4"]
    assert await memories.get_user_memories(limit=2, page=9, deserialize=False) == ([], 5)


async def test_a_memory_that_was_never_updated_sorts_by_its_creation(store: Store) -> None:
    memories = memories_in(store)
    await memories.upsert_memories(
        [memory("m1", created_at=3), memory("m2", created_at=1, updated_at=2), memory("m3", created_at=1)],
        preserve_updated_at=True,
    )
    assert await ids_of(memories, sort_by="updated_at", sort_order="asc") == ["m3", "m2", "m1"]


async def test_memories_come_as_they_were_made_unless_another_order_is_known(store: Store) -> None:
    memories = memories_in(store)
    for memory_id, moment in (("m3", 1), ("m1", 2), ("m2", 3)):
        await memories.upsert_user_memory(memory(memory_id, created_at=moment))
    await memories.upsert_user_memory(memory("m3", "changed", created_at=4))
    assert await ids_of(memories) == await ids_of(memories, sort_by="nonsense") == ["m3", "m1", "m2"]
    assert await ids_of(memories, limit=1, page=2) == ["m1"]


async def test_topics_are_listed_once(store: Store) -> None:
    memories = memories_in(store)
    await memories.upsert_memories(
        [memory("m1", topics=["tea", "food"]), memory("m2", topics=["food"], user_id="bob"), memory("m3", topics=None)]
    )
    assert await memories.get_all_memory_topics() == ["food", "tea"]
    assert await memories.get_all_memory_topics(user_id="bob") == ["food"]


async def test_stats_count_owned_memories_latest_first(store: Store) -> None:
    memories = memories_in(store)
    await memories.upsert_memories(
        [
            memory("m1", updated_at=5),
            memory("m2", updated_at=7),
            memory("m3", user_id="bob", updated_at=9),
            memory("m4", user_id=None, updated_at=99),
        ],
        preserve_updated_at=True,
    )
    ann = {"user_id": "ann", "total_memories": 2, "last_memory_updated_at": 7}
    bob = {"user_id": "bob", "total_memories": 1, "last_memory_updated_at": 9}
    assert await memories.get_user_memory_stats() == ([bob, ann], 2)
    assert await memories.get_user_memory_stats(limit=1, page=2) == ([ann], 2)
    assert await memories.get_user_memory_stats(limit=1, page=3) == ([], 2)
    assert await memories.get_user_memory_stats(user_id="ann") == ([ann], 1)


async def test_deleting_with_an_owner_spares_the_others(store: Store) -> None:
    memories = memories_in(store)
    await memories.upsert_memories([memory("m1"), memory("m2", user_id="bob"), memory("m3", user_id="bob")])
    await memories.delete_user_memory("m1", user_id="bob")
    await memories.delete_user_memories(["m1", "m2", "gone"], user_id="bob")
    assert await ids_of(memories) == ["m1", "m3"]
    await memories.delete_user_memory("m1")
    await memories.delete_user_memories([])
    assert await ids_of(memories) == ["m3"]
    await memories.clear_memories()
    assert await ids_of(memories) == []
