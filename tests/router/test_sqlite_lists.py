"""Lists of ids that are longer than what SQLite takes in one statement, on any build of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from agno.session import AgentSession

from dbrouter.backends import SqliteDb
from dbrouter.backends.sqlite.dialect import LISTED, SqliteDialect

MANY = [f"other {number}" for number in range(300_000)]


@pytest.fixture
def db(tmp_path: Path) -> Iterator[SqliteDb]:
    db = SqliteDb(db_file=str(tmp_path / "lists.db"))
    for name in ("s\0", "s\ud800", "kept"):
        db.upsert_session(AgentSession(session_id=name, agent_id="a", session_data={}))
    yield db
    db.close()


def test_the_sessions_of_a_long_list_are_deleted(db: SqliteDb) -> None:
    db.delete_sessions([*MANY, "s\0", "s\ud800"])
    assert db.get_session("s\0") is None
    assert db.get_session("s\ud800") is None
    assert db.get_session("kept") is not None


def test_a_long_list_uses_the_index_of_its_column(db: SqliteDb, tmp_path: Path) -> None:
    dialect = SqliteDialect()
    values = tuple(MANY[: LISTED + 1])
    text = f"EXPLAIN QUERY PLAN DELETE FROM agno_sessions WHERE {dialect.member('session_id', len(values))}"
    assert db.get_session("kept") is not None
    with sqlite3.connect(tmp_path / "lists.db") as connection:
        plan = connection.execute(text, dialect.member_params(values)).fetchall()
    connection.close()
    assert any("SEARCH agno_sessions USING" in str(step) for step in plan), plan
