"""Records with the columns that their tables demand."""

from __future__ import annotations

from typing import Any


def session(session_id: str, **columns: Any) -> dict[str, Any]:
    """A session."""
    return {"session_id": session_id, "session_type": "agent", "created_at": 1, **columns}


def run(run_id: str, session_id: str = "s", **columns: Any) -> dict[str, Any]:
    """A run of a session."""
    return {
        "run_id": run_id,
        "session_id": session_id,
        "run_type": "agent",
        "created_at": 1,
        "run_data": {"id": run_id},
        **columns,
    }


def schedule(schedule_id: str, name: str, **columns: Any) -> dict[str, Any]:
    """A schedule, whose name is unique per user."""
    return {
        "id": schedule_id,
        "name": name,
        "method": "POST",
        "endpoint": "/",
        "cron_expr": "* * * * *",
        "timezone": "UTC",
        "timeout_seconds": 1,
        "max_retries": 0,
        "retry_delay_seconds": 0,
        "created_at": 1,
        **columns,
    }


def metric(metric_id: str, user_id: str, **columns: Any) -> dict[str, Any]:
    """A day's usage, identified by its user and day."""
    return {
        "id": metric_id,
        "user_id": user_id,
        "date": "2026-01-01",
        "aggregation_period": "daily",
        "created_at": 1,
        **columns,
    }


def trace(trace_id: str, **columns: Any) -> dict[str, Any]:
    """A trace."""
    return {
        "trace_id": trace_id,
        "name": "run",
        "status": "OK",
        "start_time": "2026-01-01T00:00:00+00:00",
        "end_time": "2026-01-01T00:00:01+00:00",
        "duration_ms": 1000,
        "created_at": "2026-01-01T00:00:00+00:00",
        **columns,
    }


def span(span_id: str, trace_id: str, **columns: Any) -> dict[str, Any]:
    """A span of a trace, without which the trace cannot go."""
    return {
        "span_id": span_id,
        "trace_id": trace_id,
        "name": "step",
        "span_kind": "INTERNAL",
        "status_code": "OK",
        "start_time": "2026-01-01T00:00:00+00:00",
        "end_time": "2026-01-01T00:00:01+00:00",
        "duration_ms": 1000,
        "created_at": "2026-01-01T00:00:00+00:00",
        **columns,
    }
