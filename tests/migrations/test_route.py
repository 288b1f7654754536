"""AgentOS's own route of migrations, on a router and on a database alone."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
from agno.agent import Agent
from agno.os import AgentOS

from dbrouter import AsyncDbRouter, DbRouter
from dbrouter.backends import AsyncPostgresDb, AsyncSqliteDb, PostgresDb, SqliteDb
from dbrouter.testing.scripted_model import ScriptedModel
from tests.migrations.conftest import MakeOld, configured, on
from tests.migrations.old import SESSIONS, read_by_agno

SERVED = on("sqlite", "postgres")
ROUTERS = pytest.mark.parametrize("router", [DbRouter, AsyncDbRouter])


class Client:
    """Asks an AgentOS over one db, all in one event loop."""

    def __init__(self, db: Any) -> None:
        self._db = db
        agent_os = AgentOS(id="os", agents=[Agent(id="desk", model=ScriptedModel(), db=self._db)], db=self._db)
        transport = httpx.ASGITransport(agent_os.get_app(), raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://agentos")
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._client.aclose())
        closing = self._db.close()
        if inspect.isawaitable(closing):
            self._runner.run(_awaited(closing))
        self._runner.close()

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self._runner.run(self._client.get(path, params=query))

    def post(self, path: str, **query: Any) -> httpx.Response:
        return self._runner.run(self._client.post(path, params=query))


async def _awaited(answer: Any) -> Any:
    return await answer


@SERVED
@ROUTERS
def test_it_migrates_every_database_of_the_router(old: MakeOld, tmp_path: Path, router: Any) -> None:
    one, two = old("2.9.0"), old("2.5.0")
    file = configured(tmp_path, one, two, agents={"desk": {"db": "two"}})
    with Client(router.from_yaml(file)) as client:
        assert client.get("/sessions", type="agent").status_code == 500
        answer = client.post("/databases/old/migrate")
        assert answer.status_code == 200, answer.text
        sessions = client.get("/sessions", type="agent")
        assert {each["session_id"] for each in sessions.json()["data"]} == SESSIONS.keys() - {"t1", "w1"}
        again = client.post("/databases/all/migrate")
        assert again.status_code == 200, again.text
    for each in (one, two):
        found = read_by_agno(each)
        assert {name: len(found[name]["runs"] or []) for name in SESSIONS} == SESSIONS


ALONE = {
    "sqlite": (SqliteDb, AsyncSqliteDb, lambda entry: {"db_file": entry["path"]}),
    "postgres": (PostgresDb, AsyncPostgresDb, lambda entry: {"db_url": entry["url"], "db_schema": entry["schema"]}),
}


@SERVED
@pytest.mark.parametrize("asynchronous", [False, True], ids=["blocking", "async"])
def test_it_migrates_a_database_alone(old: MakeOld, kind: str, *, asynchronous: bool) -> None:
    here = old("2.9.0")
    *classes, given = ALONE[kind]
    with Client(classes[asynchronous](id="alone", **given(here.entry))) as client:
        assert client.get("/sessions", type="agent").status_code == 500
        answer = client.post("/databases/alone/migrate")
        assert answer.status_code == 200, answer.text
        again = client.post("/databases/all/migrate")
        assert again.status_code == 200, again.text
        sessions = client.get("/sessions", type="agent")
        assert {each["session_id"] for each in sessions.json()["data"]} == SESSIONS.keys() - {"t1", "w1"}
    found = read_by_agno(here)
    assert {name: len(found[name]["runs"] or []) for name in SESSIONS} == SESSIONS


@SERVED
@ROUTERS
def test_a_version_between_is_refused_and_nothing_is_stamped(old: MakeOld, tmp_path: Path, router: Any) -> None:
    with Client(router.from_yaml(configured(tmp_path, old("2.3.0")))) as client:
        answer = client.post("/databases/old/migrate", target_version="2.5.6")
        assert answer.status_code == 500
        assert "brought to 3.0.0 or left as it is" in answer.text
        assert client.get("/sessions", type="agent").status_code == 500


@on("sqlite")
def test_a_stamp_over_nothing_is_not_believed(old: MakeOld, tmp_path: Path) -> None:
    db = DbRouter.from_yaml(configured(tmp_path, old("2.9.0")))
    assert db.get_latest_schema_version("agno_sessions") == "2.5.6"
    db.upsert_schema_version("agno_sessions", "3.0.0")
    assert db.get_latest_schema_version("agno_sessions") == "3.0.0"
    assert len(db.get_session("s3", session_type="agent").runs) == 3
    db.close()


@on("sqlite")
def test_what_cannot_be_done_is_the_answer(old: MakeOld, tmp_path: Path) -> None:
    import sqlite3

    here = old("2.9.0")
    with sqlite3.connect(here.entry["path"]) as connection:
        connection.execute(
            "insert into agno_schedules select 'sc2', name, description, method, endpoint, payload,"
            " cron_expr, timezone, timeout_seconds, max_retries, retry_delay_seconds, enabled,"
            " next_run_at, locked_by, locked_at, created_at, updated_at from agno_schedules"
        )
    connection.close()
    with Client(DbRouter.from_yaml(configured(tmp_path, here))) as client:
        answer = client.post("/databases/old/migrate")
        assert answer.status_code == 500
        assert "make them differ, then migrate again" in answer.text
