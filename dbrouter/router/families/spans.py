"""Spans: the steps of traces, written in batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbrouter.backends.kernel.filters import (
    EVERYTHING,
    Compare,
    Comparison,
    Everything,
    Field,
    Filter,
    Related,
    all_of,
    eq,
    equals,
)
from dbrouter.backends.kernel.ops import Aggregate, Batch, Computed, Get, Measure, Order, Scan, Upsert
from dbrouter.router.families.paging import limited, offset_of
from dbrouter.router.families.trace_records import span_record, spans_of, trace_record
from dbrouter.router.families.trace_stats import DURATIONS, between, page_within, told

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dbrouter.backends.kernel.merging import Record
    from dbrouter.router.agno_tracing import Span
    from dbrouter.router.families.context import Context

IN_TIME = (Order(Field("start_time")),)
SPAN_TYPE = Field("attributes", ("openinference.span.kind",))
STATISTICS = (
    Computed(name="total_calls", measure=Measure.COUNT),
    *DURATIONS,
    Computed(name="error_count", measure=Measure.COUNT, where=eq("status_code", "ERROR")),
    Computed(name="last_called_at", measure=Measure.MAX, field=Field("start_time")),
)
SORTABLE = frozenset(each.name for each in STATISTICS)


class Spans:
    """agno's methods over spans."""

    def __init__(self, context: Context) -> None:
        self._store = context.store

    async def create_span(self, span: Span) -> None:
        """Store the span; nothing changes if it is stored already."""
        await self.create_spans([span])

    async def create_spans(self, spans: Sequence[Span]) -> None:
        """Store the spans that are not stored yet, and a trace for those whose trace is not known yet.

        One request. Neither a span told twice, nor one whose trace was never told, nor an attribute without a stored
        form keeps another span from being stored.
        """
        if not spans:
            return
        await self._store.execute(
            Batch(
                upserts=(
                    Upsert(table="traces", records=_traces_of(spans), returning=False),
                    Upsert(table="spans", records=_once_each(spans), returning=False),
                )
            )
        )

    async def get_span(self, span_id: str) -> Span | None:
        """The span, or `None` if there is none."""
        stored = await self._store.execute(Get(table="spans", key=(span_id,)))
        return spans_of([stored.record])[0] if stored else None

    async def get_spans(
        self, trace_id: str | None = None, parent_span_id: str | None = None, limit: int | None = 1000
    ) -> list[Span]:
        """Spans of this trace and below this span, earliest start first, at most `limit` (0 or `None`: all)."""
        found = await self._store.execute(
            Scan(
                table="spans",
                where=equals(trace_id=trace_id or None, parent_span_id=parent_span_id or None),
                order=IN_TIME,
                limit=limited(limit) or None,
            )
        )
        return spans_of(found.records)

    async def get_span_stats(
        self,
        agent_id: str | None = None,
        team_id: str | None = None,
        workflow_id: str | None = None,
        start_time: datetime | None = None,
        end_time: datetime | None = None,
        name: str | None = None,
        span_type: str | None = None,
        limit: int | None = 20,
        page: int | None = 1,
        sort_by: str = "total_calls",
        sort_order: str = "desc",
    ) -> tuple[list[dict[str, Any]], int]:
        """A page of statistics per span name and type, and how many such groups there are.

        The component is that of the span's trace. start_time, end_time: bounds on the start of the spans.
        An unknown `sort_by` means most calls first. Attributes, which can hold whole conversations, stay in the store.
        """
        groups = await self._store.execute(
            Aggregate(
                table="spans",
                by={"name": Field("name"), "span_type": SPAN_TYPE},
                measures=STATISTICS,
                where=all_of(
                    _of_component(agent_id, team_id, workflow_id),
                    between("start_time", start_time, end_time),
                    equals(name=name or None),
                    _of_type(span_type),
                ),
                order=(
                    Order(Field(sort_by if sort_by in SORTABLE else "total_calls"), descending=sort_order != "asc"),
                    Order(Field("name")),
                    Order(Field("span_type")),
                ),
                limit=limit,
                offset=offset_of(limit, page_within(limit, page)),
                total=True,
            )
        )
        return [told(group) for group in groups.records], groups.total or 0


def _traces_of(spans: Sequence[Span]) -> tuple[Record, ...]:
    """A row for each trace of these spans, for the case that nobody told of the trace itself."""
    from dbrouter.router.agno_tracing import create_trace_from_spans  # see agno_tracing

    by_trace: dict[str, list[Span]] = {}
    for span in spans:
        by_trace.setdefault(span.trace_id, []).append(span)
    derived = (create_trace_from_spans(group) for group in by_trace.values())
    return tuple(trace_record(trace) for trace in derived if trace is not None)


def _once_each(spans: Sequence[Span]) -> tuple[Record, ...]:
    """The rows of the spans, the first telling of each."""
    first: dict[str, Span] = {}
    for span in spans:
        first.setdefault(span.span_id, span)
    return tuple(span_record(span) for span in first.values())


def _of_component(agent_id: str | None, team_id: str | None, workflow_id: str | None) -> Filter:
    where = equals(agent_id=agent_id or None, team_id=team_id or None, workflow_id=workflow_id or None)
    if isinstance(where, Everything):
        return where
    return Related(column="trace_id", table="traces", key="trace_id", where=where)


def _of_type(span_type: str | None) -> Filter:
    return Compare(SPAN_TYPE, Comparison.EQ, span_type) if span_type else EVERYTHING
