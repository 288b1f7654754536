"""Small valid records of agno's tables, for tests to vary."""

from __future__ import annotations

from datetime import date
from typing import Any

from dbrouter.backends.kernel.merging import Record


def session(session_id: str = "s1", **columns: Any) -> Record:
    """A conversation."""
    return {"session_id": session_id, "session_type": "agent", "created_at": 100, **columns}


def run(run_id: str, session_id: str = "s1", **columns: Any) -> Record:
    """A run of a conversation."""
    return {
        "run_id": run_id,
        "session_id": session_id,
        "run_type": "agent",
        "run_data": {},
        "created_at": 100,
        **columns,
    }


def trace(trace_id: str = "t1", **columns: Any) -> Record:
    """A trace of one second."""
    return {
        "trace_id": trace_id,
        "name": "work",
        "status": "OK",
        "start_time": "2024-05-01T10:00:00+00:00",
        "end_time": "2024-05-01T10:00:01+00:00",
        "duration_ms": 1000,
        "created_at": "2024-05-01T10:00:00+00:00",
        **columns,
    }


def span(span_id: str, trace_id: str = "t1", **columns: Any) -> Record:
    """A span of a trace."""
    return {
        "span_id": span_id,
        "trace_id": trace_id,
        "name": "step",
        "span_kind": "INTERNAL",
        "status_code": "OK",
        "start_time": "2024-05-01T10:00:00+00:00",
        "end_time": "2024-05-01T10:00:01+00:00",
        "duration_ms": 1000,
        "attributes": {},
        "created_at": "2024-05-01T10:00:00+00:00",
        **columns,
    }


def schedule(id: str, **columns: Any) -> Record:  # noqa: A002  # the column's name
    """A schedule, named as its id."""
    return {
        "id": id,
        "name": id,
        "method": "POST",
        "endpoint": "/agents/a/runs",
        "cron_expr": "* * * * *",
        "timezone": "UTC",
        "timeout_seconds": 60,
        "max_retries": 0,
        "retry_delay_seconds": 60,
        "created_at": 100,
        **columns,
    }


def schedule_run(id: str, schedule_id: str, **columns: Any) -> Record:  # noqa: A002  # the column's name
    """One execution of a schedule."""
    return {"id": id, "schedule_id": schedule_id, "attempt": 1, "status": "success", "created_at": 100, **columns}


def learning(learning_id: str, **columns: Any) -> Record:
    """A learning; most of its columns may be null, so the filters are tested on it."""
    return {"learning_id": learning_id, "learning_type": "note", "content": {}, "created_at": 100, **columns}


def token(id: str, service: str = "mail", **columns: Any) -> Record:  # noqa: A002  # the column's name
    """An auth token; unique by provider, user and service."""
    return {
        "id": id,
        "provider": "acme",
        "user_id": "ann",
        "service": service,
        "token_data": {},
        "created_at": 100,
        **columns,
    }


def metric(id: str, date: date, **columns: Any) -> Record:  # noqa: A002  # the column's name
    """A day's usage; its counters have defaults."""
    return {"id": id, "date": date, "aggregation_period": "daily", "created_at": 100, **columns}


def transcript(position: int, agno_session_id: str = "s1", **columns: Any) -> Record:
    """An entry of a transcript; its key has five columns."""
    return {
        "framework": "f",
        "project_key": "p",
        "session_id": "x",
        "subpath": "",
        "position": position,
        "entry": "{}",
        "agno_session_id": agno_session_id,
        "created_at": 100,
        **columns,
    }
