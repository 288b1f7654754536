"""Rows that agno's class wrote are read by ours, and the reverse; both may write one database in turn."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import agno.db.mysql
import pytest
from sqlalchemy import JSON, Table, event
from sqlalchemy.dialects.mysql import LONGTEXT

from dbrouter.backends import AsyncMySQLDb, MySQLDb
from dbrouter.backends.kernel.errors import Duplicate
from dbrouter.backends.kernel.filters import Field, eq, one_of
from dbrouter.backends.kernel.merging import OwnerGuard, Replace
from dbrouter.backends.kernel.ops import Aggregate, Computed, Get, Insert, Measure, Scan, Upsert
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.mysql.store import MySqlStore
from dbrouter.testing.conformance.records import session, trace
from scripts.servers import Server
from tests.interchange.conftest import Place
from tests.interchange.stories import STORIES, Question, Story
from tests.interchange.test_rows import assert_both_read_the_same, tell

SHARED = ("sessions", "runs", "memories", "knowledge", "evals")
"""Families that agno's class for MySQL serves."""
CHANGED_BY_AGNO = ("memories", "knowledge", "evals")
"""Those of which it has all the methods that the stories change rows by."""


def _answerable(question: Question) -> bool:
    method, asked = question
    return asked.keys() <= inspect.signature(getattr(agno.db.mysql.MySQLDb, method)).parameters.keys()


def _told(name: str) -> Story:
    """The story, with the questions that agno's class for MySQL takes."""
    return replace(STORIES[name], asked=tuple(filter(_answerable, STORIES[name].asked)))


shared = pytest.mark.parametrize("story", [_told(each) for each in SHARED], ids=SHARED)


def _as_on_mysql(_inspector: Any, _table: Any, column: Any) -> None:
    """MariaDB's JSON is a LONGTEXT, which agno's class would then not decode."""
    if isinstance(column["type"], LONGTEXT) and column["type"].collation == "utf8mb4_bin":
        column["type"] = JSON()


@pytest.fixture
def place(request: pytest.FixtureRequest, mariadb: Server, schema: str) -> Iterator[Place]:
    """A database; ours in the mode asked for, beside agno's blocking class."""
    event.listen(Table, "column_reflect", _as_on_mysql)
    mode = getattr(request, "param", "blocking")
    ours: Any = MySQLDb if mode == "blocking" else AsyncMySQLDb
    arguments = {"db_url": mariadb.url.replace("mysql:", "mysql+pymysql:"), "db_schema": schema}
    made = Place("mysql", mode, agno.db.mysql.MySQLDb, ours, arguments)
    yield made
    made.close()
    event.remove(Table, "column_reflect", _as_on_mysql)


@shared
def test_what_agno_wrote_is_read_as_agno_reads_it(place: Place, story: Story) -> None:
    tell(place.agno(), story.write)
    assert_both_read_the_same(place, story)


@shared
def test_what_ours_wrote_is_read_by_agno_as_by_ours(place: Place, story: Story) -> None:
    tell(place.ours(), story.write)
    assert_both_read_the_same(place, story)


@shared
def test_what_agno_wrote_is_changed_by_ours(place: Place, story: Story) -> None:
    tell(place.agno(), story.write)
    tell(place.ours(), story.change)
    assert_both_read_the_same(place, story)


@pytest.mark.parametrize("story", [_told(each) for each in CHANGED_BY_AGNO], ids=CHANGED_BY_AGNO)
def test_what_ours_wrote_is_changed_by_agno(place: Place, story: Story) -> None:
    tell(place.ours(), story.write)
    tell(place.agno(), story.change)
    assert_both_read_the_same(place, story)


@pytest.mark.parametrize("place", ["blocking", "async"], indirect=True)
def test_both_stay_open_and_write_in_turn(place: Place) -> None:
    """A deployment that moves one process after the other."""
    sides = [place.agno(), place.ours()]
    STORIES["sessions"].write(sides[0])
    for turn in range(6):
        session = sides[turn % 2].get_session("s1")
        session.session_data["session_state"]["n"] += 1
        sides[turn % 2].upsert_session(session)
        run = {"run_id": f"turn{turn}", "agent_id": "a", "status": "COMPLETED", "created_at": 9}
        sides[turn % 2].upsert_run(run, "s1")
    for side in sides:
        assert side.get_session("s1").session_data["session_state"] == {"n": 7}
        runs = side.get_session("s1", deserialize=False)["runs"]
        assert [run["run_id"] for run in runs][-6:] == [f"turn{turn}" for turn in range(6)]


@pytest.fixture
def made_by_agno(place: Place, store: MySqlStore) -> MySqlStore:
    """Our store over tables that agno's class made, whose texts compare without regard to case and blanks."""
    theirs = place.agno()
    theirs._create_all_tables()
    theirs.close()
    return store


def test_texts_are_compared_exactly_in_tables_that_take_two_for_one(made_by_agno: MySqlStore) -> None:
    store = made_by_agno
    finish(
        store.execute(Upsert(table="sessions", records=(session("s1", user_id="Ann"), session("s2", user_id="ann"))))
    )
    for asked, there in (("Ann", ["s1"]), ("ann", ["s2"]), ("ANN", []), ("ann ", [])):
        found = finish(store.execute(Scan(table="sessions", where=eq("user_id", asked)))).records
        assert [record["session_id"] for record in found] == there, asked
    among = finish(store.execute(Scan(table="sessions", where=one_of("user_id", ["ANN", "ann"])))).records
    assert [record["session_id"] for record in among] == ["s2"]
    assert finish(store.execute(Get(table="sessions", key=("S1",)))) is None


def test_values_are_counted_and_ranked_exactly_in_such_tables(made_by_agno: MySqlStore) -> None:
    store = made_by_agno
    records = tuple(trace(f"t{at}", session_id=each, name=each) for at, each in enumerate(("b", "B", "a", "C")))
    finish(store.execute(Insert(table="traces", records=records)))
    measures = (
        Computed(name="sessions", measure=Measure.DISTINCT, field=Field("session_id")),
        Computed(name="first", measure=Measure.MIN, field=Field("name")),
        Computed(name="last", measure=Measure.MAX, field=Field("name")),
    )
    (found,) = finish(store.execute(Aggregate(table="traces", by={}, measures=measures))).records
    assert found == {"sessions": 4, "first": "B", "last": "b"}


def test_a_key_that_such_a_table_takes_for_another_is_refused_and_overwrites_nothing(made_by_agno: MySqlStore) -> None:
    store = made_by_agno
    finish(store.execute(Upsert(table="sessions", records=(session("s1", user_id="ann"),))))
    with pytest.raises(Duplicate):
        finish(store.execute(Upsert(table="sessions", records=(session("S1"),), rules={"user_id": Replace()})))
    stored = finish(store.execute(Get(table="sessions", key=("s1",))))
    assert stored is not None
    assert stored.record["user_id"] == "ann"


def test_an_owner_in_other_letters_is_another_owner(made_by_agno: MySqlStore) -> None:
    store = made_by_agno
    guard, rules = OwnerGuard("user_id", claim=True), {"agent_id": Replace()}
    finish(store.execute(Upsert(table="sessions", records=(session("s1", user_id="ann"),))))
    foreign = Upsert(table="sessions", records=(session("s1", user_id="Ann", agent_id="x"),), rules=rules, guard=guard)
    assert finish(store.execute(foreign)) == [None]
    own = Upsert(table="sessions", records=(session("s1", user_id="ann", agent_id="y"),), rules=rules, guard=guard)
    (answer,) = finish(store.execute(own))
    assert answer is not None
    assert answer.record["agent_id"] == "y"
