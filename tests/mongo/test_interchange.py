"""Documents that agno's class wrote are read by ours, and the reverse; both may write one database in turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import agno.db.mongo
import agno.db.mongo.schemas
import pytest
from agno.db.schemas import UserMemory
from agno.db.schemas.evals import EvalRunRecord, EvalType
from agno.db.schemas.knowledge import KnowledgeRow

from dbrouter.backends import AsyncMongoDb, MongoDb
from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.mongo.layout import AGNOS_INDEXES, indexes_of
from dbrouter.testing.conformance.records import schedule
from scripts.servers import Server
from tests.interchange.conftest import Opened
from tests.oracle import test_runs, test_sessions, test_traces
from tests.oracle.conftest import plain

Write = Callable[[Any], None]
Question = tuple[str, dict[str, Any]]


def _memories(db: Any) -> None:
    db.upsert_user_memory(UserMemory(memory="likes tea", memory_id="m1", topics=["food", "é"], user_id="ann"))
    db.upsert_user_memory(UserMemory(memory='says "no"', memory_id="m2"))


def _knowledge(db: Any) -> None:
    row = KnowledgeRow(id="k1", name="n", description="d", metadata={"a.b": [1, None]}, type="pdf", size=5)
    row.created_at = row.updated_at = 7
    db.upsert_knowledge_content(row)


def _evals(db: Any) -> None:
    db.create_eval_run(
        EvalRunRecord(run_id="e1", agent_id="a", name="n", eval_type=EvalType.ACCURACY, eval_data={"score": 1.5})
    )


def _learnings(db: Any) -> None:
    db.upsert_learning("l1", "user_profile", {"name": "Sarah"}, user_id="ann", metadata={"k": [1]})


def _runs(db: Any) -> None:
    test_sessions.fill(db)
    for index in range(3):
        db.upsert_run(test_runs.agent_run(f"x{index}", content=f"{index}"), "s1", user_id="ann", run_index=index + 10)


def _schedules(db: Any) -> None:
    for number, owner in ((1, "ann"), (2, None)):
        db.create_schedule(schedule(f"s{number}", user_id=owner))
    db.create_schedule_run({"id": "r1", "schedule_id": "s1", "attempt": 1, "status": "failed", "created_at": 5})


def _traces(db: Any) -> None:
    db.upsert_trace(test_traces.trace("t1", 0, 5, name="Agent.run", agent_id="a", session_id="s1"))
    db.create_spans([test_traces.span("1", "t1", 1, 2, name="a", attributes={"openinference.span.kind": "LLM"})])


STORIES: dict[str, tuple[Write, tuple[Question, ...]]] = {
    "sessions": (
        _runs,
        (
            *(("get_session", {"session_id": each}) for each in ("s1", "s2", "s3", "s5", "s9")),
            *(("get_runs", {"session_id": "s1"}), ("get_run", {"run_id": "x1"})),
        ),
    ),
    "memories": (_memories, tuple(("get_user_memory", {"memory_id": each}) for each in ("m1", "m2"))),
    "knowledge": (_knowledge, (("get_knowledge_content", {"id": "k1"}),)),
    "evals": (_evals, (("get_eval_run", {"eval_run_id": "e1"}),)),
    "learnings": (_learnings, (("get_learning", {"learning_type": "user_profile", "user_id": "ann"}),)),
    "schedules": (
        _schedules,
        (("get_schedule", {"schedule_id": "s1"}), ("get_schedule_runs", {"schedule_id": "s1"})),
    ),
    "traces": (_traces, (("get_trace", {"trace_id": "t1"}), ("get_spans", {"trace_id": "t1"}))),
    "schema versions": (
        lambda db: db.upsert_schema_version("agno_sessions", "3.1.0"),
        (("get_latest_schema_version", {"table_name": "agno_sessions"}),),
    ),
}
stories = pytest.mark.parametrize(("write", "asked"), list(STORIES.values()), ids=list(STORIES))

REPEATABLE = ("sessions", "memories", "knowledge", "learnings", "schema versions")
"""Those that are not inserted, but written over."""

Dbs = tuple[Any, Any]


@pytest.fixture(params=["blocking", "async"])
def dbs(request: pytest.FixtureRequest, mongo: Server, database: str) -> Iterator[Dbs]:
    """agno's class and ours over one database."""
    make: Any = MongoDb if request.param == "blocking" else AsyncMongoDb
    both = [each(db_url=mongo.url, db_name=database) for each in (agno.db.mongo.MongoDb, make)]
    # agno finds no learnings in a collection that this object of its class has not written to.
    both[0]._get_collection("learnings")
    with asyncio.Runner() as runner:
        theirs, ours = (Opened(each, runner) for each in both)
        yield theirs, ours
        theirs.close()
        ours.close()


def answers(db: Any, asked: tuple[Question, ...]) -> list[Any]:
    """All answers, as plain values. What agno has no value for it leaves out, or has as null."""
    return [_known(plain(getattr(db, method)(**each))) for method, each in asked]


def _known(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _known(each) for key, each in value.items() if each is not None}
    return [_known(each) for each in value] if isinstance(value, list | tuple) else value


@stories
def test_both_read_alike_what_agno_wrote(dbs: Dbs, write: Write, asked: tuple[Question, ...]) -> None:
    theirs, ours = dbs
    write(theirs)
    expected = answers(theirs, asked)
    assert any(expected)
    assert answers(ours, asked) == expected


@stories
def test_both_read_alike_what_ours_wrote(dbs: Dbs, write: Write, asked: tuple[Question, ...]) -> None:
    theirs, ours = dbs
    write(ours)
    expected = answers(ours, asked)
    assert any(expected)
    assert answers(theirs, asked) == expected


@pytest.mark.parametrize(("write", "asked"), [STORIES[each] for each in REPEATABLE], ids=REPEATABLE)
def test_what_agno_wrote_is_written_again_by_ours_and_the_reverse(
    dbs: Dbs, write: Write, asked: tuple[Question, ...], client: Any, database: str
) -> None:
    theirs, ours = dbs
    write(theirs)
    count = {name: client[database][name].count_documents({}) for name in client[database].list_collection_names()}
    write(ours)
    write(theirs)
    assert answers(ours, asked) == answers(theirs, asked)
    for name, documents in count.items():
        assert client[database][name].count_documents({}) == documents


def test_a_session_of_older_agno_keeps_the_runs_inside_it(dbs: Dbs, client: Any, database: str) -> None:
    _, ours = dbs
    test_sessions.fill(ours)
    sessions = client[database]["agno_sessions"]
    sessions.update_one({"session_id": "s1"}, {"$set": {"runs": [{"run_id": "old"}]}})
    session = ours.get_session("s1")
    session.session_data = {"session_state": {"n": 5}}
    ours.upsert_session(session)
    stored = sessions.find_one({"session_id": "s1"})
    assert (stored["runs"], stored["session_data"]["session_state"]) == ([{"run_id": "old"}], {"n": 5})


def test_our_indexes_are_agnos_by_name_and_columns_and_some_more() -> None:
    for table in AGNOS_INDEXES:
        ours = {index.name: index for index in indexes_of(TABLES[table])}
        for wanted in agno.db.mongo.schemas.get_collection_indexes(table):
            key = wanted["key"]
            columns = tuple(column for column, _ in key) if isinstance(key, list) else (key,)
            name = wanted.get("name", "_".join(f"{column}_1" for column in columns))
            assert ours[name].columns == columns, table
            assert ours[name].unique is bool(wanted.get("unique")), (table, name)
            assert not ours[name].where, (table, name)


def test_agno_finds_no_index_in_its_way_and_ours_none_of_agnos(dbs: Dbs, client: Any, database: str) -> None:
    theirs, ours = dbs
    theirs.db._create_all_tables()
    test_sessions.fill(ours)
    made = client[database]["agno_sessions"].index_information()
    assert made["session_id_1"]["unique"]
    assert "user_id_1_created_at_1_session_id_1" in made
    test_sessions.fill(theirs)
