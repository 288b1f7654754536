"""Statistics over traces and spans: what is asked of the store, and how agno's callers want it told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from dbrouter.backends.kernel.filters import (
    EVERYTHING,
    Comparison,
    Field,
    Filter,
    all_of,
    compare,
    eq,
    is_null,
    not_null,
)
from dbrouter.backends.kernel.ops import Aggregate, Computed, Measure, Order
from dbrouter.router.families.moments import moment
from dbrouter.router.families.trace_records import from_iso

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from dbrouter.backends.kernel.merging import Record

Grouping: TypeAlias = Literal["session", "agent", "team", "workflow", "endpoint"]

_GROUP_COLUMNS: dict[str, str] = {
    "session": "session_id",
    "agent": "agent_id",
    "team": "team_id",
    "workflow": "workflow_id",
    "endpoint": "name",
}
_UNATTRIBUTED = all_of(is_null("agent_id"), is_null("team_id"), is_null("workflow_id"))
"""Traces of an HTTP or MCP entrypoint: they carry no component."""

DURATIONS = (
    Computed(name="avg_duration_ms", measure=Measure.MEAN, field=Field("duration_ms")),
    Computed(name="p95_duration_ms", measure=Measure.P95, field=Field("duration_ms")),
    Computed(name="max_duration_ms", measure=Measure.MAX, field=Field("duration_ms")),
)
_PERIOD = (
    Computed(name="first_trace_at", measure=Measure.MIN, field=Field("created_at")),
    Computed(name="last_trace_at", measure=Measure.MAX, field=Field("created_at")),
)
_TOTAL = Computed(name="total_traces", measure=Measure.COUNT)
_OF_SESSION = (
    *(
        Computed(name=column, measure=Measure.MAX, field=Field(column))
        for column in ("user_id", "agent_id", "team_id", "workflow_id")
    ),
    _TOTAL,
    *_PERIOD,
)
_OF_COMPONENT = (
    _TOTAL,
    Computed(name="total_sessions", measure=Measure.DISTINCT, field=Field("session_id")),
    *DURATIONS,
    Computed(name="error_traces", measure=Measure.COUNT, where=eq("status", "ERROR")),
    *_PERIOD,
)


def trace_stats(group_by: str, where: Filter, *, limit: int | None, offset: int) -> Aggregate:
    """The question for statistics of the traces that match, per value of the grouping. `ValueError` for another one."""
    if group_by not in _GROUP_COLUMNS:
        raise ValueError(f"Invalid group_by value: {group_by!r}. Allowed: {', '.join(_GROUP_COLUMNS)}")
    column = _GROUP_COLUMNS[group_by]
    by_session = group_by == "session"
    return Aggregate(
        table="traces",
        by={column: Field(column)},
        measures=_OF_SESSION if by_session else _OF_COMPONENT,
        where=all_of(_UNATTRIBUTED if group_by == "endpoint" else not_null(column), where),
        order=(Order(Field("last_trace_at" if by_session else "total_traces"), descending=True), Order(Field(column))),
        limit=limit,
        offset=offset,
        total=True,
    )


def between(column: str, start: datetime | None, end: datetime | None) -> Filter:
    """Records whose ISO time is not before `start` and not after `end`, where given."""
    since, until = moment(start, "start_time"), moment(end, "end_time")
    return all_of(
        compare(column, Comparison.GE, since) if since else EVERYTHING,
        compare(column, Comparison.LE, until) if until else EVERYTHING,
    )


def page_within(limit: int | None, page: int | None) -> int | None:
    """The page number where it means something: agno's trace listings default to page 1 of everything."""
    return page if page and limit else None


def told(record: Record) -> dict[str, Any]:
    """A row of statistics as agno tells it: times as `datetime`, means to a tenth of a millisecond."""
    return {
        name: value if value is None or name not in _TELLING else _TELLING[name](value)
        for name, value in record.items()
    }


def _tenths(value: Any) -> float:
    return round(float(value), 1)


_TELLING: dict[str, Callable[[Any], Any]] = {
    "avg_duration_ms": _tenths,
    "p95_duration_ms": _tenths,
    "first_trace_at": from_iso,
    "last_trace_at": from_iso,
    "last_called_at": from_iso,
}
