"""What agno does not await, and families of the whole deployment, where agno's own classes are the databases."""

from __future__ import annotations

import asyncio
import warnings
from pathlib import Path
from typing import Any

import pytest
from agno.db.base import ComponentType
from agno.db.sqlite import SqliteDb
from agno.session import AgentSession

from dbrouter import AsyncDbRouter, ConfigError
from dbrouter.config import load_mapping
from dbrouter.router.agno_types import AsyncBaseDb, BaseDb
from dbrouter.router.routes import SERVED, WHOLE, Routes
from tests.any_agno.routers import agno, async_router, router, said
from tests.any_agno.test_implemented import KNOWN

MADE = {
    "postgres.PostgresDb": {"db_url": "postgresql+psycopg://h/d"},
    "postgres.AsyncPostgresDb": {"db_url": "postgresql+psycopg://h/d"},
    "mongo.MongoDb": {"db_url": "mongodb://h/"},
    "redis.RedisDb": {"db_url": "redis://h"},
    "sqlite.SqliteDb": {"db_file": "x.db"},
    "sqlite.AsyncSqliteDb": {"db_file": "x.db"},
    "json.JsonDb": {"db_path": "x"},
}


def run(play: Any) -> None:
    with warnings.catch_warnings():
        # SQLAlchemy deprecates some of what agno does.
        warnings.simplefilter("ignore")
        asyncio.run(play)


@pytest.mark.parametrize("path", ["sqlite.SqliteDb", "sqlite.AsyncSqliteDb"])
def test_an_agno_database_beside_ours_keeps_nobody_from_what_is_not_awaited(path: str, tmp_path: Path) -> None:
    async def play() -> None:
        ours = {"kind": "sqlite", "path": str(tmp_path / "ours.db")}
        notes = agno(path, db_file=str(tmp_path / "notes.db"))
        families = {"knowledge": "notes"}
        db = async_router({"main": ours, "notes": notes}, agentos={"db": "main", "families": families})
        db.upsert_component("bot", ComponentType.AGENT)
        await db.upsert_session(AgentSession(session_id="s", agent_id="bot", created_at=1))
        assert [each["component_id"] for each in db.list_components()[0]] == ["bot"]
        assert await db.get_knowledge_contents() == ([], 0)
        await db.close()

    run(play())


def test_an_awaited_router_hands_what_is_not_awaited_to_agnos_blocking_class(tmp_path: Path) -> None:
    async def play() -> None:
        db = async_router({"one": agno("sqlite.SqliteDb", db_file=str(tmp_path / "x.db"))})
        await db.upsert_session(AgentSession(session_id="s", agent_id="a", created_at=1))
        db.upsert_compaction(row)
        assert db.get_compaction("c") == row
        assert db.get_mcp_oauth_client("nobody") is None
        await db.close()

    texts = {"run_id": "r", "user_id": "u", "first_kept_message_id": "m", "summary": "all", "archived_messages": "[]"}
    numbers = {"messages_compacted": 2, "tokens_before": 9, "tokens_after": 3, "created_at": 1}
    row = {"compaction_id": "c", "session_id": "s", **texts, **numbers}
    run(play())
    alone = SqliteDb(db_file=str(tmp_path / "x.db"))
    assert alone.get_compaction("c") == row
    alone.close()


@pytest.mark.parametrize("path", ["sqlite.AsyncSqliteDb", "postgres.AsyncPostgresDb"])
def test_agno_sees_what_its_awaited_classes_lack(path: str) -> None:
    db: AsyncDbRouter = async_router({"one": agno(path, **MADE[path])})
    assert getattr(db, "upsert_compaction", None) is None
    assert getattr(db, "create_mcp_oauth_client", None) is None
    assert type(db).list_components is AsyncBaseDb.list_components


@pytest.mark.parametrize("path", MADE)
def test_a_default_database_leaves_unserved_what_its_class_lacks_of_the_whole_deployment(path: str) -> None:
    others = {family: "ours" for family in SERVED if family not in KNOWN[path] and family not in WHOLE}
    databases = {"one": agno(path, **MADE[path]), "ours": {"kind": "memory"}}
    settings = load_mapping(said(databases, agentos={"db": "one", "families": others}))
    assert set(Routes.of(settings).families) == {*KNOWN[path], *others}


def test_agno_sees_what_is_left_unserved(tmp_path: Path) -> None:
    families = dict.fromkeys(("approvals", "schedules", "learnings"), "ours")
    databases = {"one": agno("json.JsonDb", db_path=str(tmp_path)), "ours": {"kind": "memory"}}
    db = router(databases, agentos={"db": "one", "families": families})
    for name in ("list_components", "get_tasks", "authz_name_is_role", "get_auth_token", "get_service_account"):
        assert getattr(type(db), name) is getattr(BaseDb, name), name
    assert getattr(db, "claim_job", None) is None


@pytest.mark.parametrize("family", sorted(WHOLE - {"jobs"}))
def test_a_family_of_the_whole_deployment_that_is_named_for_a_class_that_lacks_it_is_refused(family: str) -> None:
    databases = {"main": {"kind": "memory"}, "one": agno("json.JsonDb", db_path="x")}
    families = {family: "one", **({"schedules": "main"} if family == "components" else {})}
    with pytest.raises(
        ConfigError, match=rf"JsonDb of 'one' cannot serve {family} \({family}: it lacks every method\)"
    ):
        load_mapping(said(databases, agentos={"db": "main", "families": families}))
