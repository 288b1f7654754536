"""Sessions, runs, memories, knowledge, evals, traces, approvals, schedules and learnings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from dbrouter.router.agno_tracing import Span, Trace
from dbrouter.router.agno_types import (
    AgentSession,
    EvalRunRecord,
    EvalType,
    KnowledgeRow,
    RunOutput,
    RunStatus,
    SessionType,
    TeamSession,
    UserMemory,
    WorkflowSession,
)
from dbrouter.testing.leaks.making.hand import Calls, Hand, Makers

TARGETS = ("agent", "team", "workflow")


def _session(hand: Hand) -> Any:
    known: dict[str, Any] = {
        "session_id": hand.id(),
        "user_id": hand.maybe_user(),
        "session_data": {"session_name": hand.text(), "session_state": hand.data()},
        "metadata": hand.data(),
        "created_at": hand.second(),
    }
    kind = hand.random.randint(0, 2)
    if kind == 0:
        return AgentSession(agent_id=hand.maybe_id(), **known)
    if kind == 1:
        return TeamSession(team_id=hand.maybe_id(), **known)
    return WorkflowSession(workflow_id=hand.maybe_id(), **known)


def _run(hand: Hand) -> Any:
    status = hand.random.choice([RunStatus.running, RunStatus.completed, RunStatus.pending, RunStatus.paused])
    return RunOutput(
        run_id=hand.id(), agent_id=hand.maybe_id(), session_id=hand.id(), content=hand.text(), status=status
    )


def _memory(hand: Hand) -> UserMemory:
    return UserMemory(
        memory=hand.text(),
        memory_id=hand.id(),
        user_id=hand.maybe_user(),
        agent_id=hand.maybe_id(),
        topics=[hand.mark, hand.id()],
        created_at=hand.second(),
    )


def _knowledge(hand: Hand) -> KnowledgeRow:
    row: dict[str, Any] = {"user_id": hand.maybe_user(), "linked_to": hand.maybe_id(), "created_at": hand.second()}
    return KnowledgeRow(id=hand.id(), name=hand.text(), description=hand.text(), metadata=hand.data(), **row)


def _eval(hand: Hand) -> EvalRunRecord:
    return EvalRunRecord(
        run_id=hand.id(),
        eval_type=hand.random.choice(list(EvalType)),
        eval_data=hand.data(),
        eval_input=hand.data(),
        name=hand.text(),
        agent_id=hand.maybe_id(),
    )


def _trace(hand: Hand) -> Trace:
    start = hand.moment()
    return Trace(
        trace_id=hand.id(),
        name=hand.text(),
        status=hand.random.choice(["OK", "ERROR"]),
        start_time=start,
        end_time=start + timedelta(seconds=1),
        duration_ms=1000,
        total_spans=0,
        error_count=0,
        run_id=hand.maybe_id(),
        session_id=hand.maybe_id(),
        user_id=hand.maybe_user(),
        agent_id=hand.maybe_id(),
        team_id=hand.maybe_id(),
        workflow_id=hand.maybe_id(),
        created_at=start,
    )


def _span(hand: Hand) -> Span:
    start = hand.moment()
    return Span(
        span_id=hand.id(),
        trace_id=hand.id(),
        parent_span_id=hand.maybe_id(),
        name=hand.text(),
        span_kind="INTERNAL",
        status_code="OK",
        status_message=None,
        start_time=start,
        end_time=start + timedelta(seconds=1),
        duration_ms=1000,
        attributes=hand.data(),
        created_at=start,
    )


def _approval(hand: Hand) -> dict[str, Any]:
    return {
        "id": hand.id(),
        "run_id": hand.id(),
        "session_id": hand.id(),
        "status": hand.random.choice(["pending", "approved"]),
        "source_type": "agent",
        "pause_type": "confirmation",
        "tool_name": hand.text(),
        "tool_args": hand.data(),
        "agent_id": hand.maybe_id(),
        "user_id": hand.maybe_user(),
    }


def _schedule(hand: Hand) -> dict[str, Any]:
    return {
        "id": hand.id(),
        "name": hand.id(),
        "description": hand.text(),
        "method": "POST",
        "endpoint": "/agents/a/runs",
        "payload": hand.data(),
        "cron_expr": "* * * * *",
        "timezone": "UTC",
        "timeout_seconds": 60,
        "max_retries": 0,
        "retry_delay_seconds": 1,
        "enabled": True,
        "next_run_at": hand.second(),
        "target_type": hand.random.choice(TARGETS),
        "target_id": hand.few(),
        "user_id": hand.maybe_user(),
        "created_at": hand.second(),
    }


def _schedule_run(hand: Hand) -> dict[str, Any]:
    return {
        "id": hand.id(),
        "schedule_id": hand.id(),
        "attempt": 1,
        "triggered_at": hand.second(),
        "status": "running",
        "completed_at": hand.second() if hand.rarely() else None,
        "input": hand.data(),
        "user_id": hand.maybe_user(),
        "created_at": hand.second(),
    }


def _id(hand: Hand) -> str:
    return hand.id()


def _ids(hand: Hand) -> list[str]:
    return hand.ids()


def _text(hand: Hand) -> str:
    return hand.text()


def _data(hand: Hand) -> dict[str, Any]:
    return hand.data()


def _day(hand: Hand) -> Any:
    return hand.moment().date()


MAKERS: Makers = {
    **dict.fromkeys(
        (
            *("session_id", "run_id", "memory_id", "id", "approval_id", "schedule_id", "schedule_run_id"),
            *("eval_run_id", "trace_id", "span_id", "parent_span_id", "agent_id"),
            *("team_id", "workflow_id", "component_id", "model_id", "worker_id", "entity_id", "namespace"),
            *("linked_to", "target_id", "learning_type", "entity_type", "name", "search_content", "query"),
        ),
        _id,
    ),
    **dict.fromkeys(("user_id", "previous_user_id"), lambda hand: hand.user()),
    **dict.fromkeys(("session_ids", "run_ids", "memory_ids", "eval_run_ids", "schedule_ids", "topics"), _ids),
    **dict.fromkeys(("session_name", "reason", "description"), _text),
    **dict.fromkeys(("content", "metadata"), _data),
    **dict.fromkeys(("start_time", "end_time"), lambda hand: hand.moment()),
    **dict.fromkeys(("starting_date", "ending_date"), _day),
    **dict.fromkeys(("start_timestamp", "end_timestamp", "before", "next_run_at"), lambda hand: hand.second()),
    **dict.fromkeys(("limit",), lambda hand: hand.random.choice([1, 3, 100])),
    **dict.fromkeys(("page",), lambda hand: hand.random.choice([1, 1, 2])),
    **dict.fromkeys(
        ("deserialize", "include_runs", "include_global", "preserve_updated_at", "enabled"),
        lambda hand: hand.random.random() < 0.5,
    ),
    "session": _session,
    "sessions": lambda hand: [_session(hand) for _ in range(hand.random.randint(1, 3))],
    "run": _run,
    "memory": _memory,
    "memories": lambda hand: [_memory(hand) for _ in range(hand.random.randint(1, 3))],
    "knowledge_row": _knowledge,
    "eval_run": _eval,
    "trace": _trace,
    "span": _span,
    "spans": lambda hand: [_span(hand) for _ in range(hand.random.randint(1, 3))],
    "approval_data": _approval,
    "schedule_data": _schedule,
    "run_data": _schedule_run,
    "session_type": lambda hand: hand.random.choice([*SessionType, None]),
    "run_status": lambda hand: hand.random.choice(list(RunStatus)),
    "target_type": lambda hand: hand.random.choice(TARGETS),
    "sort_by": lambda hand: hand.random.choice(["created_at", "updated_at", "user_id", "nothing"]),
    "sort_order": lambda hand: hand.random.choice(["asc", "desc"]),
    "runs_limit": lambda hand: hand.random.choice([0, 1, 5]),
    "group_by": lambda hand: hand.random.choice(["session", "agent", "team", "workflow", "endpoint"]),
}

CALLS: Calls = {
    "update_approval": lambda hand: {"status": "approved", "resolution_data": hand.data()},
    "update_schedule": lambda hand: {"description": hand.text()},
    "update_schedule_run": lambda hand: {"status": "success", "output": hand.data()},
    "stamp_schedule_provenance": lambda hand: {"managed_by": hand.text()},
}
