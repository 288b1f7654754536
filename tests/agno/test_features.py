"""What agno believes a router can do, which it reads off the router's class."""

from __future__ import annotations

import asyncio
import inspect

import pytest
from agno.db.base import AsyncBaseDb, BaseDb

from tests.agno.cast import clerk
from tests.agno.conftest import parameter
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


@pytest.mark.parametrize("routed", [parameter("mongo alone", mode) for mode in ("blocking", "async")], indirect=True)
async def test_an_absent_feature_says_so_and_agno_goes_on(routed: Live) -> None:
    # A store that commits one record at a time has no families that change several.
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
        for wanted in inspect.signature(theirs).parameters.values():
            assert wanted.name in ours, f"{name}({wanted.name})"
            assert ours[wanted.name].default == wanted.default, f"{name}({wanted.name})"


async def test_what_agno_writes_of_a_router_beside_a_component_is_its_id_and_no_secret(routed: Live) -> None:
    written = routed.db.to_dict()
    assert written["id"] == routed.db.id
    assert "postgres://" not in str(written)
    assert "postgresql" not in str(written)
    assert type(routed.db).from_dict(written) is routed.db
