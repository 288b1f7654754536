"""Each backend alone: agno's names, arguments, ids and stored forms."""

from __future__ import annotations

import asyncio
import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import agno.db.postgres
import agno.db.sqlite
import pytest
from agno.db.utils import DB_TABLE_NAME_KEYS
from agno.session import AgentSession
from sqlalchemy import create_engine

import dbrouter.backends
from dbrouter.backends import AsyncInMemoryDb, AsyncPostgresDb, AsyncSqliteDb, InMemoryDb, PostgresDb, SqliteDb
from dbrouter.router.agno_types import AsyncBaseDb, BaseDb
from dbrouter.router.routes import COMMITTING
from dbrouter.router.standalone.tables import TableNames, physical_names

URL = "postgresql+psycopg://reader:s3cret@db.example:5432/app?password=other&sslmode=require"
PAIRS: list[tuple[Any, Any]] = [
    (SqliteDb, agno.db.sqlite.SqliteDb),
    (AsyncSqliteDb, agno.db.sqlite.AsyncSqliteDb),
    (PostgresDb, agno.db.postgres.PostgresDb),
    (AsyncPostgresDb, agno.db.postgres.AsyncPostgresDb),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_every_argument_of_agnos_class_is_taken(ours: Any, theirs: Any) -> None:
    wanted = set(inspect.signature(theirs.__init__).parameters)
    taken = set(inspect.signature(ours.__init__).parameters) - {"tables"} | TableNames.__optional_keys__
    assert wanted <= taken


def test_the_arguments_for_tables_are_agnos() -> None:
    assert TableNames.__optional_keys__ == DB_TABLE_NAME_KEYS


@pytest.mark.parametrize(("ours", "theirs"), PAIRS[:2])
@pytest.mark.parametrize("arguments", [{}, {"db_file": "a.db"}, {"db_file": "a.db", "session_table": "talks"}])
def test_a_sqlite_file_has_agnos_id_and_stored_form(
    ours: Any, theirs: Any, arguments: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ours(**arguments).to_dict() == theirs(**arguments).to_dict()


@pytest.mark.parametrize(("ours", "theirs"), PAIRS[2:])
@pytest.mark.parametrize("arguments", [{}, {"db_schema": "mine"}, {"memory_table": "facts"}])
def test_a_postgres_database_has_agnos_id_and_stored_form_without_its_passwords(
    ours: Any, theirs: Any, arguments: dict[str, str]
) -> None:
    mine, agnos = ours(db_url=URL, **arguments), theirs(db_url=URL, **arguments)
    assert mine.id == agnos.id
    assert mine.to_dict() == {
        **agnos.to_dict(),
        "db_url": "postgresql+psycopg://reader@db.example:5432/app?sslmode=require",
    }
    assert "s3cret" not in json.dumps(mine.to_dict())
    assert "s3cret" not in repr(mine)


def test_a_stored_form_gives_the_open_database_back() -> None:
    db = PostgresDb(URL)
    assert PostgresDb.from_dict(db.to_dict()) is db
    other = PostgresDb.from_dict({**db.to_dict(), "memory_table": "facts"})
    assert other is not db
    assert (other.id, other.memory_table_name) == (db.id, "facts")


def test_a_stored_form_opens_a_file_again(tmp_path: Path) -> None:
    db = SqliteDb(str(tmp_path / "a.db"), session_table="talks")
    db.upsert_session(AgentSession(session_id="s", agent_id="a"))
    again = SqliteDb.from_dict(db.to_dict())
    assert again.to_dict() == db.to_dict()
    assert again.get_session("s") is not None


def test_a_database_without_an_address_is_refused() -> None:
    for database in (PostgresDb, AsyncPostgresDb):
        with pytest.raises(ValueError, match="One of db_url or db_engine must be provided"):
            database()


def test_named_sessions_have_runs_of_their_own_name() -> None:
    db = InMemoryDb(session_table="talks")
    assert (db.session_table_name, db.runs_table_name) == ("talks", "talks_runs")
    assert InMemoryDb(session_table="talks", runs_table="turns").runs_table_name == "turns"
    assert physical_names({"session_table": "agno_sessions"}) == {"sessions": "agno_sessions"}


def test_an_argument_that_names_no_table_is_refused() -> None:
    unknown: Any = {"sesion_table": "talks"}
    with pytest.raises(TypeError, match="sesion_table"):
        InMemoryDb(**unknown)


def test_a_users_engine_is_used() -> None:
    engine = create_engine("sqlite://")
    db = SqliteDb(db_engine=engine)
    assert db.db_engine is engine


def test_memory_databases_share_nothing() -> None:
    one, other = InMemoryDb(), InMemoryDb()
    one.upsert_session(AgentSession(session_id="s", agent_id="a"))
    assert other.get_session("s") is None
    assert one.id != other.id


def test_the_async_databases_are_awaited(tmp_path: Path) -> None:
    async def talk(db: Any) -> None:
        await db.upsert_session(AgentSession(session_id="s", agent_id="a"))
        assert (await db.get_session("s")).session_id == "s"
        assert await db.table_exists("agno_sessions")
        await db.close()

    asyncio.run(talk(AsyncInMemoryDb()))
    asyncio.run(talk(AsyncSqliteDb(str(tmp_path / "a.db"))))


def test_only_what_is_there_can_be_imported() -> None:
    assert set(dbrouter.backends.__all__) == set(dir(dbrouter.backends))
    with pytest.raises(AttributeError, match="MySqlDb"):
        _ = dbrouter.backends.MySqlDb  # type: ignore[attr-defined]


@pytest.mark.parametrize("module", ["dbrouter", "dbrouter.backends", "dbrouter.router.db"])
def test_importing_a_module_imports_no_vendors_client(module: str) -> None:
    vendors = ("sqlalchemy", "psycopg", "aiosqlite", "fastapi", "opentelemetry")
    code = f"import sys, {module}; print([each for each in {vendors!r} if each in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_importing_the_package_imports_not_even_agno() -> None:
    code = "import sys, dbrouter; print('agno' in sys.modules, dbrouter.DbRouter.__name__, bool(dbrouter.__version__))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "DbRouter", "True"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: dbrouter.backends.MongoDb(db_url="mongodb://localhost"),
        lambda: dbrouter.backends.AsyncMongoDb(db_url="mongodb://localhost"),
    ],
    ids=["mongo alone", "async mongo alone"],
)
def test_what_commits_one_record_at_a_time_lacks_families_that_change_several(make: Callable[[], Any]) -> None:
    db = make()
    base: Any = AsyncBaseDb if isinstance(db, AsyncBaseDb) else BaseDb
    assert not db.families & COMMITTING
    assert db.families >= {"sessions", "jobs", "mcp_oauth"}
    for lacked in ("create_component_with_config", "create_task", "replace_authz_subject_roles"):
        assert getattr(type(db), lacked) is getattr(base, lacked)
    whole: Any = dbrouter.backends.MongoDb(db_url="mongodb://localhost/?replicaSet=rs0")
    assert whole.families >= COMMITTING
