"""Usage per user and day, computed from sessions and from how many runs of a session used which model."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dbrouter.backends.kernel.merging import Record

DAILY = "daily"
SESSION_TYPES = ("agent", "team", "workflow")
TOKENS = (
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "audio_total_tokens",
    "audio_input_tokens",
    "audio_output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)
UNOWNED = ""
"""The owner under which sessions without one are counted: the column allows no null."""


def day_of(epoch_seconds: int) -> date:
    """The UTC day of a time."""
    return datetime.fromtimestamp(epoch_seconds, tz=UTC).date()


def midnight(day: date) -> int:
    """The time at which a UTC day begins."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


@dataclass(slots=True)
class _Usage:
    """What one user used on one day."""

    sessions: Counter[str] = field(default_factory=Counter[str])
    runs: Counter[str] = field(default_factory=Counter[str])
    tokens: Counter[str] = field(default_factory=Counter[str])
    models: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])


def daily_usage(sessions: Iterable[Record], run_groups: Iterable[Record], *, now: int) -> list[Record]:
    """A metrics row for each user and day that has sessions, by day and user; days before today are completed.

    sessions: with session_id, session_type, user_id, session_data and created_at. run_groups: `runs` per session_id,
    model and model_provider.
    """
    groups_of: dict[str, list[Record]] = {}
    for group in run_groups:
        groups_of.setdefault(group["session_id"], []).append(group)
    used: dict[tuple[date, str], _Usage] = {}
    for session in sessions:
        usage = used.setdefault((day_of(session["created_at"]), session["user_id"] or UNOWNED), _Usage())
        _add(usage, session, groups_of.get(session["session_id"], []))
    return [_row(day, user_id, usage, now) for (day, user_id), usage in sorted(used.items(), key=itemgetter(0))]


def _add(usage: _Usage, session: Record, run_groups: Iterable[Record]) -> None:
    session_type: str = session["session_type"]
    usage.sessions[session_type] += 1
    for group in run_groups:
        usage.runs[session_type] += group["runs"]
        if group["model"]:
            usage.models[group["model"], group["model_provider"] or ""] += group["runs"]
    session_data: dict[str, Any] = session["session_data"] or {}
    spent: dict[str, Any] = session_data.get("session_metrics") or {}
    for name in TOKENS:
        usage.tokens[name] += spent.get(name) or 0


def _row(day: date, user_id: str, usage: _Usage, now: int) -> Record:
    return {
        "id": str(uuid4()),
        "date": day,
        "aggregation_period": DAILY,
        "user_id": user_id,
        "completed": day < day_of(now),
        # One user a row, so that the sum over rows is the number of users.
        "users_count": 0 if user_id == UNOWNED else 1,
        **{f"{each}_sessions_count": usage.sessions[each] for each in SESSION_TYPES},
        **{f"{each}_runs_count": usage.runs[each] for each in SESSION_TYPES},
        "token_metrics": {name: usage.tokens[name] for name in TOKENS},
        "model_metrics": [
            {"model_id": model, "model_provider": provider, "count": count}
            for (model, provider), count in usage.models.items()
        ],
        "created_at": now,
        "updated_at": now,
    }
