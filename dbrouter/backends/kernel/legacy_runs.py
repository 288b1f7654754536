"""Runs as agno kept them inside their session before agno 3, as records of the table of runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, cast

from dbrouter.backends.kernel.merging import Record

_UNDER_WAY: Final = 2 * 24 * 60 * 60
"""Seconds that a run may have begun before it was written, and by which the clocks of two hosts may differ."""


def uncopied_since(stamped: object) -> float | None:
    """From when on a run may have been written by an older agno after those in its session were copied.

    stamped: when that was, as a stamp has it. What began earlier and is not in the table of runs was copied, and
    deleted since: it must not come back. `None`, where nobody knows, means any run.
    """
    try:
        at = datetime.fromisoformat(stamped).timestamp() if isinstance(stamped, str) else float(cast("Any", stamped))
    except (TypeError, ValueError):
        return None
    return at - _UNDER_WAY


def records_of(
    runs: Any, *, session_id: str, user_id: str | None, now: int, since: float | None = None
) -> Iterator[Record]:
    """A record for each run of the session, in order, as agno's own migration makes them.

    What is no run, having no id, is left out, and so is what began before `since`. user_id: the session's owner, who
    owns its runs.
    """
    if not isinstance(runs, list):
        return
    for position, run in enumerate(cast("list[Any]", runs)):
        if not isinstance(run, Mapping):
            continue
        said = cast("Mapping[str, Any]", run)
        if said.get("run_id") is None or (since is not None and _is_before(said.get("created_at"), since)):
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


def _is_before(began: Any, since: float) -> bool:
    return isinstance(began, int | float) and began < since


def _kind(run: Mapping[str, Any]) -> str:
    if run.get("agent_id"):
        return "agent"
    return "team" if run.get("team_id") else "workflow"
