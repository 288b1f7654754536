"""Bounds in time that are of another type than agno's signatures say: refused by name, and no empty answer."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from dbrouter.backends import InMemoryDb

NOW = datetime(2026, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize("given", [date(2026, 1, 10), "2026-01-10T00:00:00", 1_768_003_200])
@pytest.mark.parametrize("name", ["start_time", "end_time"])
@pytest.mark.parametrize("method", ["get_traces", "get_trace_stats", "get_span_stats"])
def test_a_time_of_a_trace_is_a_datetime(method: str, name: str, given: Any) -> None:
    asked = {"name": "chat"} if method == "get_span_stats" else {}
    with pytest.raises(TypeError, match=f"`{name}` must be a datetime; got {type(given).__name__}"):
        getattr(InMemoryDb(), method)(**{**asked, name: given})


@pytest.mark.parametrize("given", [NOW, NOW.date(), "1768003200"])
@pytest.mark.parametrize(
    ("method", "name", "asked"),
    [
        ("get_sessions", "start_timestamp", {}),
        ("get_sessions", "end_timestamp", {}),
        ("count_authz_users_by_day", "starting_at", {}),
        ("count_authz_users_by_day", "ending_before", {}),
        ("delete_schedule_runs", "before", {"schedule_id": "s"}),
    ],
)
def test_a_timestamp_is_a_number(method: str, name: str, asked: dict[str, Any], given: Any) -> None:
    with pytest.raises(TypeError, match=f"`{name}` must be seconds since 1970; got {type(given).__name__}"):
        getattr(InMemoryDb(), method)(**{**asked, name: given})
