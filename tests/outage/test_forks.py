"""A db that was used before its process forked works in parent and children: no socket has two readers."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dbrouter.backends import AsyncPostgresDb, PostgresDb, SqliteDb
from dbrouter.router.agno_types import AgentSession
from scripts.servers import Server

# Where the platform has no fork, nobody can fork a process that uses a db.
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

CHILDREN = 4
TURNS = 25


@pytest.fixture(
    params=[pytest.param(each, marks=pytest.mark.backend(each, mode="forks")) for each in ("sqlite", "postgres")]
)
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    made: Any
    if request.param == "sqlite":
        made = SqliteDb(str(tmp_path / "a.db"))
    else:
        server: Server = request.getfixturevalue("postgres")
        made = PostgresDb(server.url, db_schema=request.getfixturevalue("postgres_schema"))
    yield made
    made.close()


def turns(db: Any, session_id: str) -> None:
    """Reads and writes whose answers would be another process's if a connection were shared."""
    for number in range(TURNS):
        saved = db.upsert_session(AgentSession(session_id=session_id, agent_id=session_id, created_at=1))
        assert saved.session_id == session_id
        db.upsert_run({"run_id": f"{session_id}-{number}", "agent_id": session_id}, session_id)
        assert db.get_session(session_id).agent_id == session_id
        assert db.get_run(f"{session_id}-{number}", deserialize=False)["agent_id"] == session_id


def test_parent_and_children_work_side_by_side(db: Any) -> None:
    turns(db, "before")
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=turns, args=(db, f"child{number}")) for number in range(CHILDREN)]
    for each in children:
        each.start()
    turns(db, "parent")
    for each in children:
        each.join(60)
    assert [each.exitcode for each in children] == [0] * CHILDREN
    turns(db, "after")
    assert db.get_runs(deserialize=False)[1] == TURNS * (CHILDREN + 3)


@pytest.mark.backend("postgres", mode="forks")
def test_a_child_uses_an_async_db_on_a_loop_of_its_own(postgres: Server, postgres_schema: str) -> None:
    async def body() -> None:
        db = AsyncPostgresDb(db_url=postgres.url, db_schema=postgres_schema)
        await db.upsert_session(AgentSession(session_id="s", agent_id="a", created_at=1))
        child = multiprocessing.get_context("fork").Process(target=in_the_child, args=(db,))
        child.start()
        for _ in range(TURNS):
            assert (await db.get_session("s")).agent_id == "a"
        await asyncio.to_thread(child.join, 60)
        assert child.exitcode == 0
        assert await db.get_session("child") is not None
        await db.close()

    asyncio.run(body())


def in_the_child(db: Any) -> None:
    asyncio.events._set_running_loop(None)

    async def work() -> None:
        for _ in range(TURNS):
            await db.upsert_session(AgentSession(session_id="child", agent_id="c", created_at=1))
            assert (await db.get_session("child")).agent_id == "c"
        await db.close()

    asyncio.run(work())
