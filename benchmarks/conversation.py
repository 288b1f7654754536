"""What one chat turn needs: a session with earlier runs, of the size a tool-using agent leaves."""

from __future__ import annotations

import time
from typing import Any

from agno.models.message import Message
from agno.run.agent import RunOutput
from agno.run.base import RunStatus
from agno.session import AgentSession

EARLIER_RUNS = 10
SESSION = "bench-session"
USER = "bench-user"
AGENT = "bench-agent"


def run(index: int) -> RunOutput:
    """A finished run with four messages, about 3 KB as JSON."""
    messages = [
        Message(role=role, content=f"message {index} {role} " + "lorem ipsum " * 30)
        for role in ("system", "user", "assistant", "assistant")
    ]
    return RunOutput(
        run_id=f"bench-run-{index}",
        agent_id=AGENT,
        session_id=SESSION,
        user_id=USER,
        content="lorem ipsum " * 30,
        messages=messages,
        status=RunStatus.completed,
        created_at=int(time.time()),
    )


def fill(db: Any) -> None:
    """A session with its earlier runs."""
    session = AgentSession(
        session_id=SESSION,
        agent_id=AGENT,
        user_id=USER,
        session_data={"session_state": {"turns": 0, "notes": ["a", "b", "c"]}},
        created_at=int(time.time()),
    )
    db.upsert_session(session)
    for index in range(EARLIER_RUNS):
        db.upsert_run(run(index), SESSION, user_id=USER, run_index=index)


def turn(db: Any, new: RunOutput) -> None:
    """What agno asks of a db for one turn: load, save the session, save the run, settle its approvals."""
    session = db.get_session(SESSION, user_id=USER)
    session.session_data["session_state"]["turns"] += 1
    session.upsert_run(new)
    db.upsert_session(session)
    db.upsert_run(new, SESSION, user_id=USER, run_index=EARLIER_RUNS)
    db.update_approval_run_status(new.run_id, RunStatus.completed)
