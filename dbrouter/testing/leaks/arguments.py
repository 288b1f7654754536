"""What a method is called with, made at random by the names of its parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
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
from dbrouter.testing.leaks.names import HOSTILE_IDS, USERS

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LEFT_OUT = 0.8
"""How often an argument that may be left out is."""


@dataclass(frozen=True, slots=True)
class Hand:
    """Whoever makes arguments: a source of chance, the mark of the tenant that will send them, and the ids in use."""

    random: Random
    mark: str
    names: tuple[str, ...] = HOSTILE_IDS

    def id(self) -> str:
        """An id that every tenant uses."""
        return self.random.choice(self.names)

    def maybe_id(self) -> str | None:
        """An id, or nothing."""
        return self.random.choice((*self.names, None, None))

    def user(self) -> str:
        """A user that every tenant has."""
        return self.random.choice(USERS)

    def maybe_user(self) -> str | None:
        """A user, or nobody."""
        return self.random.choice((*USERS, None, None, None, None))

    def ids(self) -> list[str]:
        """Some ids, each once."""
        return self.random.sample(self.names, self.random.randint(0, 4))

    def text(self) -> str:
        """A text of this tenant's."""
        return f"{self.mark} {self.id()}"

    def data(self) -> dict[str, Any]:
        """A JSON object of this tenant's."""
        return {"note": self.text(), "n": self.random.randint(0, 9), "list": [self.mark]}

    def moment(self) -> datetime:
        """A time of one day."""
        return NOON + timedelta(seconds=self.random.randint(0, 36_000))

    def second(self) -> int:
        """A time of that day in epoch seconds."""
        return int(self.moment().timestamp())


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


MAKERS: Mapping[str, Callable[[Hand], Any]] = {
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
    "target_type": lambda hand: hand.random.choice(["agent", "team", "workflow"]),
    "sort_by": lambda hand: hand.random.choice(["created_at", "updated_at", "user_id", "nothing"]),
    "sort_order": lambda hand: hand.random.choice(["asc", "desc"]),
    "runs_limit": lambda hand: hand.random.choice([0, 1, 5]),
    "group_by": lambda hand: hand.random.choice(["session", "agent", "team", "workflow", "endpoint"]),
}
"""Parameter -> how to make one. A required parameter that is not here fails the suite by name."""

COLUMNS: Mapping[str, Callable[[Hand], dict[str, Any]]] = {
    "update_approval": lambda hand: {"status": "approved", "resolution_data": hand.data()},
    "update_schedule": lambda hand: {"description": hand.text()},
    "update_schedule_run": lambda hand: {"status": "success", "output": hand.data()},
    "stamp_schedule_provenance": lambda hand: {"managed_by": hand.text()},
}
"""Method -> the columns that it takes as keyword arguments."""


def arguments(method: str, signature: inspect.Signature, hand: Hand) -> dict[str, Any]:
    """Arguments for one call. `LookupError` names a required parameter that nobody said how to make."""
    given: dict[str, Any] = {}
    for name, parameter in signature.parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            if method not in COLUMNS:
                raise LookupError(f"{method} takes any columns: say in leaks.arguments.COLUMNS which to send")
            given |= COLUMNS[method](hand)
            continue
        required = parameter.default is inspect.Parameter.empty
        maker = MAKERS.get(name)
        if maker is None:
            if required:
                raise LookupError(f"{method} needs {name!r}: say in leaks.arguments.MAKERS how to make one")
        elif required or hand.random.random() > LEFT_OUT:
            given[name] = maker(hand)
    return given
