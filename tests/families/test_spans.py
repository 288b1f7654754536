"""Spans: one request a batch, and no span costs another."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from dbrouter.backends.kernel.ops import Batch
from dbrouter.router.families.context import Context
from dbrouter.router.families.spans import Spans
from dbrouter.router.families.trace_records import UNSTORABLE_ATTRIBUTE
from dbrouter.router.families.traces import Traces
from tests.families.recorded import Recorded
from tests.families.trace_samples import at, span, trace

if TYPE_CHECKING:
    from dbrouter.backends.kernel.store import Store


def spans_in(store: Store) -> Spans:
    return Spans(Context(store))


async def ids(spans: Spans, **asked: Any) -> list[str]:
    return [each.span_id for each in await spans.get_spans(**asked)]


async def test_stored_spans_read_as_they_were_told(store: Store) -> None:
    told = span("1", status_message="why", attributes={"n": 1, "x": ["a", "b"], "none": None, "t": "\x00\ud800"})
    await spans_in(store).create_span(told)
    assert await spans_in(store).get_span("1") == told
    assert await spans_in(store).get_span("2") is None


async def test_a_batch_of_several_traces_is_one_request(store: Store) -> None:
    recorded = Recorded(store)
    await spans_in(recorded).create_spans([span("1", "t1"), span("2", "t2"), span("3", "t1")])
    assert [type(op) for op in recorded.ops] == [Batch]
    assert await ids(spans_in(store), trace_id="t1") == ["1", "3"]
    recorded.ops.clear()
    await spans_in(recorded).create_spans([])
    assert recorded.ops == []


async def test_a_span_told_twice_is_stored_once_and_costs_no_other(store: Store) -> None:
    spans = spans_in(store)
    await spans.create_spans([span("1", name="first"), span("1", name="again"), span("2")])
    await spans.create_spans([span("2", name="again"), span("3")])
    assert sorted(await ids(spans)) == ["1", "2", "3"]
    assert {each.span_id: each.name for each in await spans.get_spans()} == {"1": "first", "2": "step", "3": "step"}


async def test_spans_of_a_trace_that_nobody_told_of_bring_the_trace_along(store: Store) -> None:
    root = span("root", parent_span_id=None, name="Agent.run", end=4, attributes={"session_id": "s", "agent_id": "a"})
    await spans_in(store).create_spans([span("1", status_code="ERROR"), root])
    known = await Traces(Context(store)).get_trace("t1")
    assert known is not None
    assert (known.name, known.status, known.session_id, known.agent_id) == ("Agent.run", "ERROR", "s", "a")
    assert (known.duration_ms, known.total_spans, known.error_count) == (4000, 2, 1)


async def test_children_alone_say_nothing_of_who_the_trace_belongs_to(store: Store) -> None:
    traces = Traces(Context(store))
    await spans_in(store).create_spans([span("1", attributes={"session_id": "child", "user_id": "child"})])
    known = await traces.get_trace("t1")
    assert known is not None
    assert (known.session_id, known.user_id) == (None, None)
    await traces.upsert_trace(trace(name="Agent.run", session_id="s", agent_id="a"))
    known = await traces.get_trace("t1")
    assert known is not None
    assert (known.name, known.session_id) == ("Agent.run", "s")


async def test_spans_do_not_change_a_trace_that_is_known(store: Store) -> None:
    traces = Traces(Context(store))
    await traces.upsert_trace(trace(name="Agent.run", user_id="u", status="OK"))
    before = await traces.get_trace("t1")
    await spans_in(store).create_spans([span("root", parent_span_id=None, end=99, status_code="ERROR")])
    after = await traces.get_trace("t1")
    assert before is not None
    assert after is not None
    assert (after.name, after.user_id, after.status, after.end_time) == ("Agent.run", "u", "OK", before.end_time)


class Hostile:
    """An attribute whose every description fails."""

    def __repr__(self) -> str:
        raise RuntimeError("no")

    def to_dict(self) -> dict[str, object]:
        raise RuntimeError("no")


async def test_an_attribute_without_a_stored_form_becomes_its_repr_and_costs_no_other_span(store: Store) -> None:
    lock = threading.Lock()
    odd = {"lock": lock, "text": "kept", 7: "number", "hostile": Hostile()}
    await spans_in(store).create_spans([span("1"), span("2", attributes=odd), span("3")])
    assert await ids(spans_in(store)) == ["1", "2", "3"]
    stored = await spans_in(store).get_span("2")
    assert stored is not None
    assert stored.attributes["lock"] == repr(lock)
    assert (stored.attributes["text"], stored.attributes["7"]) == ("kept", "number")
    assert "Hostile" in stored.attributes["hostile"]
    assert stored.attributes[UNSTORABLE_ATTRIBUTE] == ["lock", "hostile"]


async def test_the_caller_may_change_the_attributes_afterwards(store: Store) -> None:
    told = span("1", attributes={"a": 1})
    await spans_in(store).create_span(told)
    told.attributes["a"] = 2
    stored = await spans_in(store).get_span("1")
    assert stored is not None
    assert stored.attributes == {"a": 1}


async def test_spans_are_listed_in_time_up_to_the_limit(store: Store) -> None:
    spans = spans_in(store)
    await spans.create_spans([span("b", start=1), span("a", start=1), span("c", start=0), span("d", "t2")])
    assert await ids(spans, trace_id="t1") == ["c", "a", "b"]
    assert await ids(spans, trace_id="t1", limit=2) == ["c", "a"]
    assert await ids(spans, trace_id="t1", limit=None) == ["c", "a", "b"]
    assert await ids(spans, parent_span_id="other") == []


async def stored_for_statistics(store: Store) -> Spans:
    traces, spans = Traces(Context(store)), spans_in(store)
    await traces.upsert_trace(trace("t1", agent_id="a", team_id="t"))
    await traces.upsert_trace(trace("t2", agent_id="b"))
    llm = {"openinference.span.kind": "LLM"}
    tool = {"openinference.span.kind": "TOOL"}
    await spans.create_spans(
        [
            span("1", "t1", start=0, end=1, name="chat", attributes=llm),
            span("2", "t1", start=1, end=4, name="chat", attributes=llm, status_code="ERROR"),
            span("3", "t2", start=2, end=4, name="chat", attributes=llm),
            span("4", "t2", start=3, end=9, name="search", attributes=tool),
            span("5", "t2", start=3, end=3.5, name="search"),
        ]
    )
    return spans


async def test_statistics_are_per_name_and_type(store: Store) -> None:
    stats, total = await (await stored_for_statistics(store)).get_span_stats()
    assert total == 3
    assert [(each["name"], each["span_type"], each["total_calls"]) for each in stats] == [
        ("chat", "LLM", 3),
        ("search", "TOOL", 1),
        ("search", None, 1),
    ]
    assert stats[0] == {
        "name": "chat",
        "span_type": "LLM",
        "total_calls": 3,
        "avg_duration_ms": 2000.0,
        "p95_duration_ms": 2900.0,
        "max_duration_ms": 3000,
        "error_count": 1,
        "last_called_at": at(2),
    }


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"agent_id": "a"}, [("chat", 2)]),
        ({"team_id": "t"}, [("chat", 2)]),
        ({"agent_id": "b", "team_id": "t"}, []),
        ({"workflow_id": "w"}, []),
        ({"agent_id": ""}, [("chat", 3), ("search", 1), ("search", 1)]),
        ({"name": "search"}, [("search", 1), ("search", 1)]),
        ({"span_type": "TOOL"}, [("search", 1)]),
        ({"start_time": at(2)}, [("chat", 1), ("search", 1), ("search", 1)]),
        ({"end_time": at(1)}, [("chat", 2)]),
    ],
)
async def test_statistics_are_of_the_spans_asked_for(
    store: Store, asked: dict[str, Any], found: list[tuple[str, int]]
) -> None:
    stats, total = await (await stored_for_statistics(store)).get_span_stats(**asked)
    assert [(each["name"], each["total_calls"]) for each in stats] == found
    assert total == len(found)


async def test_statistics_sort_by_a_measure_and_by_calls_where_there_is_no_such_measure(store: Store) -> None:
    spans = await stored_for_statistics(store)

    async def sorted_by(sort_by: str, sort_order: str = "desc") -> list[Any]:
        stats, _ = await spans.get_span_stats(sort_by=sort_by, sort_order=sort_order)
        return [each["max_duration_ms"] for each in stats]

    assert await sorted_by("max_duration_ms") == [6000, 3000, 500]
    assert await sorted_by("max_duration_ms", "asc") == [500, 3000, 6000]
    assert await sorted_by("nonsense", "sideways") == [3000, 6000, 500]
    assert (await spans.get_span_stats(limit=1, page=2))[0][0]["name"] == "search"
