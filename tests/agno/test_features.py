"""What agno believes a router can do, which it reads off the router's class."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest
from agno.compaction import Compaction
from agno.compaction.archive import stores_compaction_records
from agno.db.base import AsyncBaseDb, BaseDb

from dbrouter.testing.scripted_model import ScriptedModel
from tests.agno.cast import clerk
from tests.agno.live import Live
from tests.agno.rest import serving


async def test_a_router_is_the_kind_of_db_agno_drives_it_as(routed: Live) -> None:
    assert isinstance(routed.db, BaseDb if routed.blocking else AsyncBaseDb)
    for name in ("get_session", "upsert_run", "claim_due_schedule", "get_approvals", "upsert_trace"):
        assert asyncio.iscoroutinefunction(getattr(routed.db, name)) is not routed.blocking, name


async def test_agno_copies_an_agent_without_copying_its_router(routed: Live) -> None:
    assert clerk(routed.db).deep_copy().db is routed.db
    assert bool(routed.db)


async def test_runs_are_saved_one_by_one(routed: Live) -> None:
    assert type(routed.db).upsert_run not in (BaseDb.upsert_run, AsyncBaseDb.upsert_run)


async def test_a_compacted_conversation_keeps_its_messages_and_sends_its_summary(live: Live) -> None:
    summary = "They counted to two."
    agent = clerk(
        live.db,
        add_history_to_context=True,
        compaction=Compaction(model=ScriptedModel.saying(summary), compact_at_tokens=None, uncompacted_runs=1),
    )
    long = "and so on " * 300  # a short conversation is cheaper to send than to sum up, and is not compacted
    for word in ("one", "two", "three"):
        await live.run(agent, f"{word} {long}", session_id="s")
    if not stores_compaction_records(live.db):
        # An async db cannot keep them: agno calls the methods of compaction without `await`.
        return await _goes_on_without_compaction(live, agent)
    result = agent.compact(session_id="s")
    assert result.compacted, result.message
    await live.run(agent, "four", session_id="s")

    (record,) = await live.ask("get_compactions_for_session", "s")
    assert record["summary"].startswith(summary)
    assert "one" in record["archived_messages"]
    heard = [str(message.content) for message in agent.model.heard[-1]]
    assert any(summary in text for text in heard)
    assert not any(text.startswith("one ") for text in heard)
    stored = await live.ask("get_session", session_id="s")
    assert [run.input.input_content.split()[0] for run in stored.runs] == ["one", "two", "three", "four"]
    await live.ask("delete_session", "s")
    assert await live.ask("get_compactions_for_session", "s") == []
    return None


async def _goes_on_without_compaction(live: Live, agent: Any) -> None:
    await live.run(agent, "four", session_id="s")
    heard = [str(message.content).split()[0] for message in agent.model.heard[-1] if message.role == "user"]
    assert heard == ["one", "two", "three", "four"]


async def test_an_absent_feature_says_so_and_agno_goes_on(routed: Live) -> None:
    for method, arguments in (("get_tasks", ()), ("authz_name_is_role", ("x",)), ("list_components", ())):
        with pytest.raises(NotImplementedError):
            await routed.ask(method, *arguments)
    async with serving(routed) as rest:
        # agno answers 500 for each of its own blocking databases that has no components, MySQLDb and the rest.
        await rest.call("GET", "/components", status=500 if routed.blocking else 503)
        assert (await rest.get("/sessions", type="agent"))["meta"]["total_count"] == 0


async def test_every_method_of_agnos_base_is_there_with_its_parameters(routed: Live) -> None:
    base = BaseDb if routed.blocking else AsyncBaseDb
    for name, theirs in inspect.getmembers(base, inspect.isfunction):
        if name.startswith("_"):
            continue
        ours = inspect.signature(getattr(type(routed.db), name)).parameters
        for parameter in inspect.signature(theirs).parameters.values():
            assert parameter.name in ours, f"{name}({parameter.name})"
            assert ours[parameter.name].default == parameter.default, f"{name}({parameter.name})"


async def test_what_agno_writes_of_a_router_beside_a_component_is_its_id_and_no_secret(routed: Live) -> None:
    written = routed.db.to_dict()
    assert written["id"] == routed.db.id
    assert "postgres://" not in str(written)
    assert "postgresql" not in str(written)
    assert type(routed.db).from_dict(written) is routed.db
