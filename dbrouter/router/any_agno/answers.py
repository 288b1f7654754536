"""Answers of agno's classes as the contract of agno's interface has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from dbrouter.router.agno_queue import RunPersistOutcome

LISTS = frozenset({"get_all_memory_topics", "get_learnings", "search_learnings", "get_spans"})
"""Methods that always answer a list."""

PAGES = frozenset(
    {
        *("get_user_memory_stats", "get_knowledge_contents", "get_traces", "get_trace_stats", "get_span_stats"),
        *("get_approvals", "get_schedules", "get_schedule_runs", "get_learnings_user_stats", "list_learnings"),
    }
)
"""Methods that always answer a page and how many match in all."""

EITHER = frozenset({"get_sessions", "get_runs", "get_user_memories", "get_eval_runs"})
"""Methods that answer a list of objects, or with `deserialize` false a page of rows and how many match in all."""

WHETHER = frozenset({"delete_session", "delete_run", "cancel_pending_run", "reassign_session_owner"})
"""Methods that say whether something was done."""


def as_agreed(method: str, arguments: Mapping[str, Any], answer: Any) -> Any:
    """The answer in the shape that agno's contract says, with rows as plain mappings."""
    answer = plain(answer)
    if method in EITHER:
        return _list(answer) if arguments.get("deserialize", True) else _page(answer)
    if method in PAGES:
        return _page(answer)
    if method in LISTS:
        return _list(answer)
    if method == "get_metrics":
        return answer if isinstance(answer, tuple) else (_list(answer), None)
    return bool(answer) if method in WHETHER else answer


def plain(answer: Any) -> Any:
    """The answer with every row that is some mapping as a dict, which agno's routes write as JSON."""
    if isinstance(answer, Mapping):
        return answer if type(answer) is dict else dict(cast("Mapping[str, Any]", answer))
    if isinstance(answer, list):
        return [plain(each) for each in cast("list[Any]", answer)]
    if isinstance(answer, tuple):
        return tuple(plain(each) for each in cast("tuple[Any, ...]", answer))
    return answer


def is_empty(answer: object) -> bool:
    """Whether there is nothing in an answer."""
    if isinstance(answer, tuple):
        return all(is_empty(each) for each in cast("tuple[Any, ...]", answer))
    if isinstance(answer, Mapping):
        return all(is_empty(each) for each in cast("Mapping[str, Any]", answer).values())
    return answer is RunPersistOutcome.MISSING or answer is None or answer is False or answer == 0 or answer in ([], "")


def _list(answer: Any) -> list[Any]:
    if isinstance(answer, tuple):
        answer = cast("tuple[Any, ...]", answer)[0]
    return [] if answer is None else cast("list[Any]", answer)


def _page(answer: Any) -> tuple[list[Any], int]:
    if isinstance(answer, tuple):
        records, total = cast("tuple[Any, Any]", answer)
        return _list(records), int(total or 0)
    records = _list(answer)
    return records, len(records)
