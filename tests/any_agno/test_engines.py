"""Every family through a router, on agno's own classes over real engines: what is written is read, and deleted."""

from __future__ import annotations

import asyncio
import gc
import inspect
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dbrouter.config import load_mapping
from dbrouter.router.agno_types import AgentSession, EvalRunRecord, EvalType, KnowledgeRow, RunOutput, UserMemory
from dbrouter.router.any_agno.families import served_by
from tests.any_agno.routers import agno, async_router, router
from tests.families.trace_samples import span, trace

pytestmark = pytest.mark.usefixtures("little_to_look_through")

Asked = Callable[..., Any]


async def _sessions(ask: Asked) -> None:
    await ask(
        "upsert_session", AgentSession(session_id="s", agent_id="a", user_id="u", session_data={"n": 1}, created_at=1)
    )
    await ask("upsert_run", RunOutput(run_id="r", agent_id="a", session_id="s", content="hé 🙂"), session_id="s")
    found = await ask("get_session", "s", user_id="u")
    assert (found.session_data, [each.content for each in found.runs or []]) == ({"n": 1}, ["hé 🙂"])
    assert (await ask("get_session", "s", user_id="stranger")) is None
    assert (await ask("get_sessions", user_id="u", deserialize=False, include_runs=False))[1] == 1
    assert (await ask("get_run", "r")).content == "hé 🙂"
    assert await ask("delete_session", "s") is True
    assert await ask("get_session", "s") is None
    assert await ask("get_runs", session_id="s") == []


async def _memories(ask: Asked) -> None:
    await ask("upsert_user_memory", UserMemory(memory="tea", memory_id="m", user_id="u", topics=["t"]))
    assert [each.memory for each in await ask("get_user_memories", user_id="u")] == ["tea"]
    rows, total = await ask("get_user_memories", deserialize=False, limit=1, page=1)
    assert ([type(row) for row in rows], total) == ([dict], 1)
    assert await ask("get_all_memory_topics") == ["t"]
    await ask("delete_user_memory", "m")
    assert await ask("get_user_memory", "m") is None


async def _knowledge(ask: Asked) -> None:
    await ask("upsert_knowledge_content", KnowledgeRow(id="k", name="k", description="d", created_at=1, updated_at=1))
    assert [each.name for each in (await ask("get_knowledge_contents"))[0]] == ["k"]
    await ask("delete_knowledge_content", "k")
    assert await ask("get_knowledge_content", "k") is None


async def _evals(ask: Asked) -> None:
    await ask(
        "create_eval_run", EvalRunRecord(run_id="e", eval_type=EvalType.ACCURACY, eval_data={"a": 1}, agent_id="a")
    )
    assert (await ask("get_eval_run", "e")).eval_data == {"a": 1}
    assert [each.run_id for each in await ask("get_eval_runs", agent_id="a")] == ["e"]
    await ask("delete_eval_runs", ["e"])
    assert await ask("get_eval_runs") == []


async def _traces(ask: Asked) -> None:
    await ask("upsert_trace", trace("t", session_id="s", agent_id="a"))
    await ask("create_spans", [span("1", "t"), span("2", "t", status_code="ERROR")])
    found = await ask("get_trace", "t")
    assert (found.total_spans, found.error_count) == (2, 1)
    assert {each.span_id for each in await ask("get_spans", "t")} == {"1", "2"}
    assert [each.trace_id for each in (await ask("get_traces", session_id="s"))[0]] == ["t"]


PLAYS = {"sessions": _sessions, "memories": _memories, "knowledge": _knowledge, "evals": _evals, "traces": _traces}

ENGINES: dict[str, tuple[str | None, Callable[[str], dict[str, Any]]]] = {
    "sqlite.SqliteDb": (None, lambda folder: {"db_file": f"{folder}/x.db"}),
    "sqlite.AsyncSqliteDb": (None, lambda folder: {"db_file": f"{folder}/x.db"}),
    "json.JsonDb": (None, lambda folder: {"db_path": folder}),
    "in_memory.InMemoryDb": (None, lambda _: {}),
    "postgres.PostgresDb": ("postgres", lambda url: {"db_url": _driver(url), "db_schema": "any_agno"}),
    "postgres.AsyncPostgresDb": ("postgres", lambda url: {"db_url": _driver(url), "db_schema": "any_agno_async"}),
    "redis.RedisDb": ("redis", lambda url: {"db_url": url, "db_prefix": "any_agno"}),
    "mongo.MongoDb": ("mongo", lambda url: {"db_url": url, "db_name": "any_agno"}),
    "mongo.AsyncMongoDb": ("mongo", lambda url: {"db_url": url, "db_name": "any_agno_async"}),
}
"""Class -> its server, if it needs one, and its arguments."""


def _driver(url: str) -> str:
    return url.replace("postgresql:", "postgresql+psycopg:")


@pytest.mark.parametrize("path", [pytest.param(path, marks=pytest.mark.backend("agno", mode=path)) for path in ENGINES])
def test_what_is_written_is_read_and_deleted(path: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    server, arguments = ENGINES[path]
    where = str(tmp_path) if server is None else request.getfixturevalue("start_server")(server).url
    database = agno(path, **arguments(where))
    settings = {"ours": {"kind": "memory"}, "theirs": database}
    module, _, name = path.partition(".")
    families = [family for family in served_by(_class(module, name)) if family in PLAYS]
    goes = {**dict.fromkeys(families, "theirs"), "metrics": "ours"}
    awaited = "Async" in path
    db: Any = (async_router if awaited else router)(settings, agentos={"db": "ours", "families": goes})

    async def ask(method: str, *args: Any, **kwargs: Any) -> Any:
        answer = getattr(db, method)(*args, **kwargs)
        return await answer if inspect.isawaitable(answer) else answer

    async def play() -> None:
        for family in families:
            await PLAYS[family](ask)
        await ask("close")

    with warnings.catch_warnings():
        # SQLAlchemy deprecates some of what agno does.
        warnings.simplefilter("ignore")
        asyncio.run(play())
        # And pymongo leaves a socket of a loop that has ended to be found.
        gc.collect()


def _class(module: str, name: str) -> Any:
    import importlib

    return getattr(importlib.import_module(f"agno.db.{module}"), name)


def test_settings_of_an_unknown_engine_are_no_special_case() -> None:
    """A class of agno's is only its path to us: what it takes is said by its own signature."""
    settings = load_mapping(
        {"databases": {"one": agno("redis.RedisDb", db_url="redis://x")}, "agentos": {"families": {"sessions": "one"}}}
    )
    assert settings.databases["one"].kind == "agno"
