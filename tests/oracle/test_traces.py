"""Traces and spans as agno's own classes keep them, and where ours are kept better."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from tests.families.trace_samples import at, span, trace

if TYPE_CHECKING:
    from dbrouter.router.agno_tracing import Span, Trace
    from tests.oracle.conftest import Both

LLM = {"openinference.span.kind": "LLM", "input.value": "hé", "n": [1, 2]}


def fill(both: Both) -> None:
    for each in (
        trace("t1", 0, 2, run_id="r1", session_id="s1", user_id="ann", agent_id="a"),
        trace("t2", 1, 5, run_id="r1", session_id="s1", user_id="ann", team_id="t", status="ERROR"),
        trace("t3", 2, 3, session_id="s2", user_id="", agent_id="a", name="Support_Bot.arun"),
        trace("t4", 3, 4, name="POST /x"),
        trace("t5", 4, 6, session_id="s2", workflow_id="w", agent_id="b", user_id="bob"),
    ):
        both.upsert_trace(each)
    both.create_spans(
        [
            span("1", "t1", 0, 2, parent_span_id=None, name="Agent.run", attributes=LLM),
            span("2", "t1", 1, 2, name="chat", attributes=LLM, status_code="ERROR", status_message="no"),
            span("3", "t1", 0.5, 0.75, name="chat", attributes=LLM),
        ]
    )
    both.create_span(span("4", "t2", 1, 5, name="search", attributes={"openinference.span.kind": "TOOL"}))
    both.create_spans([span("5", "t3", 2, 3, name="step"), span("6", "t3", 2, 2.5, name="step")])


def without_noise(known: Trace | None) -> Trace | None:
    """SQLite computes a merged duration from Julian days, which are not exact."""
    return known and replace(known, duration_ms=round(known.duration_ms))


MERGES = [
    (trace(start=2, end=3), trace(start=1, end=2)),
    (trace(start=2, end=3), trace(start=2.5, end=9.25)),
    (trace(name="child"), trace(name="Agent.run", agent_id="a")),
    (trace(name="Agent.run", agent_id="a"), trace(name="child")),
    (trace(name="Agent.run", agent_id="a"), trace(name="Team.run", team_id="t")),
    (trace(name="Flow.arun", workflow_id="w"), trace(name="Team.run", team_id="t")),
    (trace(name="step", agent_id="a"), trace(name="other", workflow_id="w")),
    (trace(session_id="s1", user_id="u"), trace(session_id="s2", run_id="r", agent_id="a")),
    (trace(status="OK"), trace(status="ERROR")),
    (trace(status="UNSET"), trace(status="OK")),
]


@pytest.mark.parametrize("told", MERGES)
def test_merges_agree(both: Both, told: tuple[Trace, ...]) -> None:
    for each in told:
        both.upsert_trace(each)
    theirs, mine = both.answers("get_trace", "t1")
    assert without_noise(mine) == without_noise(theirs)


def test_an_error_that_agno_forgets_stays(both: Both) -> None:
    for status in ("ERROR", "OK"):
        both.upsert_trace(trace(status=status))
    theirs, mine = both.answers("get_trace", "t1")
    assert (theirs.status, mine.status) == ("OK", "ERROR")


def test_look_ups_agree(both: Both) -> None:
    assert both.get_trace("t1") is None
    fill(both)
    for trace_id in ("t1", "t2", "t4", "t9", "", None):
        both.get_trace(trace_id)
        both.get_trace(trace_id, run_id="r1")


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"limit": 2},
        {"limit": 2, "page": 2},
        {"limit": 2, "page": 0},
        {"limit": None},
        {"limit": 0},
        {"run_id": "r1"},
        {"run_id": ""},
        {"session_id": "s2"},
        {"user_id": "ann"},
        {"user_id": ""},
        {"agent_id": "a", "status": "OK"},
        {"team_id": "t"},
        {"workflow_id": "w"},
        {"status": "ERROR"},
        {"start_time": at(2)},
        {"end_time": at(4)},
        {"start_time": at(1), "end_time": at(5)},
    ],
)
def test_listings_agree(both: Both, asked: dict[str, Any]) -> None:
    fill(both)
    both.get_traces(**asked)


def single(operator: str, key: str, value: Any) -> dict[str, Any]:
    return {"op": operator, "key": key, "value": value}


EXPRESSIONS = [
    single("EQ", "status", "ERROR"),
    single("NEQ", "user_id", "ann"),
    single("GT", "duration_ms", 1000),
    single("GTE", "duration_ms", 2000),
    single("LT", "duration_ms", 2000),
    single("LTE", "duration_ms", 1000),
    single("CONTAINS", "name", "SUPPORT_"),
    single("CONTAINS", "name", "support%"),
    single("STARTSWITH", "name", "post"),
    single("STARTSWITH", "user_id", ""),
    single("GTE", "start_time", at(2).isoformat()),
    single("GTE", "start_time", at(2).astimezone(timezone(timedelta(hours=5, minutes=30))).isoformat()),
    single("LTE", "created_at", at(2).isoformat().replace("+00:00", "Z")),
    single("GTE", "start_time", "soon"),
    {"op": "IN", "key": "agent_id", "values": ["a", "c"]},
    {"op": "IN", "key": "agent_id", "values": []},
    {"op": "NOT", "condition": {"op": "IN", "key": "agent_id", "values": ["a"]}},
    {"op": "AND", "conditions": [single("EQ", "agent_id", "a"), single("EQ", "user_id", "")]},
    {"op": "OR", "conditions": [single("EQ", "agent_id", "b"), single("EQ", "team_id", "t")]},
    {"op": "NOT", "condition": {"op": "OR", "conditions": [single("EQ", "agent_id", "a")]}},
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_filter_expressions_agree(both: Both, expression: dict[str, Any]) -> None:
    fill(both)
    both.get_traces(filter_expr=expression)


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        (single("LT", "duration_ms", "2000"), ["t4", "t3"]),
        (single("CONTAINS", "duration_ms", "00"), ["t5", "t4", "t3", "t2", "t1"]),
    ],
)
def test_numbers_and_text_mix_in_filters_where_postgres_db_finds_nothing(
    both: Both, expression: dict[str, Any], found: list[str]
) -> None:
    fill(both)
    (theirs, _), (mine, total) = both.answers("get_traces", filter_expr=expression)
    assert ([each.trace_id for each in mine], total) == (found, len(found))
    assert theirs in ([], mine)


@pytest.mark.parametrize("group_by", ["session", "agent", "team", "workflow", "endpoint"])
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"limit": 1, "page": 2},
        {"user_id": "ann"},
        {"user_id": ""},
        {"agent_id": "a"},
        {"team_id": "t"},
        {"workflow_id": "w"},
        {"start_time": at(2)},
        {"end_time": at(2)},
        {"filter_expr": single("EQ", "status", "OK")},
    ],
)
def test_trace_statistics_agree(both: Both, group_by: str, asked: dict[str, Any]) -> None:
    fill(both)
    assert_same_statistics(*both.answers("get_trace_stats", group_by=group_by, **asked))


def assert_same_statistics(theirs: Any, mine: Any) -> None:
    """Equal, but for the 95th percentile, which SqliteDb leaves out."""
    for my_row, their_row in zip(mine[0], theirs[0], strict=True):
        if "p95_duration_ms" in my_row and their_row["p95_duration_ms"] is None:
            assert my_row["p95_duration_ms"] > 0
            my_row["p95_duration_ms"] = None
    assert mine == theirs


def test_a_bad_grouping_is_refused_alike(both: Both) -> None:
    for side in (both.agno, both.ours):
        with pytest.raises(ValueError, match="Invalid group_by value: 'user'"):
            side.get_trace_stats(group_by="user")


def by_id(spans: list[Span]) -> dict[str, Span]:
    return {each.span_id: each for each in spans}


def test_span_look_ups_agree(both: Both) -> None:
    fill(both)
    for span_id in ("1", "2", "9"):
        both.get_span(span_id)
    for asked in ({}, {"trace_id": "t1"}, {"parent_span_id": "root"}, {"trace_id": "t1", "parent_span_id": "root"}):
        theirs, mine = both.answers("get_spans", **asked)
        assert by_id(mine) == by_id(theirs)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"limit": 1, "page": 2},
        {"agent_id": "a"},
        {"team_id": "t"},
        {"workflow_id": "w"},
        {"agent_id": "a", "name": "chat"},
        {"span_type": "LLM"},
        {"start_time": at(1)},
        {"end_time": at(1)},
        {"sort_by": "avg_duration_ms"},
        {"sort_by": "max_duration_ms", "sort_order": "asc"},
        {"sort_by": "error_count"},
        {"sort_by": "last_called_at", "sort_order": "asc"},
        {"sort_by": "nonsense", "sort_order": "nonsense"},
    ],
)
def test_span_statistics_agree(both: Both, asked: dict[str, Any]) -> None:
    fill(both)
    assert_same_statistics(both.agno.get_span_stats(**asked), both.ours.get_span_stats(**asked))


def test_a_batch_that_agno_loses_whole_is_kept(both: Both) -> None:
    both.upsert_trace(trace("t1"))
    both.create_spans([span("1", "t1"), span("2", "t1"), span("1", "t1")])
    both.create_spans([span("3", "t1"), span("4", "orphan")])
    theirs, mine = both.answers("get_spans")
    assert (sorted(by_id(theirs)), sorted(by_id(mine))) == ([], ["1", "2", "3", "4"])
