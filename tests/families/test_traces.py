"""Traces: merged whatever the order of arrival, counted from their spans, filtered, summed up."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from dbrouter.backends.kernel.ops import Aggregate, Get, Scan, Upsert
from dbrouter.router.families.context import Context
from dbrouter.router.families.spans import Spans
from dbrouter.router.families.traces import Traces
from tests.families.recorded import Recorded
from tests.families.trace_samples import at, span, trace

if TYPE_CHECKING:
    from dbrouter.backends.kernel.store import Store
    from dbrouter.router.agno_tracing import Trace


def traces_in(store: Store) -> Traces:
    return Traces(Context(store))


async def merged(store: Store, *told: Trace) -> Trace:
    """What is known after these tellings of one trace."""
    for each in told:
        await traces_in(store).upsert_trace(each)
    known = await traces_in(store).get_trace(told[0].trace_id)
    assert known is not None
    return known


async def ids(traces: Traces, **asked: Any) -> list[str]:
    return [each.trace_id for each in (await traces.get_traces(**asked))[0]]


async def test_a_stored_trace_reads_as_it_was_told(store: Store) -> None:
    told = trace(run_id="r", session_id="s", user_id="u", agent_id="a", team_id="t", workflow_id="w")
    assert await merged(store, told) == told


async def test_a_trace_spans_from_its_earliest_start_to_its_latest_end(store: Store) -> None:
    known = await merged(store, trace(start=2, end=3), trace(start=1, end=2), trace(start=2, end=5.5))
    assert (known.start_time, known.end_time, known.duration_ms) == (at(1), at(5.5), 4500)
    assert known.created_at == at(2)


@pytest.mark.parametrize("statuses", list(itertools.permutations(["ERROR", "OK", "UNSET"])))
async def test_an_error_stays_whatever_is_told_before_or_after(store: Store, statuses: tuple[str, ...]) -> None:
    known = await merged(store, *(trace(status=each) for each in statuses))
    assert known.status == "ERROR"


@pytest.mark.parametrize("statuses", [("UNSET", "OK"), ("OK", "UNSET")])
async def test_ok_outranks_unset(store: Store, statuses: tuple[str, ...]) -> None:
    known = await merged(store, *(trace(status=each) for each in statuses))
    assert known.status == "OK"


async def test_the_outermost_component_names_the_trace(store: Store) -> None:
    child = trace(name="child")
    agent = trace(name="Agent.run", agent_id="a")
    team = trace(name="Team.arun", team_id="t", agent_id="a")
    workflow = trace(name="Flow.run", workflow_id="w")
    for number, order in enumerate(itertools.permutations((child, agent, team, workflow))):
        told = [
            trace(
                f"t{number}", name=each.name, agent_id=each.agent_id, team_id=each.team_id, workflow_id=each.workflow_id
            )
            for each in order
        ]
        assert (await merged(store, *told)).name == "Flow.run"


async def test_a_component_without_a_run_in_its_name_does_not_rename(store: Store) -> None:
    assert (await merged(store, trace(name="first"), trace(name="step", agent_id="a"))).name == "first"


async def test_ids_once_known_are_kept(store: Store) -> None:
    known = await merged(store, trace(session_id="s1"), trace(session_id="s2", user_id="u", agent_id="a"))
    assert (known.session_id, known.user_id, known.agent_id) == ("s1", "u", "a")


async def test_telling_is_one_request_that_answers_nothing(store: Store) -> None:
    recorded = Recorded(store)
    await traces_in(recorded).upsert_trace(trace())
    (op,) = recorded.ops
    assert isinstance(op, Upsert)
    assert op.returning is False


async def test_times_of_other_zones_are_stored_in_utc(store: Store) -> None:
    told = trace(created_at=datetime(2026, 1, 1, 7, tzinfo=timezone(timedelta(hours=-5))))
    known = await merged(store, told)
    assert known.created_at.tzinfo is UTC
    assert known == told


async def test_numbers_where_ids_are_promised_become_text(store: Store) -> None:
    known = await merged(store, trace(user_id=7, name=None))
    assert (known.user_id, known.name) == ("7", "")


async def test_a_trace_counts_its_spans_in_two_requests(store: Store) -> None:
    await traces_in(store).upsert_trace(trace("t1", run_id="r"))
    await traces_in(store).upsert_trace(trace("t2"))
    await Spans(Context(store)).create_spans([span("1"), span("2", status_code="ERROR"), span("3", "t2")])
    recorded = Recorded(store)
    known = await traces_in(recorded).get_trace("t1")
    assert known is not None
    assert (known.total_spans, known.error_count) == (2, 1)
    assert [type(op) for op in recorded.ops] == [Get, Aggregate]
    recorded.ops.clear()
    listed, total = await traces_in(recorded).get_traces()
    assert {each.trace_id: (each.total_spans, each.error_count) for each in listed} == {"t1": (2, 1), "t2": (1, 0)}
    assert total == 2
    assert [type(op) for op in recorded.ops] == [Scan, Aggregate]


async def test_a_run_finds_its_newest_trace(store: Store) -> None:
    traces = traces_in(store)
    for number in range(3):
        await traces.upsert_trace(trace(f"t{number}", start=-number, run_id="r"))
    found = await traces.get_trace(run_id="r")
    assert found is not None
    assert found.trace_id == "t0"
    assert await traces.get_trace(run_id="other") is None
    assert await traces.get_trace("other", run_id="r") is None
    assert await traces.get_trace() is None
    assert await traces.get_trace("") is None


async def test_listings_are_newest_first_in_pages(store: Store) -> None:
    traces = traces_in(store)
    for number in range(5):
        await traces.upsert_trace(trace(f"t{number}", start=number // 2, end=9))
    assert await ids(traces, limit=2) == ["t4", "t3"]
    assert await ids(traces, limit=2, page=3) == ["t0"]
    assert await ids(traces, limit=None) == ["t4", "t3", "t2", "t1", "t0"]
    assert (await traces.get_traces(limit=2, page=9))[1] == 5
    with pytest.raises(ValueError, match="1-indexed"):
        await traces.get_traces(page=-1)


@pytest.mark.parametrize("column", ["run_id", "session_id", "user_id", "agent_id", "team_id", "workflow_id", "status"])
async def test_listings_filter_by_each_column(store: Store, column: str) -> None:
    traces = traces_in(store)
    await traces.upsert_trace(trace("t1", **{column: "x"}))
    await traces.upsert_trace(trace("t2", **{column: "y"}))
    assert await ids(traces, **{column: "x"}) == ["t1"]


async def test_an_empty_user_is_a_user_and_other_empty_ids_are_not_asked_for(store: Store) -> None:
    traces = traces_in(store)
    await traces.upsert_trace(trace("t1", user_id=""))
    await traces.upsert_trace(trace("t2", user_id="u"))
    assert await ids(traces, user_id="") == ["t1"]
    assert sorted(await ids(traces, agent_id="", run_id="", status="")) == ["t1", "t2"]


async def test_a_period_bounds_start_and_end(store: Store) -> None:
    traces = traces_in(store)
    for number in range(4):
        await traces.upsert_trace(trace(f"t{number}", start=number, end=number + 1))
    assert await ids(traces, start_time=at(1), end_time=at(3)) == ["t2", "t1"]
    east = timezone(timedelta(hours=5, minutes=30))
    assert await ids(traces, start_time=at(1).astimezone(east), end_time=at(3).astimezone(east)) == ["t2", "t1"]


async def test_a_bad_filter_expression_is_raised_and_not_told_as_no_traces(store: Store) -> None:
    with pytest.raises(ValueError, match="Unknown filter operator"):
        await traces_in(store).get_traces(filter_expr={"op": "LIKE", "key": "name", "value": "x"})
    with pytest.raises(ValueError, match="Invalid filter field"):
        await traces_in(store).get_trace_stats(filter_expr={"op": "EQ", "key": "secret", "value": "x"})


async def test_sessions_are_summed_up_latest_activity_first(store: Store) -> None:
    traces = traces_in(store)
    await traces.upsert_trace(trace("t1", start=0, session_id="s1", user_id="u", agent_id="a"))
    await traces.upsert_trace(trace("t2", start=5, session_id="s1", user_id="u", team_id="t"))
    await traces.upsert_trace(trace("t3", start=3, end=4, session_id="s2"))
    await traces.upsert_trace(trace("t4", start=9, end=10))
    stats, total = await traces.get_trace_stats()
    assert total == 2
    assert [each["session_id"] for each in stats] == ["s1", "s2"]
    assert stats[0] == {
        "session_id": "s1",
        "user_id": "u",
        "agent_id": "a",
        "team_id": "t",
        "workflow_id": None,
        "total_traces": 2,
        "first_trace_at": at(0),
        "last_trace_at": at(5),
    }
    assert (await traces.get_trace_stats(user_id="u"))[1] == 1
    assert (await traces.get_trace_stats(start_time=at(4)))[0][0]["total_traces"] == 1
    assert (await traces.get_trace_stats(end_time=at(4)))[1] == 2


@pytest.mark.parametrize("kind", ["agent", "team", "workflow"])
async def test_components_are_summed_up_with_most_traces_first(store: Store, kind: Any) -> None:
    traces = traces_in(store)
    column = f"{kind}_id"
    for number in range(10):
        await traces.upsert_trace(
            trace(
                f"t{number}",
                start=number,
                end=number + 1 + number / 4,
                status="ERROR" if number == 3 else "OK",
                session_id=f"s{number % 3}",
                **{column: "x"},
            )
        )
    for number, other in enumerate("zyy"):
        await traces.upsert_trace(trace(f"o{number}", **{column: other}))
    await traces.upsert_trace(trace("o9", **{column: "z"}))
    await traces.upsert_trace(trace("none"))
    stats, total = await traces.get_trace_stats(group_by=kind)
    assert total == 3
    assert [each[column] for each in stats] == ["x", "y", "z"]
    assert stats[0] == {
        column: "x",
        "total_traces": 10,
        "total_sessions": 3,
        "avg_duration_ms": 2125.0,
        "p95_duration_ms": 3137.5,
        "max_duration_ms": 3250,
        "error_traces": 1,
        "first_trace_at": at(0),
        "last_trace_at": at(9),
    }
    paged, total = await traces.get_trace_stats(group_by=kind, limit=1, page=2)
    assert ([each[column] for each in paged], total) == (["y"], 3)


async def test_entrypoints_are_summed_up_by_name_without_components(store: Store) -> None:
    traces = traces_in(store)
    await traces.upsert_trace(trace("t1", name="POST /x"))
    await traces.upsert_trace(trace("t2", name="POST /x", agent_id="a"))
    stats, total = await traces.get_trace_stats(group_by="endpoint")
    assert total == 1
    assert (stats[0]["name"], stats[0]["total_traces"], stats[0]["total_sessions"]) == ("POST /x", 1, 0)


async def test_an_unknown_grouping_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="Invalid group_by value: 'user'"):
        await traces_in(store).get_trace_stats(group_by="user")  # type: ignore[arg-type]
