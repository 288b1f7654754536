"""Pages and sort orders."""

from __future__ import annotations

import pytest
from agno.session import AgentSession

from dbrouter.backends import InMemoryDb
from dbrouter.backends.kernel.agno_tables.approvals import APPROVALS
from dbrouter.backends.kernel.agno_tables.memories import MEMORIES
from dbrouter.backends.kernel.agno_tables.traces import TRACES
from dbrouter.backends.kernel.filters import Field
from dbrouter.backends.kernel.ops import Order
from dbrouter.router.families.paging import offset_of, sorting

NEWEST = (Order(Field("created_at"), descending=True),)


@pytest.mark.parametrize(
    ("limit", "page", "offset"), [(None, None, 0), (10, None, 0), (10, 1, 0), (10, 3, 20), (0, 2, 0)]
)
def test_a_page_starts_after_the_pages_before_it(limit: int | None, page: int | None, offset: int) -> None:
    assert offset_of(limit, page) == offset


@pytest.mark.parametrize(("limit", "page"), [(None, 1), (None, 5), (10, 0), (10, -1)])
def test_a_page_without_a_limit_or_below_one_is_refused(limit: int | None, page: int) -> None:
    with pytest.raises(ValueError, match="page"):
        offset_of(limit, page)


@pytest.mark.parametrize("page", [None, 1])
def test_a_limit_below_zero_is_refused(page: int | None) -> None:
    with pytest.raises(ValueError, match="`limit` must be 0 or more, or None for everything; got -1"):
        offset_of(-1, page)


SCOPED = {"get_compactions_for_session", "get_tool_results_for_session", "search_compactions", "get_schedule_runs"}
PAGED = (
    "get_sessions",
    "get_user_memories",
    "get_user_memory_stats",
    "get_knowledge_contents",
    "get_eval_runs",
    "get_traces",
    "get_trace_stats",
    "get_span_stats",
    "get_approvals",
    "get_schedules",
    "get_schedule_runs",
    "get_service_accounts",
    "list_jobs",
    "list_learnings",
    "get_learnings_user_stats",
    "get_runs",
)
LIMITED = (
    *PAGED,
    "get_spans",
    "get_learnings",
    "search_learnings",
    "get_compactions_for_session",
    "search_compactions",
    "get_tool_results_for_session",
    "list_components",
    "list_authz_users",
    "read_authz_audit_events",
    "sweep_exhausted_jobs",
)
BEFORE = {
    "search_learnings": ("x",),
    "search_compactions": ("s", "x"),
    **dict.fromkeys(SCOPED - {"search_compactions"}, ("s",)),
}


@pytest.mark.parametrize("method", LIMITED)
def test_no_listing_takes_a_limit_below_zero(method: str) -> None:
    db = InMemoryDb()
    with pytest.raises(ValueError, match="`limit` must be 0 or more"):
        getattr(db, method)(*BEFORE.get(method, ()), limit=-1)
    getattr(db, method)(*BEFORE.get(method, ()), limit=0)


def test_a_session_takes_no_limit_of_runs_below_zero() -> None:
    db = InMemoryDb()
    db.upsert_session(AgentSession(session_id="s", agent_id="a", created_at=1))
    with pytest.raises(ValueError, match="`runs_limit` must be 0 or more, or None for everything; got -1"):
        db.get_session("s", runs_limit=-1)
    assert db.get_session("s", runs_limit=0).runs == []


@pytest.mark.parametrize("method", [each for each in PAGED if each != "list_jobs"])
def test_no_listing_takes_a_page_below_its_first(method: str) -> None:
    with pytest.raises(ValueError, match="`page` must be >= 1"):
        getattr(InMemoryDb(), method)(*BEFORE.get(method, ()), limit=2, page=-1)


@pytest.mark.parametrize("method", ["list_components", "list_authz_users", "read_authz_audit_events"])
def test_no_listing_takes_an_offset_below_zero(method: str) -> None:
    with pytest.raises(ValueError, match="`offset` must be 0 or more"):
        getattr(InMemoryDb(), method)(offset=-1)


def test_no_sort_column_gives_the_default_order() -> None:
    assert sorting(MEMORIES, None, "asc", default=NEWEST) == NEWEST
    assert sorting(MEMORIES, None, None) == ()


def test_an_unknown_sort_column_gives_the_default() -> None:
    assert sorting(MEMORIES, "nonsense", "asc", default=NEWEST) == NEWEST


def test_json_is_no_order_as_databases_differ_in_how_they_compare_it() -> None:
    assert sorting(MEMORIES, "topics", "asc") == ()
    assert sorting(MEMORIES, "topics", "asc", default=NEWEST) == NEWEST
    assert sorting(MEMORIES, "memory", "asc", plain_text="memory") == (Order(Field("memory")),)
    assert sorting(MEMORIES, "topics", "asc", plain_text="memory") == ()


@pytest.mark.parametrize(("sort_order", "descending"), [("asc", False), ("desc", True), (None, True), ("up", True)])
def test_everything_but_asc_is_descending(sort_order: str | None, descending: bool) -> None:
    assert sorting(APPROVALS, "status", sort_order) == (Order(Field("status"), descending=descending),)


def test_a_record_that_was_never_updated_sorts_by_its_creation() -> None:
    assert sorting(MEMORIES, "updated_at", "asc") == (Order(Field("updated_at"), fallback="created_at"),)


def test_a_table_without_that_column_ignores_it() -> None:
    assert sorting(TRACES, "updated_at", "asc") == ()
