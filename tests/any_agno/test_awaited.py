"""An awaited router over agno's classes: those that are awaited as they are, those that block on threads."""

from __future__ import annotations

import asyncio
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest

from dbrouter import AsyncDbRouter
from dbrouter.router.agno_types import AgentSession, RunOutput, UserMemory
from tests.any_agno.routers import agno, async_router
from tests.families.trace_samples import span, trace
from tests.waiting import PATIENCE


def session(session_id: str, agent: str = "a") -> AgentSession:
    return AgentSession(session_id=session_id, agent_id=agent, user_id="u", created_at=1)


@pytest.mark.parametrize("path", ["sqlite.SqliteDb", "sqlite.AsyncSqliteDb"])
def test_every_family_works_awaited(path: str, tmp_path: Path) -> None:
    async def play() -> None:
        db = async_router({"one": agno(path, db_file=str(tmp_path / "x.db"))})
        await db.upsert_session(session("s1"))
        await db.upsert_run(RunOutput(run_id="r1", agent_id="a", session_id="s1"), session_id="s1")
        found = await db.get_session("s1")
        assert found is not None
        assert [each.run_id for each in found.runs or []] == ["r1"]  # type: ignore[union-attr]
        await db.upsert_user_memory(UserMemory(memory="tea", user_id="u"))
        assert [each.memory for each in await db.get_user_memories()] == ["tea"]
        await db.upsert_trace(trace("t1"))
        await db.create_spans([span("1", "t1")])
        assert [each.span_id for each in await db.get_spans("t1")] == ["1"]
        assert await db.table_exists(db.memory_table_name)
        assert await db.get_session("s2") is None
        await db.close()
        assert await db.get_session("s1") is not None
        await db.close()

    run(play())


def run(play: Any) -> None:
    with warnings.catch_warnings():
        # SQLAlchemy deprecates some of what agno does.
        warnings.simplefilter("ignore")
        asyncio.run(play)


def test_one_router_serves_several_event_loops(tmp_path: Path) -> None:
    db = async_router({"one": agno("sqlite.AsyncSqliteDb", db_file=str(tmp_path / "x.db"))})

    async def play(number: int) -> None:
        await db.upsert_session(session(f"s{number}"))
        assert await db.get_session(f"s{number}") is not None
        await db.close()

    for number in range(3):
        run(play(number))
    together = [threading.Thread(target=run, args=(play(number),)) for number in range(3, 6)]
    for each in together:
        each.start()
    for each in together:
        each.join()

    async def count() -> None:
        assert len(await db.get_sessions()) == 6  # type: ignore[arg-type]
        await db.close()

    run(count())


def test_a_failure_that_nobody_waited_for_is_not_told_to_who_comes_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agno.db.sqlite import AsyncSqliteDb

    async def fail(_: AsyncSqliteDb) -> None:
        await asyncio.sleep(0)
        raise OSError("away for a moment")

    async def play() -> None:
        db = async_router({"one": agno("sqlite.AsyncSqliteDb", db_file=str(tmp_path / "x.db"))})
        with monkeypatch.context() as patched:
            patched.setattr(AsyncSqliteDb, "_create_all_tables", fail)
            given_up = asyncio.ensure_future(db.upsert_session(session("s1")))
            await asyncio.sleep(0)
            given_up.cancel()
            await asyncio.wait([given_up])
            assert given_up.cancelled()
            await asyncio.sleep(0.1)
        await db.upsert_session(session("s2"))
        await db.close()

    run(play())


def test_a_class_that_blocks_does_not_hold_up_the_event_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> None:
        db = async_router({"one": agno("sqlite.SqliteDb", db_file=str(tmp_path / "x.db"))})
        entered, done = threading.Event(), threading.Event()

        def slow(**_: Any) -> None:
            entered.set()
            done.wait(PATIENCE)

        held = db.database("one").inner.methods.instances.here()  # type: ignore[attr-defined]
        monkeypatch.setattr(held, "get_session", slow)
        call = asyncio.create_task(db.get_session("s"))
        await asyncio.to_thread(entered.wait, PATIENCE)
        assert not call.done()
        done.set()
        assert await call is None
        await db.close()

    run(play())


def test_components_may_send_theirs_to_an_awaited_class(tmp_path: Path) -> None:
    async def play() -> None:
        databases = {"ours": {"kind": "memory"}, "theirs": agno("sqlite.AsyncSqliteDb", db_file=str(tmp_path / "x.db"))}
        db: AsyncDbRouter = async_router(databases, agents={"theirs": {"families": {"sessions": "theirs"}}})
        for session_id, agent in (("s1", "ours"), ("s2", "theirs")):
            await db.upsert_session(session(session_id, agent))
        assert {each.session_id for each in await db.get_sessions()} == {"s1", "s2"}  # type: ignore[union-attr]
        held = db.database("theirs").methods.instances.here()  # type: ignore[attr-defined]
        assert [each.session_id for each in await held.get_sessions()] == ["s2"]
        assert await db.delete_session("s2") is True
        [row], _ = await db.get_metrics()
        assert row["agent_sessions_count"] == 1
        await db.close()

    run(play())
