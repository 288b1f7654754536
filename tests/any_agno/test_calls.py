"""A call of a class: arguments that it does not know, answers of another shape, errors that it hides."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dbrouter import DbRouter
from dbrouter.backends.kernel.errors import OutdatedSchema, StoreError, Unavailable, Unsupported
from dbrouter.router.agno_types import AgentSession, BaseDb, KnowledgeRow, RunOutput, UserMemory
from dbrouter.router.any_agno.methods import Methods
from tests.any_agno.routers import agno, router
from tests.waiting import PATIENCE

OURS = "tests.any_agno.classes_of_ours"


def over(name: str, **args: Any) -> DbRouter:
    """A router with a class of ours, and a database for what it lacks."""
    families = dict.fromkeys(("sessions", "memories", "knowledge", "evals", "metrics"), "one")
    databases = {"two": {"kind": "memory"}, "one": agno(f"{OURS}.{name}", **args)}
    return router(databases, agentos={"db": "two", "families": families})


def methods(db: DbRouter) -> Methods:
    return db.database("one").methods  # type: ignore[attr-defined,no-any-return]


def memory(number: int, **rest: Any) -> UserMemory:
    return UserMemory(memory=f"m{number}", memory_id=f"m{number}", user_id="u", **rest)


def test_an_argument_that_a_class_does_not_know_is_left_out_where_it_says_nothing() -> None:
    db = over("Old")
    db.upsert_user_memory(memory(1))
    assert [each.memory_id for each in db.get_user_memories(user_id="u", limit=None)] == ["m1"]


@pytest.mark.parametrize("argument", ["agent_id", "topics", "limit"])
def test_an_argument_that_a_class_does_not_know_is_refused_where_it_says_something(argument: str) -> None:
    db = over("Old")
    with pytest.raises(Unsupported, match=f"Old.get_user_memories does not know the argument {argument}; leave it out"):
        db.get_user_memories(**{argument: ["x"] if argument == "topics" else 1})
    with pytest.raises(ValueError, match="does not know"):
        db.get_user_memories(**{argument: ["x"] if argument == "topics" else 1})


def test_sessions_without_their_runs_are_had_of_a_class_that_always_brings_them(tmp_path: Any) -> None:
    families = dict.fromkeys(("sessions", "metrics"), "one")
    databases = {"two": {"kind": "memory"}, "one": agno("json.JsonDb", db_path=str(tmp_path))}
    db = router(databases, agentos={"db": "two", "families": families})
    db.upsert_session(AgentSession(session_id="s", agent_id="a", created_at=1))
    db.upsert_run(RunOutput(run_id="r", agent_id="a", session_id="s"), session_id="s")
    assert [len(each.runs or []) for each in db.get_sessions()] == [1]
    assert [each.runs for each in db.get_sessions(include_runs=False)] == [None]
    rows, total = db.get_sessions(deserialize=False, include_runs=False)
    assert ([row["runs"] for row in rows], total) == ([None], 1)


def test_answers_have_the_shape_that_agno_promises() -> None:
    db = over("Old")
    assert db.get_knowledge_contents() == ([], 0)
    db.upsert_knowledge_content(KnowledgeRow(id="k", name="k", description="k"))
    assert db.get_knowledge_contents()[1] == 1
    db.upsert_user_memory(memory(1))
    rows, total = db.get_user_memories(deserialize=False)
    assert ([row["memory_id"] for row in rows], total) == (["m1"], 1)
    db.upsert_session(AgentSession(session_id="s", agent_id="a", created_at=1))
    assert db.delete_session("s") is True
    assert db.delete_session("s") is False
    assert db.get_metrics() == ([], None)


def test_an_error_that_a_class_hides_is_raised() -> None:
    db = over("Hiding")
    with pytest.raises(Unavailable, match=r"one: Hiding\.get_user_memory: ConnectionError: nobody there"):
        db.get_user_memory("m")
    with pytest.raises(StoreError, match="no such column"):
        db.get_user_memories()


def test_an_error_that_did_not_matter_is_not() -> None:
    assert over("Hiding", secret="x").get_all_memory_topics() == ["x"]


def test_an_error_of_the_caller_is_not_the_databases() -> None:
    db = over("Plain")
    try:
        raise RuntimeError("the caller's own")  # noqa: TRY301  # what is handled meanwhile
    except RuntimeError:
        assert db.get_user_memory("nobodys") is None
        assert db.upsert_sessions([]) == []


def test_tables_of_an_older_agno_are_told_by_what_mends_them(tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    with closing(sqlite3.connect(file)) as old:
        old.execute("create table agno_memories (memory_id varchar primary key)")
    databases = {"one": {"kind": "memory"}, "two": agno("sqlite.SqliteDb", db_file=str(file))}
    db = router(databases, agentos={"db": "one", "families": {"memories": "two"}})
    with pytest.raises(OutdatedSchema, match=r"two: SqliteDb\.get_user_memory: .*`dbrouter migrate --apply` does that"):
        db.get_user_memory("m")


def test_a_class_that_hides_errors_without_a_word_is_asked_once_more() -> None:
    db = over("Hiding", answers={})
    with pytest.raises(Unavailable, match=r"Hiding\.get_session: TimeoutError"):
        db.get_eval_run("e")
    found = over("Hiding", answers={"eval": 7})
    assert found.get_eval_run("e") == 7


def test_methods_that_the_class_lacks_stay_agnos_own() -> None:
    lacking = type(over("Plain"))
    assert lacking.reassign_session_owner is BaseDb.reassign_session_owner
    assert lacking.cancel_pending_run is BaseDb.cancel_pending_run
    whole = type(router({"one": {"kind": "memory"}}))
    assert whole.reassign_session_owner is not BaseDb.reassign_session_owner


def test_a_class_that_nobody_knows_works_on_one_call_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    db = over("Plain")
    here, most, lock = 0, 0, threading.Lock()
    held = methods(db).instances.here()

    def slow(*_: Any, **__: Any) -> None:
        nonlocal here, most
        with lock:
            here += 1
            most = max(most, here)
        time.sleep(0.01)
        with lock:
            here -= 1

    monkeypatch.setattr(held, "get_user_memory", slow)
    threads = [threading.Thread(target=db.get_user_memory, args=("m",)) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert most == 1


def test_a_call_whose_turn_does_not_come_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    families = dict.fromkeys(("sessions", "metrics"), "one")
    slow = {**agno(f"{OURS}.Plain"), "deadline": 0.05}
    db = router({"two": {"kind": "memory"}, "one": slow}, agentos={"db": "two", "families": families})
    entered, done = threading.Event(), threading.Event()

    def held(*_: Any, **__: Any) -> None:
        entered.set()
        done.wait(PATIENCE)

    monkeypatch.setattr(methods(db).instances.here(), "get_session", held)
    busy = threading.Thread(target=db.get_session, args=("s",))
    busy.start()
    entered.wait(PATIENCE)
    with pytest.raises(Unavailable, match=r"other calls kept Plain busy for 0\.05 s; raise databases\.one\.at_once"):
        db.get_session("s")
    done.set()
    busy.join()


def test_what_agno_registers_on_the_router_reaches_the_class() -> None:
    db = over("Plain")
    db.tool_result_filesystems = ["a filesystem"]
    db.delete_session("s")
    assert methods(db).instances.here().tool_result_filesystems == ["a filesystem"]


def test_the_only_database_costs_no_look_up_where_there_is_none_of_agnos() -> None:
    """The programs themselves are called: nothing of all this is on the way."""
    from dbrouter.router.families.memories import Memories

    assert type(router({"one": {"kind": "memory"}})._families.memories) is Memories
    assert type(over("Plain")._families.approvals).__module__ == "dbrouter.router.families.approvals"
