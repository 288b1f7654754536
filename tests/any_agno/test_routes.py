"""A router with databases of ours and of agno's: families in one of them, and components that send theirs elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dbrouter import DbRouter
from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.router.agno_types import (
    AgentSession,
    EvalRunRecord,
    EvalType,
    RunOutput,
    SessionType,
    TeamSession,
    UserMemory,
)
from tests.any_agno.routers import agno, router

SPREAD = ("sessions", "memories", "evals")


def spread(folder: Path, **rest: Any) -> DbRouter:
    """Everything in ours, but for the agent `theirs`, whose rows of some families go to an agno database."""
    databases = {"ours": {"kind": "memory"}, "theirs": agno("json.JsonDb", db_path=str(folder / "json"))}
    return router(databases, agents={"theirs": {"families": dict.fromkeys(SPREAD, "theirs")}}, **rest)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[DbRouter]:
    made = spread(tmp_path)
    yield made
    made.close()


def session(session_id: str, agent: str, at: int = 1) -> AgentSession:
    return AgentSession(session_id=session_id, agent_id=agent, user_id="u", created_at=at, session_data={"n": at})


def their(db: DbRouter) -> Any:
    """The object of agno's class."""
    return db.database("theirs").methods.instances.here()  # type: ignore[attr-defined]


def test_pages_over_a_class_that_keeps_no_order_neither_repeat_nor_miss_a_row(tmp_path: Path) -> None:
    databases = {"ours": {"kind": "memory"}, "theirs": agno("sqlite.SqliteDb", db_file=str(tmp_path / "x.db"))}
    db = router(databases, agents={"theirs": {"families": dict.fromkeys(SPREAD, "theirs")}})
    for at, agent in ((10, "theirs"), (9, "theirs"), (1, "theirs"), (5, "ours"), (6, "ours")):
        db.upsert_session(session(f"s{at}", agent, at))
        db.upsert_user_memory(UserMemory(memory_id=f"m{at}", memory="tea", agent_id=agent, created_at=at, updated_at=1))
    pages = (1, 2, 3)
    sessions = [each.session_id for page in pages for each in db.get_sessions(limit=2, page=page)]
    assert sessions == ["s1", "s5", "s6", "s9", "s10"]
    memories = [each.memory_id for page in pages for each in db.get_user_memories(limit=2, page=page)]
    assert memories == ["m1", "m5", "m6", "m9", "m10"]
    db.close()


def test_rows_go_where_their_component_says(db: DbRouter) -> None:
    db.upsert_session(session("s1", "ours"))
    db.upsert_session(session("s2", "theirs"))
    assert [each.session_id for each in their(db).get_sessions()] == ["s2"]
    for session_id in ("s1", "s2"):
        found = db.get_session(session_id)
        assert found is not None
        assert found.session_id == session_id
    assert db.get_session("s3") is None


def test_a_run_goes_beside_its_session(db: DbRouter) -> None:
    db.upsert_session(session("s1", "ours"))
    db.upsert_session(session("s2", "theirs"))
    db.upsert_run(RunOutput(run_id="r1", agent_id="theirs", session_id="s1"), session_id="s1")
    db.upsert_run(RunOutput(run_id="r2", agent_id="ours", session_id="s2"), session_id="s2")
    assert [each.run_id for each in their(db).get_runs()] == ["r2"]
    assert [db.get_run(each).run_id for each in ("r1", "r2")] == ["r1", "r2"]  # type: ignore[union-attr]
    assert {each.run_id for each in db.get_runs()} == {"r1", "r2"}
    assert db.delete_run("r2") is True
    assert db.delete_run("r2") is False
    assert their(db).get_runs() == []


def test_listings_read_all_and_merge(db: DbRouter) -> None:
    for number in range(10):
        db.upsert_session(session(f"s{number}", "theirs" if number % 3 else "ours", at=number + 1))
    newest = {"sort_by": "created_at", "sort_order": "desc"}
    pages = [db.get_sessions(limit=4, page=page, **newest) for page in (1, 2, 3, 4)]  # type: ignore[arg-type]
    assert [[each.session_id for each in page] for page in pages] == [
        ["s9", "s8", "s7", "s6"],
        ["s5", "s4", "s3", "s2"],
        ["s1", "s0"],
        [],
    ]
    rows, total = db.get_sessions(limit=3, page=2, deserialize=False, **newest)  # type: ignore[arg-type, misc]
    assert ([row["session_id"] for row in rows], total) == (["s6", "s5", "s4"], 10)
    named = db.get_sessions(session_type=SessionType.AGENT, component_id="theirs")
    assert {each.session_id for each in named} == {"s1", "s2", "s4", "s5", "s7", "s8"}


@pytest.mark.parametrize("asked", [{"page": 1}, {"page": 0, "limit": 1}])
def test_pages_that_make_no_sense_are_refused_as_everywhere(db: DbRouter, asked: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="page"):
        db.get_user_memories(**asked)  # type: ignore[arg-type]


def test_what_is_changed_is_changed_where_it_is(db: DbRouter) -> None:
    for session_id, agent in (("s1", "ours"), ("s2", "theirs")):
        db.upsert_session(session(session_id, agent))
        renamed = db.rename_session(session_id, SessionType.AGENT, "new name")
        assert renamed is not None
        assert renamed.session_data["session_name"] == "new name"  # type: ignore[union-attr, index]
        assert db.delete_session(session_id, user_id="stranger") is False
    db.delete_sessions(["s1", "s2", "s9"])
    assert db.get_sessions() == []


def test_several_are_stored_each_in_its_place(db: DbRouter) -> None:
    stored = db.upsert_sessions(
        [session("s1", "ours"), session("s2", "theirs"), TeamSession(session_id="s3", team_id="t")]
    )
    assert {each.session_id for each in stored} == {"s1", "s2", "s3"}  # type: ignore[union-attr]
    assert [each.session_id for each in their(db).get_sessions()] == ["s2"]


def test_memories_and_evals_go_likewise(db: DbRouter) -> None:
    for number, agent in enumerate(("ours", "theirs", "theirs")):
        db.upsert_user_memory(
            UserMemory(memory=f"m{number}", memory_id=f"m{number}", user_id="u", agent_id=agent, topics=[agent])
        )
        db.create_eval_run(
            EvalRunRecord(run_id=f"e{number}", eval_type=EvalType.ACCURACY, eval_data={}, agent_id=agent)
        )
    assert {each.memory_id for each in their(db).get_user_memories()} == {"m1", "m2"}
    assert {each.memory_id for each in db.get_user_memories(user_id="u")} == {"m0", "m1", "m2"}
    assert {each.memory_id for each in db.get_user_memories(agent_id="theirs")} == {"m1", "m2"}
    assert db.get_all_memory_topics() == ["ours", "theirs"]
    [counted], users = db.get_user_memory_stats()
    assert (counted["user_id"], counted["total_memories"], users) == ("u", 3, 1)
    assert {each.run_id for each in db.get_eval_runs()} == {"e0", "e1", "e2"}  # type: ignore[union-attr]
    db.rename_eval_run("e1", "called so")
    assert db.get_eval_run("e1").name == "called so"  # type: ignore[union-attr]
    db.delete_eval_runs(["e0", "e1"])
    assert [each.run_id for each in db.get_eval_runs()] == ["e2"]  # type: ignore[union-attr]
    db.delete_user_memory("m1")
    assert db.get_user_memory("m1") is None
    db.clear_memories()
    assert db.get_user_memories() == []


def test_a_row_stays_where_it_is_when_it_names_no_component_any_more(db: DbRouter) -> None:
    db.upsert_user_memory(UserMemory(memory="early", memory_id="m", user_id="u", agent_id="theirs"))
    again = spread_over(db)
    again.upsert_user_memory(UserMemory(memory="later", memory_id="m", user_id="u"))
    assert [each.memory for each in their(again).get_user_memories()] == ["later"]
    assert [each.memory for each in again.get_user_memories()] == ["later"]


def spread_over(db: DbRouter) -> DbRouter:
    """A router that remembers nothing of what the other has seen."""
    folder = Path(their(db).db_path).parent
    return spread(folder)


def test_a_view_of_a_component_sends_there_what_names_nobody(db: DbRouter) -> None:
    view = db.bind(agent="theirs")
    view.upsert_user_memory(UserMemory(memory="m", memory_id="m", user_id="u"))
    assert [each.memory_id for each in their(db).get_user_memories()] == ["m"]
    assert [each.memory_id for each in db.get_user_memories()] == ["m"]
    assert type(view) is type(db)


def test_a_database_that_is_away_is_not_an_empty_one(db: DbRouter, monkeypatch: pytest.MonkeyPatch) -> None:
    db.upsert_session(session("s1", "ours"))

    def away(*_: Any, **__: Any) -> Any:
        raise ConnectionError("nobody there")

    for name in ("get_session", "get_sessions", "delete_session", "delete_sessions"):
        monkeypatch.setattr(their(db), name, away)
    assert db.get_session("s1") is not None
    for ask in (
        lambda: db.get_session("s2"),
        db.get_sessions,
        lambda: db.delete_session("s2"),
        lambda: db.delete_sessions(["s2"]),
        lambda: db.upsert_run(RunOutput(run_id="r", session_id="s2"), session_id="s2"),
    ):
        with pytest.raises(Unavailable):
            ask()


def test_metrics_count_the_sessions_of_both(db: DbRouter) -> None:
    for number, agent in enumerate(("ours", "theirs", "theirs")):
        db.upsert_session(
            AgentSession(
                session_id=f"s{number}",
                agent_id=agent,
                user_id="u",
                created_at=1_700_000_000,
                session_data={"session_metrics": {"input_tokens": 5}},
            )
        )
        run = RunOutput(run_id=f"r{number}", agent_id=agent, session_id=f"s{number}", model="m", model_provider="p")
        db.upsert_run(run, session_id=f"s{number}")
    [row], _ = db.get_metrics()
    assert (row["agent_sessions_count"], row["agent_runs_count"]) == (3, 3)
    assert row["token_metrics"]["input_tokens"] == 15
    assert row["model_metrics"] == [{"model_id": "m", "model_provider": "p", "count": 3}]


@pytest.mark.parametrize("path", ["sqlite.SqliteDb", "json.JsonDb", "in_memory.InMemoryDb"])
def test_metrics_of_ours_are_computed_from_agnos_sessions(path: str, tmp_path: Path) -> None:
    arguments = {"sqlite.SqliteDb": {"db_file": str(tmp_path / "x.db")}, "json.JsonDb": {"db_path": str(tmp_path)}}
    databases = {"ours": {"kind": "memory"}, "theirs": agno(path, **arguments.get(path, {}))}
    db = router(databases, agentos={"db": "ours", "families": {"sessions": "theirs"}})
    db.upsert_session(session("s1", "a", at=1_700_000_000))
    db.upsert_run(RunOutput(run_id="r1", agent_id="a", session_id="s1", model="m"), session_id="s1")
    if path == "in_memory.InMemoryDb":
        held = session("s1", "a", at=1_700_000_000)
        held.runs = [RunOutput(run_id="r1", agent_id="a", session_id="s1", model="m")]
        db.upsert_session(held)
    [row], _ = db.get_metrics()
    assert (row["user_id"], row["agent_sessions_count"], row["agent_runs_count"]) == ("u", 1, 1)
    db.close()


def test_tables_are_found_and_stamped_in_either(tmp_path: Path) -> None:
    databases = {
        "ours": {"kind": "memory"},
        "theirs": agno("sqlite.SqliteDb", db_file=str(tmp_path / "x.db"), memory_table="mine"),
    }
    db = router(databases, agentos={"db": "ours", "families": {"memories": "theirs"}})
    assert db.memory_table_name == "mine"
    assert not db.table_exists("mine")
    db.upsert_user_memory(UserMemory(memory="m", user_id="u"))
    assert db.table_exists("mine")
    db.upsert_schema_version("mine", "9.9.9")
    assert db.get_latest_schema_version("mine") == "9.9.9"
    assert their(db).get_latest_schema_version("mine") == "9.9.9"
    assert db.get_latest_schema_version(db.session_table_name) != "9.9.9"
    db.close()
    assert [each.memory for each in db.get_user_memories()] == ["m"]
    db.close()
