"""Knowledge contents as agno's own classes keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbrouter.router.agno_types import KnowledgeRow

if TYPE_CHECKING:
    from tests.oracle.conftest import Both


def row(id: str, **columns: object) -> KnowledgeRow:  # noqa: A002
    return KnowledgeRow(**{"id": id, "name": f"file {id}", "description": "a file", **columns})  # type: ignore[arg-type]


def fill(both: Both) -> None:
    for each in (
        row("k1", user_id="ann", metadata={"a": [1, None, "é"]}, size=3, created_at=3, updated_at=3),
        row("k2", user_id="bob", linked_to="docs", status="completed", created_at=2),
        row("k3", linked_to="docs", created_at=1, updated_at=9, external_id="x"),
        row("k4", user_id="", created_at=4),
    ):
        both.upsert_knowledge_content(each)


def test_empty_tables_answer_alike(both: Both) -> None:
    both.get_knowledge_content("k1")
    both.get_knowledge_contents()
    both.delete_knowledge_content("k1")


def test_reads_answer_alike(both: Both) -> None:
    fill(both)
    for asked in (
        {},
        {"user_id": "ann"},
        {"user_id": ""},
        {"linked_to": "docs"},
        {"linked_to": "docs", "user_id": "ann"},
        {"limit": 2},
        {"limit": 2, "page": 2},
        {"limit": 2, "page": 9},
        {"user_id": "ann", "limit": 1, "page": 2, "sort_order": "asc"},
    ):
        both.get_knowledge_contents(**asked, sort_by="created_at")
    # Without a sort column SQLite answers in the order of whichever index it took.
    for asked in ({}, {"user_id": "ann"}, {"linked_to": "docs"}):
        (theirs, their_total), (mine, my_total) = both.answers("get_knowledge_contents", **asked)
        assert (mine, my_total) == (sorted(theirs, key=lambda each: each.id), their_total)
    for id in ("k1", "k3", "k9"):  # noqa: A001
        for user_id in (None, "ann", "bob", ""):
            both.get_knowledge_content(id, user_id=user_id)


def test_upserts_store_alike(both: Both) -> None:
    fill(both)
    both.upsert_knowledge_content(row("k1", status="failed", status_message="why", updated_at=7))
    both.upsert_knowledge_content(row("k1", user_id="ann", size=0, created_at=1))
    both.upsert_knowledge_content(row("k3", metadata={}, created_at=2))
    for id in ("k1", "k3"):  # noqa: A001
        both.get_knowledge_content(id)


@pytest.mark.parametrize("id", ["k2", "k3", "k4"])
def test_foreign_and_shared_rows_are_refused_alike(both: Both, id: str) -> None:  # noqa: A002
    fill(both)
    for side in (both.agno, both.ours):
        with pytest.raises(ValueError, match=f"Knowledge content {id} not found"):
            side.upsert_knowledge_content(row(id, user_id="ann"))
    both.get_knowledge_contents()


def test_deletes_do_alike(both: Both) -> None:
    fill(both)
    for id in ("k1", "k2", "k3"):  # noqa: A001
        both.delete_knowledge_content(id, user_id="ann")
    both.get_knowledge_contents()
    both.delete_knowledge_content("k3")
    both.get_knowledge_contents()


@pytest.mark.parametrize("asked", [{"page": 1}, {"page": 0, "limit": 1}])
def test_pages_that_make_no_sense_are_refused_alike(both: Both, asked: dict[str, int]) -> None:
    fill(both)
    for side in (both.agno, both.ours):
        with pytest.raises(ValueError, match="page"):
            side.get_knowledge_contents(**asked)


def test_numbers_sort_alike_and_text_sorts_only_with_us(both: Both) -> None:
    """agno's SqliteDb multiplies the sort column by 1 or -1; its PostgresDb sorts as we do."""
    for each in (row("k1", name="b", size=2), row("k2", name="c", size=3), row("k3", name="a", size=1)):
        both.upsert_knowledge_content(each)
    both.get_knowledge_contents(sort_by="size", sort_order="asc")
    both.get_knowledge_contents(sort_by="size", sort_order="desc")
    rows, _ = both.ours.get_knowledge_contents(sort_by="name", sort_order="asc")
    assert [each.id for each in rows] == ["k3", "k1", "k2"]
    assert both.ours.get_knowledge_contents(sort_by="nonsense")[1] == 3
