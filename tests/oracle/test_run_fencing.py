"""Fenced writes of runs as agno's Postgres class makes them; over memory and SQLite beside the same expectations.

agno's SQLite class has none of this, so there the answers are those that its Postgres class gave.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from agno.db.postgres import PostgresDb
from agno.run.status_persist import RunPersistOutcome

from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.backends.kernel.running import BlockingRuntime, finish
from dbrouter.router.agno_types import AgentSession, TeamSession, WorkflowSession
from dbrouter.router.families.context import Context
from dbrouter.router.families.run_fencing import RunFencing
from tests.oracle.conftest import Both

UPDATED, MISSING = RunPersistOutcome.UPDATED, RunPersistOutcome.MISSING
STALE, REFUSED = RunPersistOutcome.STALE_ATTEMPT, RunPersistOutcome.TERMINAL_REFUSED


class Fenced:
    """Calls of ours, and of agno's where its class has them; the answers must be alike."""

    def __init__(self, both: Both) -> None:
        self._both = both
        self.clock = both.clock
        self._agreed = isinstance(both.agno, PostgresDb)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if self._agreed:
            agreed: Callable[..., Any] = getattr(self._both, name)
            return agreed
        ours: Callable[..., Any] = getattr(self._both.ours, name)
        return lambda *args, **kwargs: ours(*copy.deepcopy(args), **copy.deepcopy(kwargs))

    def row(self, run_id: str = "r1") -> dict[str, Any]:
        """The run's row."""
        found: dict[str, Any] = self.get_run(run_id, deserialize=False)
        return found


@pytest.fixture
def fenced(both: Both) -> Fenced:
    """A session of ann's with one run, on both sides."""
    made = Fenced(both)
    assert made.insert_session_if_absent(session()) is True
    assert made.append_run_to_session_if_absent("s1", run("r1"), "ann") is True
    return made


def session(id_: str = "s1", **fields: Any) -> AgentSession:
    return AgentSession(session_id=id_, **{"agent_id": "a", "user_id": "ann", "created_at": 5, **fields})


def run(id_: str, **fields: Any) -> dict[str, Any]:
    return {"run_id": id_, "agent_id": "a", "status": "PENDING", "created_at": 7, "content": None, **fields}


def test_a_session_is_inserted_once(fenced: Fenced) -> None:
    fenced.clock.tick()
    assert fenced.insert_session_if_absent(session(user_id="bob", session_data={"late": True})) is False
    kinds = (
        session("s2", session_data={"session_state": {"n": 1}}, metadata={"m": 1}, agent_data={"name": "é"}),
        TeamSession(session_id="s3", team_id="t", created_at=5, team_data={"b": 1}),
        WorkflowSession(session_id="s4", workflow_id="w", created_at=6, user_id=""),
    )
    for each in kinds:
        assert fenced.insert_session_if_absent(each) is True
    assert fenced.insert_session_if_absent("no session") is None
    for id_ in ("s1", "s2", "s3", "s4"):
        fenced.get_session(id_, deserialize=False)


def test_a_run_is_appended_once_and_only_to_a_session(fenced: Fenced) -> None:
    fenced.clock.tick()
    assert fenced.append_run_to_session_if_absent("s1", run("r1", status="COMPLETED", content="mine"), "ann") is False
    assert fenced.append_run_to_session_if_absent("s1", run("r2", queue_attempt=1)) is True
    assert fenced.append_run_to_session_if_absent("nowhere", run("r3"), "ann") is None
    assert [each["run_index"] for each in fenced.get_runs("s1", deserialize=False)[0]] == [0, 1]
    assert fenced.get_run("r3") is None
    fenced.get_runs("s1", deserialize=False)


def test_fields_are_patched_and_the_status_is_spelled_agnos_way(fenced: Fenced) -> None:
    fenced.clock.tick()
    write = fenced.update_run_in_session
    assert write("s1", "r1", {"status": "running", "extra": [1]}, user_id="ann", expected_attempt=1) is UPDATED
    assert (fenced.row()["status"], fenced.row()["run_data"]["queue_attempt"]) == ("RUNNING", 1)
    assert write("s1", "r1", {"extra": None}, user_id="ann", content_if_absent="sorry") is UPDATED
    assert write("s1", "r1", {"status": None}, user_id="ann", content_if_absent="not me") is UPDATED
    assert fenced.row()["run_data"]["content"] == "sorry"


def test_only_the_owner_and_only_in_its_session(fenced: Fenced) -> None:
    fenced.append_run_to_session_if_absent("s1", run("free"), None)
    asked = [("s1", "r1", "bob"), ("s1", "r1", None), ("s2", "r1", "ann"), ("s1", "none", "ann"), ("s1", "free", "bob")]
    answers = [fenced.update_run_in_session(s, r, {"status": "RUNNING"}, user_id=user) for s, r, user in asked]
    assert answers == [MISSING, MISSING, MISSING, MISSING, UPDATED]
    fenced.row("r1")
    fenced.row("free")


def test_an_attempt_that_is_over_writes_nothing(fenced: Fenced) -> None:
    def write(attempt: int | None, **fields: Any) -> RunPersistOutcome:
        answer: RunPersistOutcome = fenced.update_run_in_session(
            "s1", "r1", fields, user_id="ann", expected_attempt=attempt
        )
        return answer

    assert [write(2, a=2), write(1, a=1), write(2, b=2), write(None, c=0), write(3, a=3)] == [
        UPDATED, STALE, UPDATED, UPDATED, UPDATED
    ]  # fmt: skip
    data = fenced.row()["run_data"]
    assert (data["a"], data["queue_attempt"]) == (3, 3)


@pytest.mark.parametrize("end", ["COMPLETED", "CANCELLED"])
def test_an_end_stays_an_end(fenced: Fenced, end: str) -> None:
    write = fenced.update_run_in_session
    assert write("s1", "r1", {"status": end, "content": "done"}, user_id="ann") is UPDATED
    assert write("s1", "r1", {"status": "ERROR", "content": "no"}, user_id="ann", expected_attempt=9) is REFUSED
    assert write("s1", "r1", {"status": end.lower(), "more": 1}, user_id="ann") is UPDATED
    assert write("s1", "r1", {"note": "no status"}, user_id="ann") is UPDATED
    assert fenced.row()["run_data"]["content"] == "done"


def test_the_sessions_data_is_written_with_the_run_or_neither_is(fenced: Fenced) -> None:
    fenced.clock.tick()
    write = fenced.update_run_in_session
    data = {"session_state": {"n": 2}, "session_name": "é"}
    assert write("s1", "r1", {"a": 1}, user_id="ann", expected_attempt=2, session_data=data) is UPDATED
    assert write("s1", "r1", {"a": 2}, user_id="ann", expected_attempt=1, session_data={"lost": 1}) is STALE
    assert fenced.get_session("s1", deserialize=False)["session_data"] == data
    # A run of nobody's in a session of somebody else's.
    fenced.append_run_to_session_if_absent("s1", run("free"), None)
    for side in (fenced._both.ours, *([fenced._both.agno] if fenced._agreed else [])):
        with pytest.raises(RuntimeError, match="without its owned session"):
            side.update_run_in_session("s1", "free", {"a": 9}, user_id="bob", session_data={"stolen": True})
    assert "a" not in fenced.row("free")["run_data"]
    assert fenced.get_session("s1", deserialize=False)["session_data"] == data


def test_writers_at_once_lose_nothing(fenced: Fenced) -> None:
    ours = fenced._both.ours

    def write(number: int) -> RunPersistOutcome:
        outcome: RunPersistOutcome = ours.update_run_in_session("s1", "r1", {f"f{number}": number}, user_id="ann")
        return outcome

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(write, range(48))) == {UPDATED}
    data = ours.get_run("r1", deserialize=False)["run_data"]
    assert {name: data.get(name) for name in (f"f{n}" for n in range(48))} == {f"f{n}": n for n in range(48)}


def test_of_many_ends_exactly_one_is_written(fenced: Fenced) -> None:
    ours = fenced._both.ours
    for number in range(20):
        ours.append_run_to_session_if_absent("s1", run(f"race {number}"), "ann")
        start = threading.Barrier(16)

        def end(which: int, id_: str = f"race {number}", start: threading.Barrier = start) -> RunPersistOutcome:
            start.wait()
            status = "COMPLETED" if which % 2 else "CANCELLED"
            fields = {"status": status, "by": status}
            outcome: RunPersistOutcome = ours.update_run_in_session("s1", id_, fields, user_id="ann")
            return outcome

        with ThreadPoolExecutor(16) as pool:
            outcomes = list(pool.map(end, range(16)))
        row = ours.get_run(f"race {number}", deserialize=False)
        won = row["status"]
        assert row["run_data"]["by"] == row["run_data"]["status"] == won
        assert [each is UPDATED for each in outcomes] == [
            (which % 2 == 1) == (won == "COMPLETED") for which in range(16)
        ]


def test_of_many_who_append_or_insert_one_does(fenced: Fenced) -> None:
    ours = fenced._both.ours
    for number in range(20):
        start = threading.Barrier(16)

        def prepare(_: int, which: int = number, start: threading.Barrier = start) -> tuple[bool | None, bool | None]:
            start.wait()
            inserted: bool | None = ours.insert_session_if_absent(session(f"new {which}"))
            appended: bool | None = ours.append_run_to_session_if_absent(f"new {which}", run(f"run {which}"), "ann")
            return inserted, appended

        with ThreadPoolExecutor(16) as pool:
            outcomes = list(pool.map(prepare, range(16)))
        assert sorted(map(str, (each for each, _ in outcomes))) == ["False"] * 15 + ["True"]
        assert sorted(map(str, (each for _, each in outcomes))) == ["False"] * 15 + ["True"]


class Away:
    """A store whose database is away."""

    runtime = BlockingRuntime()

    async def execute(self, _: object) -> object:
        raise Unavailable("away")


def test_an_outage_is_no_outcome() -> None:
    program = RunFencing(Context(Away()))  # type: ignore[arg-type]  # nothing else of a store is asked
    for call in (
        program.update_run_in_session("s1", "r1", {"status": "RUNNING"}),
        program.append_run_to_session_if_absent("s1", run("r1")),
        program.insert_session_if_absent(session()),
    ):
        with pytest.raises(Unavailable):
            finish(call)
