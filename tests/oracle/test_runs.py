"""Runs as agno's own classes keep them, and where ours are kept safer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from agno.models.message import Message
from agno.run.base import RunStatus

from dbrouter.backends.kernel.errors import ForeignOwner, MissingParent
from dbrouter.router.agno_types import (
    AgentSession,
    RunOutput,
    TeamRunOutput,
    TeamSession,
    WorkflowRunOutput,
    WorkflowSession,
)

if TYPE_CHECKING:
    from tests.oracle.conftest import Both


@pytest.fixture
def both(both: Both) -> Both:
    """Both sides with three sessions."""
    both.upsert_session(AgentSession(session_id="s1", agent_id="a", user_id="ann", created_at=1))
    both.upsert_session(TeamSession(session_id="s2", team_id="t", created_at=1))
    both.upsert_session(WorkflowSession(session_id="s3", workflow_id="w", user_id="", created_at=1))
    return both


def agent_run(run_id: str, **fields: Any) -> RunOutput:
    known = {"agent_id": "a", "session_id": "s1", "created_at": 7, "content": 'hé 🙂 \\ "', "status": RunStatus.running}
    messages = [Message(id="m", role="user", content="hello", created_at=3)]
    return RunOutput(run_id=run_id, **{"messages": messages, **known, **fields})


def as_dict(run_id: str, **fields: Any) -> dict[str, Any]:
    return {"run_id": run_id, "agent_id": "a", "status": "PENDING", "created_at": 8, **fields}


def fill(both: Both) -> None:
    member = agent_run("r4", parent_run_id="r3", status=RunStatus.completed)
    for run, session_id, user_id in (
        (agent_run("r1"), "s1", "ann"),
        (as_dict("r2"), "s1", None),
        (TeamRunOutput(run_id="r3", team_id="t", created_at=9, status=RunStatus.paused), "s2", None),
        (member, "s2", "bob"),
        (WorkflowRunOutput(run_id="r5", workflow_id="w", created_at=2, status=RunStatus.completed), "s3", ""),
        (agent_run("r6", created_at=1, status=RunStatus.error), "s1", "ann"),
    ):
        both.clock.tick()
        both.upsert_run(run, session_id, user_id=user_id)


def everything(both: Both) -> None:
    both.get_runs(deserialize=False, sort_by="run_id", sort_order="asc")


def test_empty_tables_answer_alike(both: Both) -> None:
    for deserialize in (True, False):
        both.get_run("r1", deserialize=deserialize)
        both.get_runs(deserialize=deserialize)
        both.get_runs("s1", deserialize=deserialize)
    both.delete_run("r1")
    both.delete_runs(["r1"])
    both.delete_runs([])
    both.cancel_pending_run("r1", session_id="s1", reason="x")


@pytest.mark.parametrize("deserialize", [True, False])
@pytest.mark.parametrize("run_id", ["r1", "r2", "r3", "r4", "r5", "r6", "r9", ""])
def test_look_ups_agree(both: Both, run_id: str, *, deserialize: bool) -> None:
    fill(both)
    both.get_run(run_id, deserialize=deserialize)


@pytest.mark.parametrize("deserialize", [True, False])
@pytest.mark.parametrize(
    "asked",
    [
        {"session_id": "s1"},
        {"session_id": "s2"},
        {"session_id": "s9"},
        {"session_id": "s1", "limit": 2},
        {"session_id": "s1", "limit": 2, "page": 2},
        {"session_id": "s1", "limit": 0},
        {"session_id": "s1", "user_id": "ann"},
        {"session_id": "s1", "status": RunStatus.running},
        {"session_id": "s1", "status": "PENDING"},
        {"user_id": ""},
        {"agent_id": "a", "sort_by": "run_id"},
        {"team_id": "t"},
        {"workflow_id": "w"},
        {"sort_by": "created_at", "limit": 4, "sort_order": "asc"},
        {"sort_by": "updated_at", "sort_order": "desc"},
        {"session_id": "s1", "sort_by": "run_index", "sort_order": "desc"},
    ],
)
def test_listings_agree(both: Both, asked: dict[str, Any], *, deserialize: bool) -> None:
    fill(both)
    both.get_runs(deserialize=deserialize, **asked)


@pytest.mark.parametrize("asked", [{"page": 1}, {"limit": 2, "page": 0}])
def test_impossible_pages_are_refused_alike(both: Both, asked: dict[str, Any]) -> None:
    for side in (both.agno, both.ours):
        with pytest.raises(ValueError, match="page"):
            side.get_runs(**asked)


@pytest.mark.parametrize("deserialize", [True, False])
def test_a_later_save_agrees(both: Both, *, deserialize: bool) -> None:
    fill(both)
    both.clock.tick(5)
    both.upsert_run(
        agent_run("r1", status=RunStatus.completed, content="done", agent_id="other", created_at=99), "s1", "ann"
    )
    both.upsert_run(agent_run("r2", status=None, parent_run_id="r1"), "s1", "bob", run_index=77)
    both.get_runs(deserialize=deserialize, sort_by="run_id", sort_order="asc")


def test_positions_agree(both: Both) -> None:
    """None takes the next one; a given one is kept where it is free."""
    for run_id, index in (("a", None), ("b", 1), ("c", None), ("d", 10), ("e", None), ("b", None), ("a", 3)):
        both.upsert_run(agent_run(run_id), "s1", run_index=index)
    both.upsert_run(as_dict("f", run_index=20), "s1")
    both.upsert_run(as_dict("g"), "s2")
    theirs, mine = both.answers("get_runs", deserialize=False, sort_by="run_id", sort_order="asc")
    assert mine == theirs
    assert [row["run_index"] for row in mine[0]] == [0, 1, 2, 10, 11, 20, 0]


def test_a_position_that_two_runs_want_is_given_once(both: Both) -> None:
    for run_id in ("a", "b"):
        both.upsert_run(agent_run(run_id), "s1", run_index=0)
    theirs, mine = both.answers("get_runs", "s1", deserialize=False)
    assert [row["run_index"] for row in theirs[0]] == [0, 0]
    assert [row["run_index"] for row in mine[0]] == [0, 1]


def test_a_run_without_an_id_is_refused_alike(both: Both) -> None:
    for side in (both.agno, both.ours):
        with pytest.raises(ValueError, match="must have a run_id"):
            side.upsert_run({"status": "PENDING"}, "s1")


def test_a_run_without_its_session_is_refused(both: Both) -> None:
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        both.agno.upsert_run(agent_run("r1"), "nowhere")
    with pytest.raises(MissingParent):
        both.ours.upsert_run(agent_run("r1"), "nowhere")
    everything(both)


def test_a_run_of_another_session_stays_as_it_is(both: Both) -> None:
    fill(both)
    both.agno.upsert_run(agent_run("r1", content="stolen"), "s2")
    before = both.ours.get_run("r1", deserialize=False)
    for session_id in ("s2", "nowhere"):
        with pytest.raises(ForeignOwner):
            both.ours.upsert_run(agent_run("r1", content="stolen"), session_id)
    assert both.ours.get_run("r1", deserialize=False) == before
    assert both.agno.get_run("r1").content == "stolen"


def test_a_save_without_a_user_does_not_take_the_run_from_its_owner(both: Both) -> None:
    fill(both)
    theirs, mine = both.answers("upsert_run", agent_run("r1"), "s1")
    assert theirs is mine is None
    assert (
        both.agno.get_run("r1", deserialize=False)["user_id"],
        both.ours.get_run("r1", deserialize=False)["user_id"],
    ) == (
        None,
        "ann",
    )


def test_deletes_agree(both: Both) -> None:
    fill(both)
    both.delete_run("r1")
    both.delete_run("r1")
    both.delete_runs(["r3", "r9", "r5"])
    everything(both)


@pytest.mark.parametrize("expected", ["PENDING", "RUNNING"])
@pytest.mark.parametrize(
    ("run_id", "session_id", "user_id"),
    [
        ("r1", "s1", "ann"),
        ("r1", "s1", None),
        ("r2", "s1", "ann"),
        ("r2", "s1", None),
        ("r2", "s2", None),
        ("r9", "s1", None),
    ],
)
def test_cancels_agree(both: Both, run_id: str, session_id: str, user_id: str | None, expected: str) -> None:
    fill(both)
    asked = {"session_id": session_id, "reason": "gone", "user_id": user_id, "expected_status": expected}
    assert both.cancel_pending_run(run_id, **asked) in (True, False)
    both.get_run(run_id, deserialize=False)
    assert both.cancel_pending_run(run_id, **asked) is False


def test_only_waiting_runs_can_be_cancelled(both: Both) -> None:
    fill(both)
    for side in (both.agno, both.ours):
        with pytest.raises(ValueError, match="Pending or Running"):
            side.cancel_pending_run("r1", session_id="s1", reason="x", expected_status="COMPLETED")
