"""Runs as agno kept them inside their session before agno 3, as records of the table of runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from dbrouter.backends.kernel.merging import Record


def records_of(runs: Any, *, session_id: str, user_id: str | None, now: int) -> Iterator[Record]:
    """A record for each run of the session, in order, as agno's own migration makes them.

    What is no run, having no id, is left out. user_id: the session's owner, who owns its runs.
    """
    if not isinstance(runs, list):
        return
    for position, run in enumerate(cast("list[Any]", runs)):
        if not isinstance(run, Mapping):
            continue
        said = cast("Mapping[str, Any]", run)
        if said.get("run_id") is None:
            continue
        yield {
            "run_id": said["run_id"],
            "session_id": session_id,
            "run_type": _kind(said),
            "agent_id": said.get("agent_id"),
            "team_id": said.get("team_id"),
            "workflow_id": said.get("workflow_id"),
            "user_id": user_id,
            "parent_run_id": said.get("parent_run_id"),
            "status": said.get("status"),
            "run_index": position,
            "run_data": dict(said),
            "created_at": said.get("created_at") or now,
            "updated_at": now,
        }


def _kind(run: Mapping[str, Any]) -> str:
    if run.get("agent_id"):
        return "agent"
    return "team" if run.get("team_id") else "workflow"
