"""Sessions as agno's own classes keep them."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from agno.metrics import RunMetrics
from agno.models.message import Message
from agno.run.base import RunStatus

from dbrouter.router.agno_types import AgentSession, RunOutput, SessionType, TeamSession, WorkflowSession

if TYPE_CHECKING:
    from tests.oracle.conftest import Both


@pytest.fixture
def both(both: Both) -> Both:
    """Both sides, with a table of runs: agno's rows of sessions have no "runs" while there is none."""
    both.agno._get_table(table_type="runs", create_table_if_not_found=True)
    return both


def agent(session_id: str = "s1", **fields: Any) -> AgentSession:
    return AgentSession(**{"session_id": session_id, "agent_id": "a", "user_id": "ann", "created_at": 5, **fields})


def team(session_id: str = "s1", **fields: Any) -> TeamSession:
    return TeamSession(**{"session_id": session_id, "team_id": "t", "user_id": "ann", "created_at": 5, **fields})


def workflow(session_id: str = "s1", **fields: Any) -> WorkflowSession:
    known = {"session_id": session_id, "workflow_id": "w", "user_id": "ann", "created_at": 5}
    return WorkflowSession(**{**known, **fields})


def run(run_id: str, status: RunStatus = RunStatus.completed, **fields: Any) -> RunOutput:
    messages = [Message(role="user", content=f"hello {run_id}"), Message(role="assistant", content="hé 🙂")]
    known: dict[str, Any] = {"agent_id": "a", "session_id": "s1", "created_at": 7, "messages": messages}
    return RunOutput(run_id=run_id, status=status, metrics=RunMetrics(input_tokens=3), **{**known, **fields})


def fill(both: Both) -> None:
    """Sessions of all kinds, named and not, with runs and without."""
    for each in (
        agent("s1", session_data={"session_name": "Tea talk", "session_state": {"n": 1}}, created_at=3),
        agent("s2", agent_id="b", user_id="bob", metadata={"é": [1, None]}, created_at=2),
        team("s3", session_data={"session_name": "TEAPOT"}, created_at=4, user_id=None),
        workflow("s4", workflow_data={"deep": {"er": True}}, created_at=1, user_id=""),
        agent("s5", agent_id=None, created_at=6),
    ):
        both.clock.tick()
        both.upsert_session(each)
    for index, each in (
        (0, run("r1")),
        (1, run("r2", RunStatus.paused)),
        (2, run("r3", parent_run_id="r1")),
        (3, run("r4", RunStatus.error)),
        (4, run("r5")),
        (5, run("r6", None)),  # type: ignore[arg-type]
    ):
        both.upsert_run(each, "s1", user_id="ann", run_index=index)
    both.upsert_run(run("r7", session_id="s2"), "s2")


def in_one_order(answer: Any) -> Any:
    """agno lists in no order unless it is asked for one."""
    if isinstance(answer, tuple):
        return sorted(answer[0], key=lambda row: row["session_id"]), answer[1]
    return sorted(answer, key=lambda session: session.session_id)


def test_empty_tables_answer_alike(both: Both) -> None:
    for deserialize in (True, False):
        both.get_session("s1", deserialize=deserialize)
        both.get_sessions(deserialize=deserialize)
        both.rename_session("s1", None, "x", deserialize=deserialize)
        both.upsert_sessions([], deserialize=deserialize)
    both.delete_session("s1")
    both.delete_sessions(["s1"])
    both.reassign_session_owner("s1", previous_user_id="ann", user_id="bob")


@pytest.mark.parametrize("deserialize", [True, False])
@pytest.mark.parametrize(
    "session", [agent(), team(), workflow(), agent(runs=[run("r1")])], ids=lambda each: type(each).__name__
)
def test_a_first_save_answers_alike(both: Both, session: Any, *, deserialize: bool) -> None:
    both.upsert_session(session, deserialize=deserialize)
    both.get_session("s1", deserialize=deserialize)


@pytest.mark.parametrize("deserialize", [True, False])
def test_a_later_save_answers_alike(both: Both, *, deserialize: bool) -> None:
    both.upsert_session(agent(session_data={"session_state": {"n": 1}}, metadata={"x": 1}, agent_data={"name": "A"}))
    both.clock.tick(9)
    both.upsert_session(agent(session_data=None, metadata=None, created_at=50), deserialize=deserialize)
    both.get_session("s1", deserialize=deserialize)


@pytest.mark.parametrize("deserialize", [True, False])
@pytest.mark.parametrize("kind", [agent, team, workflow])
def test_a_turn_answers_alike(both: Both, kind: Any, *, deserialize: bool) -> None:
    """Read, change, save: as agno's agents do it."""
    both.upsert_session(kind(session_data={"session_state": {"n": 1, "list": [1]}}))
    for turn in range(3):
        both.clock.tick()
        saved: list[Any] = []
        for side in (both.agno, both.ours):
            session = side.get_session("s1")
            session.session_data["session_state"]["n"] += 1
            session.session_data["session_state"]["list"].append(turn)
            saved.append(side.upsert_session(session, deserialize=deserialize))
        assert saved[1] == saved[0]
    both.get_session("s1", deserialize=False)


def test_a_save_of_a_whole_turn_agrees_when_the_session_was_not_there(both: Both) -> None:
    assert both.get_session("s1") is None
    both.upsert_session(agent(session_data={"session_state": {"n": 1}}), deserialize=False)
    both.clock.tick()
    both.upsert_session(agent(session_data={"session_state": {"n": 2}}), deserialize=False)
    both.get_session("s1", deserialize=False)


@pytest.mark.parametrize("stored", ["ann", "", None])
@pytest.mark.parametrize("incoming", ["ann", "bob", "", None])
def test_owners_agree(both: Both, stored: str | None, incoming: str | None) -> None:
    both.upsert_session(agent(user_id=stored))
    both.clock.tick()
    both.upsert_session(agent(user_id=incoming, session_data={"changed": True}))
    both.get_session("s1", deserialize=False)
    for user_id in ("ann", "bob", ""):
        both.get_session("s1", user_id=user_id)


def test_a_session_of_another_kind_under_the_same_id_agrees(both: Both) -> None:
    both.upsert_session(agent(agent_data={"name": "A"}))
    both.clock.tick()
    both.upsert_session(team(team_data={"name": "T"}), deserialize=False)
    both.get_session("s1", deserialize=False)


@pytest.mark.parametrize("deserialize", [True, False])
@pytest.mark.parametrize("kind", [agent, workflow])
def test_a_save_of_what_was_read_as_another_kind_answers_the_kind_that_is_stored(
    both: Both, kind: Any, *, deserialize: bool
) -> None:
    both.upsert_session(kind(session_data={"session_state": {"n": 1}}))
    read = both.answers("get_session", "s1", SessionType.TEAM)
    for turn in range(2):
        both.clock.tick()
        saved: list[Any] = []
        for side, session in zip((both.agno, both.ours), read, strict=True):
            session.metadata = {"turn": turn}
            saved.append(side.upsert_session(session, deserialize=deserialize))
        assert saved[1] == saved[0]
        both.get_session("s1", deserialize=False)


@pytest.mark.parametrize("deserialize", [True, False])
@pytest.mark.parametrize("session_type", [None, *SessionType])
def test_reads_agree(both: Both, session_type: SessionType | None, *, deserialize: bool) -> None:
    fill(both)
    for session_id in ("s1", "s2", "s9", ""):
        if session_type in (None, SessionType.AGENT) or not deserialize:
            both.get_session(session_id, session_type, deserialize=deserialize)
    both.get_session("s3", SessionType.TEAM, deserialize=deserialize)
    both.get_session("s4", SessionType.WORKFLOW, deserialize=deserialize)


@pytest.mark.parametrize("deserialize", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 3, 99])
def test_the_last_runs_of_the_context_agree(both: Both, limit: int, *, deserialize: bool) -> None:
    fill(both)
    both.get_session("s1", runs_limit=limit, deserialize=deserialize)
    both.get_session("s5", runs_limit=limit, deserialize=deserialize)


LISTINGS: list[dict[str, Any]] = [
    {},
    {"user_id": "ann"},
    {"user_id": ""},
    {"component_id": "a"},
    {"component_id": "t"},
    {"component_id": "w", "session_type": SessionType.WORKFLOW},
    {"component_id": "a", "session_type": SessionType.TEAM},
    {"session_type": SessionType.AGENT},
    {"session_type": SessionType.TEAM},
    {"start_timestamp": 3},
    {"end_timestamp": 3},
    {"start_timestamp": 2, "end_timestamp": 4},
    {"start_timestamp": 0, "end_timestamp": 0},
    {"session_name": "tea"},
    {"session_name": "Tea t"},
    {"session_name": "nothing"},
    {"session_name": ""},
    {"include_runs": False},
]


@pytest.mark.parametrize("deserialize", [True, False])
@pytest.mark.parametrize("asked", LISTINGS)
def test_listings_agree(both: Both, asked: dict[str, Any], *, deserialize: bool) -> None:
    fill(both)
    if deserialize and asked.get("session_type") is None:
        asked = {**asked, "session_type": SessionType.AGENT}
    theirs, mine = both.answers("get_sessions", deserialize=deserialize, **asked)
    assert in_one_order(mine) == in_one_order(theirs)


@pytest.mark.parametrize(
    "asked",
    [
        {"sort_by": "created_at"},
        {"sort_by": "created_at", "sort_order": "asc"},
        {"sort_by": "updated_at", "sort_order": "desc"},
        {"sort_by": "session_id", "sort_order": "asc", "limit": 2, "page": 2},
        {"sort_by": "session_id", "sort_order": "asc", "limit": 2, "page": 3},
        {"sort_by": "session_id", "sort_order": "asc", "limit": 2, "page": 4},
        {"sort_by": "created_at", "limit": 3},
        {"sort_by": "created_at", "limit": 0},
    ],
)
def test_sorted_pages_agree(both: Both, asked: dict[str, Any]) -> None:
    fill(both)
    both.get_sessions(deserialize=False, **asked)


@pytest.mark.parametrize("asked", [{"page": 1}, {"limit": 2, "page": 0}])
def test_impossible_pages_are_refused_alike(both: Both, asked: dict[str, Any]) -> None:
    for side in (both.agno, both.ours):
        with pytest.raises(ValueError, match="page"):
            side.get_sessions(**asked)


@pytest.mark.parametrize("deserialize", [True, False])
@pytest.mark.parametrize(
    ("session_id", "session_type", "user_id"),
    [
        ("s1", None, None),
        ("s1", SessionType.AGENT, "ann"),
        ("s1", None, "bob"),
        ("s3", SessionType.TEAM, None),
        ("s4", SessionType.WORKFLOW, ""),
        ("s9", None, None),
    ],
)
def test_renames_agree_but_for_the_time(
    both: Both, session_id: str, session_type: SessionType | None, user_id: str | None, *, deserialize: bool
) -> None:
    fill(both)
    # PostgresDb leaves a session without data without a name, and SqliteDb with: ours have one to begin with.
    for side in (both.agno, both.ours):
        side.upsert_session(
            workflow("s4", session_data={"session_name": ""}, user_id="", workflow_data={"deep": {"er": True}})
        )
    theirs, mine = both.answers("rename_session", session_id, session_type, 'new "name" 🙂', user_id, deserialize)
    for answer in (theirs, mine):
        if isinstance(answer, dict):
            # SqliteDb renames by a save, which stamps the time and writes the runs anew.
            answer["updated_at"] = None
            answer["runs"] = [each["run_id"] for each in answer["runs"]]
        elif answer is not None:
            answer.updated_at = None
    assert mine == theirs
    assert [row["session_data"] for row in both.ours.get_sessions(session_name='w "nam', deserialize=False)[0]] == (
        [] if mine is None else [mine["session_data"] if isinstance(mine, dict) else mine.session_data]
    )


def test_a_session_without_data_gets_a_name_where_postgres_db_fails(both: Both) -> None:
    both.upsert_session(agent(session_data=None))
    assert both.ours.rename_session("s1", None, "name").session_data == {"session_name": "name"}


@pytest.mark.parametrize("user_id", [None, "ann", "bob", ""])
def test_deletes_agree(both: Both, user_id: str | None) -> None:
    fill(both)
    both.delete_session("s1", user_id=user_id)
    both.delete_session("s9", user_id=user_id)
    both.delete_sessions(["s2", "s4", "s9"], user_id=user_id)
    both.get_sessions(deserialize=False, sort_by="session_id")
    both.get_runs(deserialize=False, sort_by="run_id")


@pytest.mark.parametrize("status", [None, *RunStatus])
def test_a_session_changes_hands_alike(both: Both, status: RunStatus | None) -> None:
    both.upsert_session(agent())
    both.upsert_run(run("r1", status), "s1")  # type: ignore[arg-type]
    for previous, user_id in (("bob", "eve"), ("ann", "bob"), ("bob", None), ("", "ann")):
        both.reassign_session_owner("s1", previous_user_id=previous, user_id=user_id)
        both.get_session("s1", deserialize=False)


@pytest.mark.parametrize("deserialize", [True, False])
@pytest.mark.parametrize("preserve", [True, False])
def test_bulk_saves_agree(both: Both, *, preserve: bool, deserialize: bool) -> None:
    fill(both)
    both.clock.tick()
    given = [
        workflow("n4", updated_at=9),
        agent("s1", user_id="bob", session_data={"stolen": True}),
        agent("s2", user_id="bob", session_data={"mine": True}, updated_at=8),
        agent("n1", updated_at=7, runs=[run("n", session_id="n1")]),
        team("s3", user_id="claims it", session_data=None, updated_at=6),
        team("n3", user_id=None),
    ]
    theirs, mine = both.answers("upsert_sessions", given, deserialize=deserialize, preserve_updated_at=preserve)
    assert alike(mine) == alike(theirs)
    ids = [each.session_id if deserialize else each["session_id"] for each in mine]
    assert ids == ["s2", "n1", "s3", "n3", "n4"]
    both.get_sessions(deserialize=False, sort_by="session_id", sort_order="asc")


def alike(answer: list[Any]) -> list[Any]:
    """In one order (SqliteDb has none of its own), with the ids of the runs: agno makes them anew from what is given."""
    rows = [each if isinstance(each, dict) else each.to_dict() for each in answer]
    named = ({**row, "runs": [each["run_id"] for each in row.get("runs") or []]} for row in rows)
    return sorted(named, key=lambda row: row["session_id"])


def test_values_come_back_alike(both: Both) -> None:
    data = {
        "session_state": {"é\u2028🙂": ["\\", '"', 1.5, 2**53, True, None, [], {}], "": {"": ""}},
        "session_metrics": {"input_tokens": 3},
    }
    both.upsert_session(agent(session_data=data, metadata=copy.deepcopy(data), summary=None))
    both.get_session("s1")
    both.get_session("s1", deserialize=False)


def test_values_that_postgres_db_changes_or_refuses_come_back(both: Both) -> None:
    data = {
        "text": "nul \0 half \ud800",
        "numbers": [-0.0, 1e300, 1e17, 1e-300, 2**200, 1.0],
        "session_state": {"\0": "é"},
    }
    both.ours.upsert_session(agent(session_data=copy.deepcopy(data)))
    assert repr(both.ours.get_session("s1").session_data) == repr(data)
