"""What is written into a database, and every question whose answers are compared then."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from dbrouter.router.agno_types import AgentSession, SessionType, UserMemory
from tests.families.trace_samples import at
from tests.oracle import (
    test_approvals,
    test_evals,
    test_knowledge,
    test_learnings,
    test_memories,
    test_runs,
    test_schedules,
    test_sessions,
    test_traces,
)

Question = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Story:
    """Rows of one family. write: puts them in. change: alters some of them. asked: what is asked of both then."""

    write: Callable[[Any], None]
    change: Callable[[Any], None]
    asked: tuple[Question, ...] = field(default=())


def _ask(method: str, *variants: dict[str, Any]) -> Iterable[Question]:
    return ((method, each) for each in variants)


def _change_session(db: Any) -> None:
    session = db.get_session("s1")
    session.session_data["session_state"]["n"] += 1
    session.summary = None
    db.upsert_session(session)
    db.upsert_run(test_sessions.run("r1", content="changed"), "s1", user_id="ann")
    db.upsert_run(test_sessions.run("new"), "s1", user_id="ann")
    db.rename_session("s3", SessionType.TEAM, "renamed é")
    db.delete_session("s4")
    db.reassign_session_owner("s2", previous_user_id="bob", user_id="eve")


def _write_runs(db: Any) -> None:
    db.upsert_session(AgentSession(session_id="s1", agent_id="a", user_id="ann", created_at=1))
    db.upsert_session(AgentSession(session_id="s2", agent_id="a", created_at=1))
    db.upsert_session(AgentSession(session_id="s3", agent_id="a", created_at=1))
    test_runs.fill(db)


def _change_runs(db: Any) -> None:
    db.cancel_pending_run("r2", session_id="s1", reason="gone")
    db.upsert_run(test_runs.agent_run("r1", content="later"), "s1", user_id="ann")
    db.delete_run("r6")


def _change_memories(db: Any) -> None:
    db.upsert_user_memory(test_memories.memory("m2", "changed", topics=["é"]))
    db.upsert_memories([UserMemory(memory="bulk", memory_id="m9", user_id="ann", created_at=4)])
    db.delete_user_memory("m3")


def _change_knowledge(db: Any) -> None:
    db.upsert_knowledge_content(test_knowledge.row("k2", user_id="bob", status="failed", status_message="why"))
    db.delete_knowledge_content("k3")


def _change_evals(db: Any) -> None:
    db.rename_eval_run("r1", "renamed")
    db.delete_eval_runs(["r4"])


def _change_learnings(db: Any) -> None:
    db.upsert_learning("l1", "user_profile", {"name": "changed"}, user_id="ann")
    db.update_learning("l2", {"note": "é"}, metadata={"k": [1]})
    db.delete_learning("l3")


def _change_schedules(db: Any) -> None:
    db.update_schedule("s1", enabled=False, payload={"é": None})
    db.update_schedule_run("r2", status="failed", error="why")
    db.delete_schedule("s2")
    db.disable_schedules_for_target("agent", "a", "archived")


def _change_approvals(db: Any) -> None:
    db.update_approval("p1", expected_status="pending", status="approved", resolved_by="é", resolved_at=5)
    db.update_approval("p2", expected_status="approved", status="rejected")
    db.delete_approval("p3")


def _change_traces(db: Any) -> None:
    db.upsert_trace(test_traces.trace("t1", -1, 9, name="Flow.run", workflow_id="w"))
    db.create_spans([test_traces.span("7", "t4", 3, 4, name="late", attributes={"é": 1})])


STORIES: dict[str, Story] = {
    "sessions": Story(
        test_sessions.fill,
        _change_session,
        (
            *_ask("get_session", *({"session_id": each} for each in ("s1", "s2", "s3", "s5", "s9"))),
            *_ask("get_session", {"session_id": "s1", "deserialize": False}, {"session_id": "s1", "runs_limit": 2}),
            *_ask("get_session", {"session_id": "s2", "user_id": "bob"}, {"session_id": "s2", "user_id": "ann"}),
            *_ask("get_sessions", {"deserialize": False, "sort_by": "session_id"}),
            *_ask("get_sessions", {"session_type": SessionType.AGENT, "sort_by": "created_at", "include_runs": False}),
            *_ask("get_sessions", {"session_name": "TEA", "deserialize": False, "sort_by": "session_id"}),
            *_ask("get_runs", {"session_id": "s1"}, {"deserialize": False, "sort_by": "run_id"}),
        ),
    ),
    "runs": Story(
        _write_runs,
        _change_runs,
        (
            *_ask("get_run", *({"run_id": f"r{number}", "deserialize": False} for number in range(1, 8))),
            *_ask("get_run", {"run_id": "r1"}, {"run_id": "r3"}, {"run_id": "r5"}),
            *_ask("get_runs", {"session_id": "s1"}, {"user_id": ""}, {"status": "PENDING", "deserialize": False}),
        ),
    ),
    "memories": Story(
        test_memories.fill,
        _change_memories,
        (
            *_ask("get_user_memory", *({"memory_id": f"m{number}"} for number in range(1, 6))),
            *_ask("get_user_memory", {"memory_id": "m4", "deserialize": False}),
            *_ask("get_user_memories", {"sort_by": "created_at"}, {"topics": ["food"], "sort_by": "created_at"}),
            *_ask("get_user_memories", {"search_content": "LIKES", "sort_by": "created_at", "deserialize": False}),
            *_ask("get_user_memory_stats", {}),
        ),
    ),
    "knowledge": Story(
        test_knowledge.fill,
        _change_knowledge,
        (
            *_ask("get_knowledge_content", *({"id": f"k{number}"} for number in range(1, 5))),
            *_ask("get_knowledge_contents", {"linked_to": "docs", "sort_by": "created_at", "limit": 5}),
            *_ask("get_knowledge_contents", {"user_id": "ann", "sort_by": "created_at"}),
        ),
    ),
    "evals": Story(
        test_evals.fill,
        _change_evals,
        (
            *_ask("get_eval_run", *({"eval_run_id": f"r{number}"} for number in range(1, 6))),
            *_ask("get_eval_run", {"eval_run_id": "r2", "deserialize": False}),
            *_ask("get_eval_runs", {"user_id": "ann"}, {"sort_by": "run_id", "deserialize": False}),
        ),
    ),
    "learnings": Story(
        test_learnings.fill,
        _change_learnings,
        (
            *_ask("get_learning_by_id", *({"id": f"l{number}"} for number in range(1, 5))),
            *_ask("get_learning", {"learning_type": "user_profile", "user_id": "ann"}),
            *_ask("search_learnings", {"query": "sarah"}, {"query": "50%"}),
            *_ask("get_learnings_user_stats", {}),
        ),
    ),
    "schedules": Story(
        test_schedules.fill,
        _change_schedules,
        (
            *_ask("get_schedule", *({"schedule_id": f"s{number}"} for number in range(1, 6))),
            *_ask("get_schedules", {}, {"enabled": True}, {"user_id": "ann"}),
            *_ask("get_schedule_by_name", {"name": "digest"}, {"name": "digest", "user_id": "ann"}),
            *_ask("get_schedule_run", *({"run_id": f"r{number}"} for number in range(1, 5))),
            *_ask("get_schedule_runs", {"schedule_id": "s1"}),
            *_ask("get_latest_schedule_runs", {"schedule_ids": ["s1", "s2"]}),
        ),
    ),
    "approvals": Story(
        test_approvals.fill,
        _change_approvals,
        (
            *_ask("get_approval", *({"approval_id": f"p{number}"} for number in range(1, 4))),
            *_ask("get_approvals", {}, {"status": "pending"}, {"user_id": ""}),
            *_ask("get_pending_approval_count", {}, {"user_id": "ann"}),
        ),
    ),
    "traces": Story(
        test_traces.fill,
        _change_traces,
        (
            *_ask("get_trace", *({"trace_id": f"t{number}"} for number in range(2, 6)), {"run_id": "r1"}),
            *_ask("get_traces", {}, {"status": "ERROR"}, {"start_time": at(2), "limit": 2}),
            *_ask("get_span", *({"span_id": str(number)} for number in range(1, 8))),
            *_ask("get_trace_stats", {"group_by": "session"}),
            *_ask("get_spans", {"trace_id": "t2"}),
        ),
    ),
}
