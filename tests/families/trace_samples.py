"""Traces and spans to test with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from dbrouter.router.agno_tracing import Span, Trace

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """A time so many seconds after all traces began."""
    return START + timedelta(seconds=seconds)


def trace(trace_id: str = "t1", start: float = 0, end: float = 1, **columns: Any) -> Trace:
    """A trace of an agent's run, where nothing else is said."""
    given: dict[str, Any] = {
        "name": "Agent.run",
        "status": "OK",
        "run_id": None,
        "session_id": None,
        "user_id": None,
        "agent_id": None,
        "team_id": None,
        "workflow_id": None,
        "created_at": at(start),
        **columns,
    }
    return Trace(
        trace_id=trace_id,
        start_time=at(start),
        end_time=at(end),
        duration_ms=int((end - start) * 1000),
        total_spans=0,
        error_count=0,
        **given,
    )


def span(span_id: str, trace_id: str = "t1", start: float = 0, end: float = 1, **columns: Any) -> Span:
    """A span below a root, where nothing else is said."""
    given: dict[str, Any] = {
        "parent_span_id": "root",
        "name": "step",
        "span_kind": "INTERNAL",
        "status_code": "OK",
        "status_message": None,
        "attributes": {},
        "created_at": at(start),
        **columns,
    }
    return Span(
        span_id=span_id,
        trace_id=trace_id,
        start_time=at(start),
        end_time=at(end),
        duration_ms=int((end - start) * 1000),
        **given,
    )
