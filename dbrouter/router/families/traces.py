"""Traces: one row a trace, merged from the batches that tell of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbrouter.backends.kernel.filters import (
    EVERYTHING,
    Comparison,
    Contains,
    Field,
    all_of,
    any_of,
    compare,
    eq,
    equals,
    not_null,
    one_of,
)
from dbrouter.backends.kernel.merging import Elapsed, Fill, Greatest, Least, Ranked, Record, Rule
from dbrouter.backends.kernel.ops import Aggregate, Computed, Get, Measure, Order, Scan, Upsert
from dbrouter.router.families.moments import moment
from dbrouter.router.families.paging import offset_of
from dbrouter.router.families.trace_filters import trace_filter
from dbrouter.router.families.trace_records import counted, trace_record
from dbrouter.router.families.trace_stats import Grouping, between, page_within, told, trace_stats

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dbrouter.router.agno_tracing import Trace
    from dbrouter.router.families.context import Context

_NAMES_A_RUN = any_of(Contains(Field("name"), ".run"), Contains(Field("name"), ".arun"))

TRACE_RULES: dict[str, Rule] = {
    "start_time": Least(),
    "end_time": Greatest(),
    "duration_ms": Elapsed("start_time", "end_time"),
    # agno lets the last writer decide, so that a later batch of good spans hides an error.
    "status": Ranked(((eq("status", "ERROR"), 2), (eq("status", "OK"), 1))),
    "name": Ranked(
        (
            (all_of(not_null("workflow_id"), _NAMES_A_RUN), 3),
            (all_of(not_null("team_id"), _NAMES_A_RUN), 2),
            (all_of(not_null("agent_id"), _NAMES_A_RUN), 1),
        )
    ),
    "run_id": Fill(),
    "session_id": Fill(),
    "user_id": Fill(),
    "agent_id": Fill(),
    "team_id": Fill(),
    "workflow_id": Fill(),
}
"""How two tellings of one trace become one. No rule depends on the order of arrival, but for who named it first.

The name goes to the outermost component's run: workflow before team before agent before anything else.
"""

NEWEST_FIRST = (Order(Field("start_time"), descending=True),)


class Traces:
    """agno's methods over traces."""

    def __init__(self, context: Context) -> None:
        self._store = context.store

    async def upsert_trace(self, trace: Trace) -> None:
        """Store the trace, or merge it into what is known of it: earliest start, latest end, an error for good."""
        await self._store.execute(
            Upsert(table="traces", records=(trace_record(trace),), rules=TRACE_RULES, returning=False)
        )

    async def get_trace(self, trace_id: str | None = None, run_id: str | None = None) -> Trace | None:
        """The trace of this id, else the newest of this run, with its span counts; `None` if there is none."""
        if trace_id:
            stored = await self._store.execute(Get(table="traces", key=(trace_id,)))
            records = [stored.record] if stored else []
        elif run_id:
            found = await self._store.execute(
                Scan(table="traces", where=eq("run_id", run_id), order=NEWEST_FIRST, limit=1)
            )
            records = found.records
        else:
            records = []
        traces = await self._with_counts(records)
        return traces[0] if traces else None

    async def get_traces(
        self,
        run_id: str | None = None,
        session_id: str | None = None,
        user_id: str | None = None,
        agent_id: str | None = None,
        team_id: str | None = None,
        workflow_id: str | None = None,
        status: str | None = None,
        start_time: datetime | None = None,
        end_time: datetime | None = None,
        limit: int | None = 20,
        page: int | None = 1,
        filter_expr: dict[str, Any] | None = None,
    ) -> tuple[list[Trace], int]:
        """A page of matching traces, newest start first, each with its span counts, and how many match in all.

        start_time: started then or later. end_time: ended then or earlier. filter_expr: see `trace_filter`.
        """
        since, until = moment(start_time, "start_time"), moment(end_time, "end_time")
        page_of_traces = await self._store.execute(
            Scan(
                table="traces",
                where=all_of(
                    equals(
                        run_id=run_id or None,
                        session_id=session_id or None,
                        user_id=user_id,
                        agent_id=agent_id or None,
                        team_id=team_id or None,
                        workflow_id=workflow_id or None,
                        status=status or None,
                    ),
                    compare("start_time", Comparison.GE, since) if since else EVERYTHING,
                    compare("end_time", Comparison.LE, until) if until else EVERYTHING,
                    trace_filter(filter_expr),
                ),
                order=NEWEST_FIRST,
                limit=limit,
                offset=offset_of(limit, page_within(limit, page)),
                total=True,
            )
        )
        return await self._with_counts(page_of_traces.records), page_of_traces.total or 0

    async def get_trace_stats(
        self,
        user_id: str | None = None,
        agent_id: str | None = None,
        team_id: str | None = None,
        workflow_id: str | None = None,
        start_time: datetime | None = None,
        end_time: datetime | None = None,
        limit: int | None = 20,
        page: int | None = 1,
        filter_expr: dict[str, Any] | None = None,
        group_by: Grouping = "session",
    ) -> tuple[list[dict[str, Any]], int]:
        """A page of statistics, one dict per session (latest activity first) or component (most traces first).

        start_time, end_time: bounds on when the traces were recorded. Raises `ValueError` for another grouping.
        """
        where = all_of(
            equals(
                user_id=user_id,
                agent_id=agent_id or None,
                team_id=team_id or None,
                workflow_id=workflow_id or None,
            ),
            between("created_at", start_time, end_time),
            trace_filter(filter_expr),
        )
        groups = await self._store.execute(
            trace_stats(group_by, where, limit=limit, offset=offset_of(limit, page_within(limit, page)))
        )
        return [told(group) for group in groups.records], groups.total or 0

    async def _with_counts(self, records: Sequence[Record]) -> list[Trace]:
        """The traces of these rows. One request counts the spans of all."""
        if not records:
            return []
        counts = await self._store.execute(
            Aggregate(
                table="spans",
                by={"trace_id": Field("trace_id")},
                measures=(
                    Computed(name="total_spans", measure=Measure.COUNT),
                    Computed(name="error_count", measure=Measure.COUNT, where=eq("status_code", "ERROR")),
                ),
                where=one_of("trace_id", [record["trace_id"] for record in records]),
            )
        )
        by_trace = {group["trace_id"]: group for group in counts.records}
        return [counted(record, by_trace.get(record["trace_id"])) for record in records]
