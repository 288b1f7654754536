"""Session objects to rows and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dbrouter.backends.kernel.merging import Record
from dbrouter.router.agno_types import (
    AgentSession,
    Session,
    SessionType,
    TeamSession,
    WorkflowSession,
    deserialize_session,
)

TYPES: tuple[tuple[type, str], ...] = ((AgentSession, "agent"), (TeamSession, "team"), (WorkflowSession, "workflow"))
SHARED = ("user_id", "session_data", "summary", "metadata")


def kind_of(session: Session) -> str:
    """Whether it is an "agent", a "team" or a "workflow" session; `ValueError` for anything else."""
    for kind, name in TYPES:
        if isinstance(session, kind):
            return name
    raise ValueError(f"a session is an AgentSession, TeamSession or WorkflowSession, not {type(session).__name__}")


def written_columns(kind: str) -> tuple[str, ...]:
    """The columns a save of this kind of session changes; the other kinds' columns stay."""
    return (f"{kind}_id", f"{kind}_data", *SHARED)


def row_of(session: Session, now: int) -> Record:
    """The row an insert of the session writes."""
    kind = kind_of(session)
    values = session.to_dict(include_runs=False)
    created = values.get("created_at") or now
    return {
        "session_id": values["session_id"],
        "session_type": kind,
        **{column: values.get(column) for column in written_columns(kind)},
        "created_at": created,
        "updated_at": created,
    }


def session_object(session_type: SessionType | None, row: Mapping[str, Any], runs: list[Any] | None = None) -> Session:
    """The session object for a row; `runs` are ready objects, otherwise the row's `runs` are rebuilt."""
    session: Any = deserialize_session(session_type, dict(row))
    if runs is not None:
        session.runs = runs
    return session


def runs_as_dicts(session: Session) -> list[dict[str, Any]]:
    """The session's runs as agno writes them."""
    return [run if isinstance(run, dict) else run.to_dict() for run in session.runs or []]
