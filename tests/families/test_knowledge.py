"""Knowledge contents: shared rows, owners, partial updates."""

from __future__ import annotations

import pytest

from dbrouter.backends.kernel.errors import ForeignOwner
from dbrouter.backends.kernel.ops import Upsert
from dbrouter.backends.kernel.store import Store
from dbrouter.router.agno_types import KnowledgeRow
from dbrouter.router.families.context import Context
from dbrouter.router.families.knowledge import Knowledge
from tests.families.recorded import Recorded


def row(id: str, **columns: object) -> KnowledgeRow:  # noqa: A002
    return KnowledgeRow(**{"id": id, "name": f"file {id}", "description": "a file", **columns})  # type: ignore[arg-type]


async def ids_of(knowledge: Knowledge, **asked: object) -> list[str | None]:
    rows, _ = await knowledge.get_knowledge_contents(**asked)  # type: ignore[arg-type]
    return [each.id for each in rows]


async def test_a_row_comes_back_as_it_was_given(store: Store) -> None:
    knowledge = Knowledge(Context(store))
    given = row("k1", metadata={"a": [1, None]}, size=3, status="completed", created_at=1, updated_at=2, user_id="ann")
    assert await knowledge.upsert_knowledge_content(given) is given
    assert await knowledge.get_knowledge_content("k1") == given
    assert await knowledge.get_knowledge_content("k2") is None


async def test_a_column_that_is_none_leaves_the_stored_value(store: Store) -> None:
    knowledge = Knowledge(Context(store))
    await knowledge.upsert_knowledge_content(row("k1", size=3, created_at=1, status="processing", user_id="ann"))
    await knowledge.upsert_knowledge_content(row("k1", status="completed", created_at=5, updated_at=9))
    assert await knowledge.get_knowledge_content("k1") == row(
        "k1", size=3, created_at=5, updated_at=9, status="completed", user_id="ann"
    )


@pytest.mark.parametrize("owner", ["ann", None, ""])
async def test_a_row_of_another_owner_and_a_shared_one_cannot_be_overwritten(store: Store, owner: str | None) -> None:
    knowledge = Knowledge(Context(store))
    await knowledge.upsert_knowledge_content(row("k1", user_id=owner))
    with pytest.raises(ForeignOwner, match="Knowledge content k1 not found") as refused:
        await knowledge.upsert_knowledge_content(row("k1", name="mine", user_id="bob"))
    assert isinstance(refused.value, ValueError)
    assert await knowledge.get_knowledge_content("k1") == row("k1", user_id=owner)


async def test_saving_a_row_is_one_request(store: Store) -> None:
    recorded = Recorded(store)
    knowledge = Knowledge(Context(recorded))
    await knowledge.upsert_knowledge_content(row("k1", user_id="ann"))
    await knowledge.upsert_knowledge_content(row("k1"))
    assert [type(op) for op in recorded.ops] == [Upsert, Upsert]


async def test_a_user_reads_own_and_shared_rows(store: Store) -> None:
    knowledge = Knowledge(Context(store))
    for each in (row("k1", user_id="ann"), row("k2", user_id="bob", linked_to="docs"), row("k3", linked_to="docs")):
        await knowledge.upsert_knowledge_content(each)
    assert await ids_of(knowledge, user_id="ann") == ["k1", "k3"]
    assert await ids_of(knowledge, user_id="") == ["k3"]
    assert await ids_of(knowledge, linked_to="docs") == ["k2", "k3"]
    assert await ids_of(knowledge, linked_to="docs", user_id="ann") == ["k3"]
    assert await knowledge.get_knowledge_content("k2", user_id="ann") is None
    assert await knowledge.get_knowledge_content("k3", user_id="ann") is not None


async def test_a_user_deletes_own_rows_only(store: Store) -> None:
    knowledge = Knowledge(Context(store))
    for each in (row("k1", user_id="ann"), row("k2", user_id="bob"), row("k3")):
        await knowledge.upsert_knowledge_content(each)
    for each in ("k1", "k2", "k3"):
        await knowledge.delete_knowledge_content(each, user_id="ann")
    assert await ids_of(knowledge) == ["k2", "k3"]
    await knowledge.delete_knowledge_content("k2")
    assert await ids_of(knowledge) == ["k3"]


async def test_contents_are_sorted_by_text_too_and_paged_with_the_total(store: Store) -> None:
    knowledge = Knowledge(Context(store))
    for each in (row("k1", name="b"), row("k2", name="c"), row("k3", name="a")):
        await knowledge.upsert_knowledge_content(each)
    assert await ids_of(knowledge, sort_by="name", sort_order="asc") == ["k3", "k1", "k2"]
    rows, total = await knowledge.get_knowledge_contents(limit=2, page=2, sort_by="name")
    assert ([each.id for each in rows], total) == (["k3"], 3)
    assert await knowledge.get_knowledge_contents(limit=2, page=3) == ([], 3)
    assert await ids_of(knowledge, sort_by="nonsense") == ["k1", "k2", "k3"]
