"""What one release of agno writes through its own class. Runs in that release's environment, so it imports no dbrouter.

`python writes.py sqlite PATH`, or `python writes.py postgres URL SCHEMA`, or `mysql` or `mongo` as `postgres`.
What the release has no method for is left out.
"""

from __future__ import annotations

import contextlib
import sys
import time
from datetime import UTC, datetime
from typing import Any

from agno.db.schemas.evals import EvalRunRecord, EvalType
from agno.db.schemas.knowledge import KnowledgeRow
from agno.db.schemas.memory import UserMemory
from agno.models.message import Message
from agno.run.agent import RunInput, RunOutput
from agno.run.base import RunStatus
from agno.run.team import TeamRunOutput
from agno.run.workflow import WorkflowRunOutput
from agno.session.agent import AgentSession
from agno.session.team import TeamSession
from agno.session.workflow import WorkflowSession

FIRST_DAY = 1_761_998_400  # 2025-11-01T12:00:00Z
DAY = 86_400


def write(db: Any) -> None:
    """Write something into every table that the release has."""
    _sessions(db)
    for number, (memory, topics, user) in enumerate(
        (("likes tea ☕", ["drinks"], "ada"), ("lives in Ulm", [], "bob"), ("of nobody", None, None)), start=1
    ):
        kept: Any = {"created_at": FIRST_DAY, "updated_at": FIRST_DAY + number}
        db.upsert_user_memory(UserMemory(memory=memory, memory_id=f"m{number}", topics=topics, user_id=user, **kept))
    db.create_eval_run(
        EvalRunRecord(
            run_id="e1",
            eval_type=EvalType.ACCURACY,
            eval_data={"score": 0.5},
            eval_input={"question": "é"},
            agent_id="desk",
            name="first",
        )
    )
    db.upsert_knowledge_content(
        KnowledgeRow(
            id="k1",
            name="manual",
            description="how to",
            metadata={"pages": 3},
            linked_to="base",
            status="completed",
            created_at=FIRST_DAY,
            updated_at=FIRST_DAY,
        )
    )
    for method, family in LATER.items():
        if hasattr(db, method):
            with contextlib.suppress(NotImplementedError):
                family(db)
    # The last day is not over: agno marks its metrics as not complete.
    db.calculate_metrics()
    # Afterwards: the metrics of 2.3 fail on a session without runs.
    db.upsert_session(AgentSession(session_id="s0", agent_id="desk", user_id="ada", runs=[], created_at=FIRST_DAY))


def _sessions(db: Any) -> None:
    sessions = [
        AgentSession(
            session_id=f"s{number}",
            agent_id="desk",
            user_id=user,
            session_data={"session_state": {"asked": number}},
            runs=[_run(f"s{number}", turn, user, day) for turn in range(number)],
            created_at=FIRST_DAY + day * DAY,
            updated_at=FIRST_DAY + day * DAY,
        )
        for number, user, day in ((3, "ada", 0), (2, "bob", 0), (1, None, 1))
    ]
    sessions.append(
        TeamSession(
            session_id="t1",
            team_id="crew",
            user_id="ada",
            session_data={"session_state": {}},
            runs=[
                TeamRunOutput(
                    run_id="t1-0",
                    team_id="crew",
                    session_id="t1",
                    content="all of us",
                    status=RunStatus.completed,
                    created_at=FIRST_DAY,
                ),
                RunOutput(
                    run_id="t1-1",
                    agent_id="desk",
                    session_id="t1",
                    parent_run_id="t1-0",
                    content="one of us",
                    status=RunStatus.completed,
                    created_at=FIRST_DAY,
                ),
            ],
            created_at=FIRST_DAY,
        )
    )
    sessions.append(
        WorkflowSession(
            session_id="w1",
            workflow_id="nightly",
            workflow_name="nightly",
            user_id="bob",
            session_data={"session_state": {}},
            runs=[
                WorkflowRunOutput(
                    run_id="w1-0",
                    workflow_id="nightly",
                    workflow_name="nightly",
                    session_id="w1",
                    content="done",
                    status=RunStatus.completed,
                    created_at=FIRST_DAY,
                )
            ],
            created_at=FIRST_DAY,
        )
    )
    now = int(time.time())
    sessions.append(
        AgentSession(
            session_id="today",
            agent_id="desk",
            user_id="ada",
            session_data={"session_state": {"asked": 1}},
            runs=[_run("today", 0, "ada", 0)],
            created_at=now,
        )
    )
    for session in sessions:
        db.upsert_session(session)
        if hasattr(db, "upsert_run"):
            for run in session.runs or []:
                db.upsert_run(run=run, session_id=session.session_id, user_id=session.user_id)


def _run(session: str, turn: int, user: str | None, day: int) -> RunOutput:
    text = f"{session}: turn {turn} – naïve “quotes” 🙂 \\ \" ' %s"
    return RunOutput(
        run_id=f"{session}-{turn}",
        agent_id="desk",
        session_id=session,
        user_id=user,
        input=RunInput(input_content=text),
        content=text.upper(),
        messages=[Message(role="user", content=text), Message(role="assistant", content=text.upper())],
        status=RunStatus.completed if turn else RunStatus.error,
        created_at=FIRST_DAY + day * DAY + turn,
    )


def _traces(db: Any) -> None:
    from agno.tracing.schemas import Span, Trace

    start, end = (datetime.fromtimestamp(FIRST_DAY + each, UTC) for each in (0, 2))
    db.upsert_trace(
        Trace(
            trace_id="tr1",
            name="desk.run",
            status="OK",
            start_time=start,
            end_time=end,
            duration_ms=2000,
            total_spans=1,
            error_count=0,
            run_id="s3-0",
            session_id="s3",
            user_id="ada",
            agent_id="desk",
            team_id=None,
            workflow_id=None,
            created_at=start,
        )
    )
    db.create_spans(
        [
            Span(
                span_id="sp1",
                trace_id="tr1",
                parent_span_id=None,
                name="desk.run",
                span_kind="AGENT",
                status_code="OK",
                status_message=None,
                start_time=start,
                end_time=end,
                duration_ms=2000,
                attributes={"openinference.span.kind": "AGENT"},
                created_at=start,
            )
        ]
    )


def _learnings(db: Any) -> None:
    # The key that all users shared before agno 3.
    db.upsert_learning(
        id="entity_user_company_acme",
        learning_type="entity_memory",
        content={"name": "Acme", "facts": [{"id": "f1", "content": "buys tea"}], "user_id": "ada"},
        user_id="ada",
        namespace="user",
        entity_id="acme",
        entity_type="company",
    )
    db.upsert_learning(id="profile_ada", learning_type="user_profile", content={"name": "Ada"}, user_id="ada")


def _components(db: Any) -> None:
    from agno.db.base import ComponentType

    db.upsert_component(component_id="desk", component_type=ComponentType.AGENT, name="Desk")
    db.upsert_config(component_id="desk", config={"name": "Desk"}, stage="published", notes="first")


def _schedules(db: Any) -> None:
    db.create_schedule(
        {
            "id": "sc1",
            "name": "nightly",
            "method": "POST",
            "endpoint": "/agents/desk/runs",
            "payload": {"message": "hi"},
            "cron_expr": "0 3 * * *",
            "timezone": "UTC",
            "timeout_seconds": 60,
            "max_retries": 0,
            "retry_delay_seconds": 60,
            "enabled": True,
            "next_run_at": FIRST_DAY + DAY,
            "created_at": FIRST_DAY,
        }
    )
    db.create_schedule_run(
        {"id": "sr1", "schedule_id": "sc1", "attempt": 1, "status": "success", "created_at": FIRST_DAY}
    )


def _approvals(db: Any) -> None:
    db.create_approval(
        {
            "id": "a1",
            "run_id": "s3-2",
            "session_id": "s3",
            "status": "pending",
            "source_type": "agent",
            "pause_type": "confirmation",
            "agent_id": "desk",
            "user_id": "ada",
            "created_at": FIRST_DAY,
        }
    )


LATER = {
    "upsert_trace": _traces,
    "upsert_learning": _learnings,
    "upsert_component": _components,
    "create_schedule": _schedules,
    "create_approval": _approvals,
}
"""What came after 2.3, and not to every database: method -> what writes with it."""


def opened(kind: str, *where: str) -> Any:
    """The class of agno's on a database of this kind."""
    match kind:
        case "sqlite":
            from agno.db.sqlite import SqliteDb

            return SqliteDb(db_file=where[0])
        case "postgres":
            from agno.db.postgres import PostgresDb

            return PostgresDb(db_url=where[0], db_schema=where[1])
        case "mysql":
            from agno.db.mysql import MySQLDb

            return MySQLDb(db_url=where[0], db_schema=where[1])
        case "mongo":
            from agno.db.mongo import MongoDb

            return MongoDb(db_url=where[0], db_name=where[1])
        case _:
            raise SystemExit(f"no database {kind!r}")


if __name__ == "__main__":
    write(opened(*sys.argv[1:]))
