"""A tenant by header, host or path, and what one request may do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from agno.os import AgentOS
from fastapi import APIRouter, Depends, FastAPI

from dbrouter import ALL, ConfigError, DbRouter, TenantConflict, TenantLocked, protect, tenant
from dbrouter.backends import SqliteDb
from dbrouter.config import load_mapping
from dbrouter.router.tenancy.verified import SCHEDULED, sealed
from tests.agno.cast import clerk
from tests.tenancy.agno.house import House, answered, serving, token, with_tokens

HEADER = {"resolve": ["binding", "context", "request"], "header": "X-Tenant"}

HOSTS_OF_NOBODY: tuple[str | bytes, ...] = (
    *("", ":443", ".", "example.com", "acme.example.org", "x.acme.example.com", ".example.com", "..example.com"),
    *("acme.example.com..", "acme.example.com:x", "acme.example.com:80:80", "[::1]:80", "[acme.example.com]"),
    *("x@acme.example.com", "acme/.example.com", "a%2Fb.example.com", "acme globex.example.com", "*.example.com"),
    *("acme.example.com, globex.example.com", f"{'a' * 64}.example.com", f"{'a' * 100_000}.example.com"),
    *("münchen.example.com".encode(), b"\xffcme.example.com"),
)


async def test_a_header_names_the_tenant(build: Callable[..., House], mode: str) -> None:
    house = build(mode, **HEADER)
    async with serving(house) as client:
        for whose in ("acme", "globex"):
            assert (await client.say("add 1", f"{whose}-s", headers={"x-tenant": whose})).is_success
        missing = await client.get("/sessions")
    assert (missing.status_code, missing.json()["error_id"]) == (400, "tenant_missing")
    assert (await house.sessions("acme"), await house.sessions("globex")) == (["acme-s"], ["globex-s"])


async def test_routes_of_agentos_are_not_of_the_tenant_whose_view_an_agent_has(
    build: Callable[..., House], mode: str
) -> None:
    house = build(mode, **HEADER)
    views = [clerk(house.router.for_tenant(whose), id=whose) for whose in ("acme", "globex")]
    async with serving(house, agents=views) as client:
        for whose in ("acme", "globex"):
            assert (await client.say("add 1", f"{whose}-s", path=f"/agents/{whose}/runs")).is_success
        nobodys = await client.get("/sessions")
        others = await client.get("/sessions", headers={"X-Tenant": "globex"})
    assert (nobodys.status_code, nobodys.json()["error_id"]) == (400, "tenant_missing")
    assert [each["session_id"] for each in others.json()["data"]] == ["globex-s"]


async def test_views_of_several_tenants_need_their_router(build: Callable[..., House]) -> None:
    house = build("async", **HEADER)
    acme, globex = (clerk(house.router.for_tenant(whose), id=whose) for whose in ("acme", "globex"))
    with pytest.raises(ConfigError, match="give AgentOS the router itself"):
        protect(AgentOS(agents=[acme, globex], telemetry=False), db=house.router)
    with pytest.raises(ConfigError, match="AgentOS has no db"):
        protect(AgentOS(agents=[acme], telemetry=False))
    protect(AgentOS(agents=[acme], telemetry=False), db=house.router)


def test_what_has_no_tenants_cannot_be_protected(tmp_path: Path) -> None:
    plain = DbRouter.from_settings(load_mapping({"databases": {"one": {"kind": "memory"}}, "agentos": {"db": "one"}}))
    for db in (plain, SqliteDb(str(tmp_path / "a.db"))):
        with pytest.raises(ConfigError, match=r"protect: Db.* has no tenants; give its configuration the sections"):
            protect(AgentOS(agents=[clerk(db)], db=db, telemetry=False))
        db.close()


async def test_what_agentos_finds_anew_is_in_the_same_order(build: Callable[..., House], mode: str) -> None:
    house = build(mode, **HEADER)
    agent_os = AgentOS(id="house-os", agents=[clerk(house.router)], db=house.router, telemetry=False)
    async with serving(house, made=lambda _: protect(agent_os)) as client:
        assert (await client.say("add 1", "acme-s", headers={"X-Tenant": "acme"})).is_success
        assert agent_os.agents is not None
        agent_os.agents.insert(0, clerk(house.router.for_tenant("acme"), id="acme"))
        agent_os.resync(client.app)
        nobodys = await client.get("/sessions")
        others = await client.get("/sessions", headers={"X-Tenant": "globex"})
        own = await client.say("add 2", "acme-s", path="/agents/acme/runs")
    assert (nobodys.status_code, nobodys.json()["error_id"]) == (400, "tenant_missing")
    assert others.json()["data"] == []
    assert own.json()["content"] == "total 3"


async def test_views_of_several_tenants_that_come_later_need_their_router_too(build: Callable[..., House]) -> None:
    house = build("async", **HEADER)
    agent_os = AgentOS(agents=[clerk(house.router.for_tenant("acme"), id="acme")], telemetry=False)
    app = protect(agent_os, db=house.router)
    routes, dbs = [*app.router.routes], agent_os.dbs
    assert agent_os.agents is not None
    agent_os.agents.append(clerk(house.router.for_tenant("globex"), id="globex"))
    with pytest.raises(ConfigError, match="give AgentOS the router itself"):
        agent_os.resync(app)
    assert app.router.routes == routes
    assert agent_os.dbs is dbs


@pytest.mark.parametrize(
    ("headers", "status", "error"),
    [
        ([("X-Tenant", "acme"), ("X-Tenant", "globex")], 403, "tenant_conflict"),
        ([("X-Tenant", "acme"), ("x-tenant", "acme")], 403, "tenant_conflict"),
        ([("X-Tenant", "acme, globex")], 403, "tenant_conflict"),
        ([("X-Tenant", "")], 404, "tenant_unknown"),
        ([("X-Tenant", "*")], 404, "tenant_unknown"),
        ([("X-Tenant", "ALL")], 404, "tenant_unknown"),
        ([("X-Tenant", "all")], 404, "tenant_unknown"),
        ([("X-Tenant", "acme' or '1'='1")], 404, "tenant_unknown"),
        ([(b"X-Tenant", b"\xff\xfe")], 404, "tenant_unknown"),
        ([(b"X-Tenant", "аcme".encode())], 404, "tenant_unknown"),
    ],
)
async def test_a_header_that_can_be_read_in_two_ways_or_names_nobody_is_refused(
    build: Callable[..., House], headers: Any, status: int, error: str
) -> None:
    house = build("async", **HEADER)
    async with serving(house) as client:
        answer = await client.get("/sessions", headers=headers)
    assert (answer.status_code, answer.json()["error_id"]) == (status, error)


async def test_a_header_and_a_claim_have_to_agree(build: Callable[..., House]) -> None:
    house = build("async", resolve=["binding", "claim", "request"], claim="org.id", header="X-Tenant")
    async with serving(house, **with_tokens()) as client:
        own = await client.get("/sessions", headers={**token("acme"), "X-Tenant": "acme"})
        other = await client.get("/sessions", headers={**token("acme"), "X-Tenant": "globex"})
    assert own.is_success
    assert (other.status_code, other.json()["error_id"]) == (403, "tenant_conflict")


async def test_the_host_names_the_tenant(build: Callable[..., House]) -> None:
    house = build("async", resolve=["binding", "request"], host="{tenant}.example.com")
    async with serving(house) as client:
        for number, host in enumerate(("Acme.Example.com:8443", "acme.example.com.", "acme.example.com.:443")):
            assert (await client.say("add 1", f"s{number}", headers={"Host": host})).is_success
        for host in HOSTS_OF_NOBODY:
            refused = await client.get("/sessions", headers={"Host": host})
            assert (refused.status_code, refused.json()["error_id"]) == (400, "tenant_missing"), host
    assert await house.sessions("acme") == ["s0", "s1", "s2"]


@pytest.mark.parametrize("unknown", [{"unknown": "default", "default": "globex"}, {"unknown": "provision"}])
async def test_a_host_that_cannot_be_read_is_no_unknown_tenant(
    build: Callable[..., House], unknown: dict[str, str]
) -> None:
    house = build("async", resolve=["binding", "request"], host="{tenant}.example.com", **unknown)
    async with serving(house) as client:
        for host in HOSTS_OF_NOBODY:
            refused = await client.get("/sessions", headers={"Host": host})
            assert (refused.status_code, refused.json()["error_id"]) == (400, "tenant_missing"), host
        assert (await client.say("add 1", "s", headers={"Host": "xn--mnchen-3ya.example.com"})).is_success
    assert await house.sessions("globex" if "default" in unknown else "xn--mnchen-3ya") == ["s"]


async def test_the_path_names_the_tenant_and_the_rest_of_it_the_route(build: Callable[..., House], mode: str) -> None:
    house = build(mode, resolve=["binding", "request"], path="/t/{tenant}/")
    async with serving(house) as client:
        said = await client.say("add 2", "s", path="/t/globex/agents/clerk/runs")
        assert said.json()["content"] == "total 2"
        assert (await client.get("/t/globex/sessions/s")).is_success
        assert (await client.get("/t/globex/sessions/")).is_success
        assert (await client.get("/t/acme/sessions/s")).status_code == 404
        for path, status in (
            ("/sessions", 400),
            ("/t/nobody/sessions", 404),
            ("/t/acme%2Fx/sessions", 404),
            ("/t//sessions", 404),
        ):
            refused = await client.get(path)
            assert refused.status_code == status, path
        assert (await client.get("/health")).is_success
    assert await house.sessions("globex") == ["s"]


async def test_the_apps_authentication_sees_the_route_behind_the_prefix(build: Callable[..., House]) -> None:
    house = build("async", resolve=["binding", "request"], path="/t/{tenant}")
    async with serving(house, **with_tokens()) as client:
        assert (await client.get("/t/acme/sessions")).status_code == 401
        weak = token(scopes=["agents:read"])
        assert (await client.get("/t/acme/sessions", headers=weak)).status_code == 403
        assert (await client.get("/t/acme/sessions", headers=token())).is_success


def routes_of(house: House) -> APIRouter:
    """Routes of a user's own."""
    router = APIRouter()

    async def bound() -> Any:
        with tenant("globex"):
            yield

    @router.get("/mine/all")
    async def everything() -> Any:
        with pytest.raises(TenantLocked), tenant(ALL):
            pass
        with pytest.raises(TenantLocked):
            await answered(house.router.for_tenant(ALL).get_sessions())
        return "refused"

    @router.get("/mine/two")
    async def two() -> Any:
        with tenant("acme"):
            await answered(house.router.get_sessions())
        with pytest.raises(TenantLocked), tenant("globex"):
            pass
        with pytest.raises((TenantConflict, TenantLocked)):
            await answered(house.router.for_tenant("globex").get_sessions())
        return "refused"

    @router.get("/mine/bound", dependencies=[Depends(bound)])
    async def of_a_dependency() -> Any:
        found, _ = await answered(house.router.get_sessions(deserialize=False))
        return [each["session_id"] for each in found]

    @router.get("/mine/threads")
    def in_a_thread() -> Any:
        return "ok" if house.router.get_sessions(deserialize=False) is not None else "no"

    return router


def with_routes(house: House) -> Callable[[Any], FastAPI]:
    """An app with a user's routes."""

    def made(agent_os: Any) -> FastAPI:
        app = protect(agent_os)
        app.include_router(routes_of(house))
        return app

    return made


async def test_a_request_that_was_refused_more_rights_says_so_whatever_its_route_returns(
    build: Callable[..., House], mode: str
) -> None:
    house = build(mode, resolve=["binding", "context"])
    async with serving(house, made=with_routes(house)) as client:
        for path in ("/mine/all", "/mine/two"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["error_id"]) == (403, "tenant_locked"), answer.text


async def test_a_dependency_binds_the_request(build: Callable[..., House], mode: str) -> None:
    house = build(mode, resolve=["binding", "context"])
    await house.ask("globex", "get_sessions")
    async with serving(house, made=with_routes(house)) as client:
        assert (await client.get("/mine/bound")).json() == []


async def test_an_endpoint_that_blocks_runs_in_a_thread_of_its_own_and_keeps_the_tenant(
    build: Callable[..., House],
) -> None:
    house = build("blocking", **HEADER)
    async with serving(house, made=with_routes(house)) as client:
        assert (await client.get("/mine/threads", headers={"X-Tenant": "acme"})).json() == "ok"
        assert (await client.get("/mine/threads")).status_code == 400


async def test_the_schedulers_header_is_worth_nothing_from_others(build: Callable[..., House]) -> None:
    house = build("async", **HEADER)
    options: dict[str, Any] = {**with_tokens(), "internal_service_token": "internal"}
    async with serving(house, **options) as client:
        with_header = {SCHEDULED: sealed("acme", "internal")}
        assert (await client.get("/sessions", headers={**token(), **with_header})).status_code == 400
        internal = {"Authorization": "Bearer internal"}
        forged = {SCHEDULED: sealed("acme", "another")}
        refused = await client.say("add 1", "s", headers={**internal, **forged})
        assert (refused.status_code, refused.json()["error_id"]) == (400, "tenant_missing")
        assert (await client.say("add 1", "s", headers={**internal, **with_header})).is_success
    assert await house.sessions("acme") == ["s"]


async def test_the_schedulers_header_needs_its_token_on_an_open_instance_too(build: Callable[..., House]) -> None:
    house = build("async", **HEADER)
    async with serving(house, internal_service_token="internal") as client:
        for headers in ({}, {"Authorization": "Bearer another"}):
            refused = await client.say("add 1", "s", headers={SCHEDULED: sealed("acme", "internal"), **headers})
            assert (refused.status_code, refused.json()["error_id"]) == (400, "tenant_missing")


async def test_how_a_refresh_of_metrics_went_is_told_to_its_tenant(build: Callable[..., House], mode: str) -> None:
    house = build(mode, **HEADER)
    acme, globex = ({"X-Tenant": whose} for whose in ("acme", "globex"))
    async with serving(house) as client:
        await client.say("add 1", "s1", headers=acme)
        refreshed = await client.http.post("/metrics/refresh", headers=acme)
        told = [(await client.get("/metrics/refresh/status", headers=each)).json()["status"] for each in (acme, globex)]
        others = await client.http.post("/metrics/refresh", headers=globex)
        nobodys = await client.http.post("/metrics/refresh")
    assert [each["agent_runs_count"] for each in refreshed.json()] == [1]
    assert told == ["completed", "idle"]
    assert (others.json(), nobodys.status_code) == ([], 400)


async def test_many_tenants_at_once_stay_apart(build: Callable[..., House], mode: str) -> None:
    house = build(mode, **HEADER)
    whose = ["acme", "globex", "initech"] * 4
    async with serving(house) as client:
        answers = await asyncio.gather(
            *(client.say("add 1", f"{each}-{at}", headers={"X-Tenant": each}) for at, each in enumerate(whose))
        )
    assert all(each.is_success for each in answers)
    for each in ("acme", "globex", "initech"):
        assert await house.sessions(each) == sorted(f"{each}-{at}" for at, named in enumerate(whose) if named == each)


async def test_a_run_that_streams_is_saved_for_its_tenant_after_the_last_word(
    build: Callable[..., House], mode: str
) -> None:
    house = build(mode, **HEADER)
    async with serving(house, agents=[clerk(house.router)]) as client:
        form = {"message": "add 3", "session_id": "streamed", "stream": "true"}
        async with client.http.stream("POST", "/agents/clerk/runs", data=form, headers={"X-Tenant": "initech"}) as said:
            assert said.status_code == 200
            text = "".join([part async for part in said.aiter_text()])
    assert "total 3" in text
    session = await house.ask("initech", "get_session", session_id="streamed", session_type="agent", deserialize=False)
    assert session["runs"][0]["content"] == "total 3"
    assert await house.sessions("acme") == []
