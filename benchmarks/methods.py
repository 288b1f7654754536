"""Many methods beside agno's own classes, on a few hundred rows."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from agno.db.postgres import PostgresDb as AgnoPostgresDb
from agno.db.schemas import UserMemory
from agno.db.schemas.evals import EvalRunRecord, EvalType
from agno.db.schemas.knowledge import KnowledgeRow
from agno.db.sqlite import SqliteDb as AgnoSqliteDb
from agno.run.agent import RunOutput
from agno.session import AgentSession
from agno.tracing.schemas import Span, create_trace_from_spans

from benchmarks.conversation import SESSION, fill
from dbrouter.backends import PostgresDb, SqliteDb

ROWS, TRACES, ROUNDS = 200, 60, 60


def _new() -> str:
    """Text that was not written before: a database may skip a write that changes nothing."""
    return uuid4().hex


METHODS: dict[str, Callable[[Any], Any]] = {
    "get_session, 10 runs": lambda db: db.get_session(SESSION),
    "get_session, 3 of 10 runs": lambda db: db.get_session(SESSION, runs_limit=3),
    "get_sessions, a page of 20": lambda db: db.get_sessions(
        limit=20, page=2, sort_by="created_at", sort_order="desc", deserialize=False, include_runs=False
    ),
    "get_sessions of a user": lambda db: db.get_sessions(user_id="u3", limit=20, sort_by="updated_at"),
    "upsert_session, new": lambda db: db.upsert_session(_session(_new(), 1)),
    "get_run": lambda db: db.get_run("bench-run-3"),
    "get_runs of a session": lambda db: db.get_runs(session_id=SESSION),
    "upsert_run, new": lambda db: db.upsert_run(RunOutput(run_id=_new(), session_id="s1", agent_id="a"), "s1"),
    "rename_session": lambda db: db.rename_session("s3", None, _new()),
    "upsert_user_memory, new": lambda db: db.upsert_user_memory(UserMemory("m", memory_id=_new(), user_id="u")),
    "upsert_user_memory, known": lambda db: db.upsert_user_memory(UserMemory(_new(), memory_id="m1", user_id="u1")),
    "get_user_memories": lambda db: db.get_user_memories(user_id="u3"),
    "get_user_memories, search": lambda db: db.get_user_memories(search_content="tea", limit=20, page=1),
    "get_all_memory_topics": lambda db: db.get_all_memory_topics(),
    "get_user_memory_stats": lambda db: db.get_user_memory_stats(limit=10, page=1),
    "get_knowledge_contents": lambda db: db.get_knowledge_contents(limit=20, page=1, sort_by="updated_at"),
    "upsert_knowledge_content": lambda db: db.upsert_knowledge_content(_content(3, _new())),
    "create_eval_run": lambda db: db.create_eval_run(
        EvalRunRecord(run_id=_new(), eval_type=EvalType.ACCURACY, eval_data={}, eval_input={})
    ),
    "get_eval_runs": lambda db: db.get_eval_runs(limit=20, page=1, deserialize=False),
    "get_metrics": lambda db: db.get_metrics(),
    "calculate_metrics": lambda db: db.calculate_metrics(),
    "get_trace": lambda db: db.get_trace("t5"),
    "get_traces, a page of 20": lambda db: db.get_traces(limit=20, page=1),
    "get_spans of a trace": lambda db: db.get_spans("t5"),
    "get_trace_stats, sessions": lambda db: db.get_trace_stats(),
    "get_trace_stats, agents": lambda db: db.get_trace_stats(group_by="agent"),
    "get_span_stats": lambda db: db.get_span_stats(),
    "get_approvals": lambda db: db.get_approvals(status="pending"),
    "get_pending_approval_count": lambda db: db.get_pending_approval_count(),
    "update_approval": lambda db: db.update_approval("ap", expected_status="pending", status="pending"),
    "claim_due_schedule, none": lambda db: db.claim_due_schedule("w"),
    "get_schedules": lambda db: db.get_schedules(),
    "update_schedule": lambda db: db.update_schedule("sc", description=_new()),
    "upsert_learning": lambda db: db.upsert_learning("l1", "profile", {"a": _new()}),
    "get_learnings": lambda db: db.get_learnings(user_id="u3"),
    "search_learnings": lambda db: db.search_learnings("Sarah", limit=20),
}


def postgres(url: str) -> None:
    """On Postgres."""
    with psycopg.connect(url, autocommit=True) as admin:
        for schema in ("bench_ours", "bench_agno"):
            admin.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')
    theirs = AgnoPostgresDb(url.replace("postgresql://", "postgresql+psycopg://"), db_schema="bench_agno")
    compared("Postgres", PostgresDb(url, db_schema="bench_ours"), theirs)


def sqlite(folder: Path) -> None:
    """On SQLite."""
    compared("SQLite", SqliteDb(str(folder / "methods-ours.db")), AgnoSqliteDb(str(folder / "methods-agno.db")))


def compared(title: str, ours: Any, theirs: Any) -> None:
    """A line for each method: both medians and how many times faster ours is."""
    for db in (ours, theirs):
        _fill(db)
    print(f"\nmethods on {title}: dbrouter ms, agno ms, agno / dbrouter")
    for name, call in METHODS.items():
        left, right = _medians(lambda call=call: call(ours), lambda call=call: call(theirs))
        print(f"  {name:<28} {left:8.3f} {right:8.3f}   {right / left:6.1f} x")
    for db in (ours, theirs):
        db.close()


def _medians(left: Callable[[], Any], right: Callable[[], Any]) -> tuple[float, float]:
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for call, kept in zip((left, right), times, strict=True):
            start = time.perf_counter()
            call()
            kept.append((time.perf_counter() - start) * 1000)
    return statistics.median(times[0]), statistics.median(times[1])


def _session(session_id: str, index: int) -> AgentSession:
    data = {"session_name": f"name {index}", "session_state": {"count": index}}
    return AgentSession(
        session_id, agent_id=f"a{index % 5}", user_id=f"u{index % 10}", session_data=data, created_at=1000 + index
    )


def _content(index: int, description: str = "d") -> KnowledgeRow:
    return KnowledgeRow(
        id=f"k{index}", name="n", description=description, status="ok", created_at=index, updated_at=index
    )


def _fill(db: Any) -> None:
    fill(db)
    for index in range(ROWS):
        db.upsert_session(_session(f"s{index}", index))
        db.upsert_user_memory(
            UserMemory(f"tea {index}", memory_id=f"m{index}", user_id=f"u{index % 10}", topics=["a", f"t{index % 7}"])
        )
        db.upsert_knowledge_content(_content(index))
        db.upsert_learning(f"l{index}", "profile", {"name": f"Sarah {index}"}, user_id=f"u{index % 10}")
    now = datetime.now(UTC)
    for index in range(TRACES):
        spans = [_span(index, child, now) for child in range(10)]
        db.upsert_trace(create_trace_from_spans(spans))
        db.create_spans(spans)
    db.create_approval(
        {"id": "ap", "run_id": "r", "session_id": "s", "status": "pending", "source_type": "agent", "pause_type": "c"}
    )
    db.create_schedule(
        {
            "id": "sc",
            "name": "n",
            "method": "POST",
            "endpoint": "/x",
            "cron_expr": "* * * * *",
            "timezone": "UTC",
            "timeout_seconds": 1,
            "max_retries": 0,
            "retry_delay_seconds": 1,
            "enabled": True,
            "next_run_at": 10**10,
            "created_at": 1,
        }
    )


def _span(trace: int, child: int, now: datetime) -> Span:
    name, parent = ("bench.run", None) if child == 0 else ("child", f"{trace}-0")
    attributes = {"agno.agent.id": "a", "session.id": f"s{trace}"}
    return Span(f"{trace}-{child}", f"t{trace}", parent, name, "INTERNAL", "OK", None, now, now, 1, attributes, now)
