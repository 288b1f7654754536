"""A tenant by a claim of AgentOS's own token: counted only if AgentOS accepted it and its signature holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from agno.os import AgentOS
from agno.os.middleware.jwt import JWTMiddleware
from fastapi import FastAPI
from starlette.middleware.base import BaseHTTPMiddleware

from dbrouter import TenantMiddleware, protect
from tests.agno.cast import clerk
from tests.tenancy.agno.house import House, serving, token, with_tokens

CLAIM = {"resolve": ["binding", "claim"], "claim": "org.id"}


async def test_each_token_sees_its_own_tenants_rows_by_list_and_by_id(build: Callable[..., House], mode: str) -> None:
    house = build(mode, **CLAIM)
    async with serving(house, **with_tokens()) as client:
        for number, whose in enumerate(("acme", "globex", "initech"), start=1):
            said = await client.say(f"add {number}", "one-id", headers=token(whose))
            assert said.json()["content"] == f"total {number}"
            listed = (await client.get("/sessions", headers=token(whose))).json()["data"]
            assert [each["session_id"] for each in listed] == ["one-id"]
        again = await client.say("add 10", "one-id", headers=token("globex"))
        assert again.json()["content"] == "total 12"
        assert (await client.say("add 1", "acmes-own", headers=token("acme"))).is_success
        assert (await client.get("/sessions/acmes-own", headers=token("acme"))).is_success
        foreign = await client.get("/sessions/acmes-own", headers=token("globex"))
        assert foreign.status_code == 404
    assert await house.sessions("acme") == ["acmes-own", "one-id"]
    assert await house.sessions("globex") == ["one-id"]


async def test_a_forged_token_is_refused_and_reads_nothing(build: Callable[..., House], mode: str) -> None:
    house = build(mode, **CLAIM)
    async with serving(house, **with_tokens()) as client:
        answer = await client.get("/sessions", headers=token("acme", key="another secret that is just as long"))
    assert answer.status_code == 401


async def test_a_claim_counts_for_nothing_where_signatures_are_not_checked(build: Callable[..., House]) -> None:
    house = build("async", **CLAIM)

    def unverified(agent_os: AgentOS) -> FastAPI:
        app = protect(agent_os)
        app.add_middleware(JWTMiddleware, algorithm="HS256", validate=False)
        return app

    async with serving(house, made=unverified) as client:
        forged = await client.get("/sessions", headers=token("acme", key="another secret that is just as long"))
        signed = await client.get("/sessions", headers=token("acme"))
    assert (forged.status_code, forged.json()["error_id"]) == (400, "tenant_missing")
    assert (signed.status_code, signed.json()["error_id"]) == (400, "tenant_missing")


async def test_a_middleware_that_skips_signatures_before_one_that_checks_them_proves_nothing(
    build: Callable[..., House],
) -> None:
    house = build("async", **CLAIM)

    def twice(agent_os: AgentOS) -> FastAPI:
        app = protect(agent_os)
        # The outer one marks the request as authenticated, so that the inner one lets it pass unseen.
        app.add_middleware(JWTMiddleware, algorithm="HS256", validate=False)
        return app

    async with serving(house, made=twice, **with_tokens()) as client:
        forged = await client.get("/sessions", headers=token("acme", key="another secret that is just as long"))
        assert (forged.status_code, forged.json()["error_id"]) == (400, "tenant_missing")
        signed = await client.get("/sessions", headers=token("acme"))
        assert signed.is_success


async def test_claims_that_another_middleware_wrote_count_for_nothing(build: Callable[..., House]) -> None:
    house = build("async", **CLAIM)

    class Generous(BaseHTTPMiddleware):
        async def dispatch(self, request: Any, call_next: Any) -> Any:
            request.state.claims = {"org": {"id": "acme"}}
            request.state.authenticated = True
            request.state.token = "x"
            return await call_next(request)

    def generous(agent_os: AgentOS) -> FastAPI:
        app = protect(agent_os)
        app.add_middleware(Generous)
        return app

    async with serving(house, made=generous) as client:
        answer = await client.get("/sessions")
    assert (answer.status_code, answer.json()["error_id"]) == (400, "tenant_missing")


@pytest.mark.parametrize("outside", [True, False], ids=["outside of authentication", "inside of it"])
async def test_the_order_of_middlewares_does_not_matter(build: Callable[..., House], outside: bool) -> None:
    house = build("blocking", **CLAIM)
    base = FastAPI()
    if not outside:
        base.add_middleware(TenantMiddleware, db=house.router)

    def made(agent_os: AgentOS) -> FastAPI:
        app = agent_os.get_app()
        if outside:
            app.add_middleware(TenantMiddleware, db=house.router)
        return app

    async with serving(house, made=made, base_app=base, **with_tokens()) as client:
        assert (await client.say("add 4", "s", headers=token("acme"))).json()["content"] == "total 4"
        refused = await client.get("/sessions", headers=token())
    assert (refused.status_code, refused.json()["error_id"]) == (400, "tenant_missing")
    assert await house.sessions("acme") == ["s"]


NAMES_NOBODY: list[tuple[Any, tuple[int, str]]] = [
    (None, (400, "tenant_missing")),
    ("nobody", (404, "tenant_unknown")),
    ("", (404, "tenant_unknown")),
    ("*", (404, "tenant_unknown")),
    (["acme"], (404, "tenant_unknown")),
    ({"acme": 1}, (404, "tenant_unknown")),
    (True, (404, "tenant_unknown")),
    ("ACME", (404, "tenant_unknown")),
    ("acme\u0000", (404, "tenant_unknown")),
    ("аcme", (404, "tenant_unknown")),
    ("umbrella", (403, "tenant_suspended")),
]


@pytest.mark.parametrize(
    "path", ["/sessions", "/memories", "/traces", "/schedules", "/eval-runs", "/sessions/s", "/metrics"]
)
async def test_a_claim_that_names_no_tenant_is_refused_in_public_words(build: Callable[..., House], path: str) -> None:
    house = build("async", **CLAIM)
    async with serving(house, **with_tokens()) as client:
        answers = [await client.get(path, headers=token(org)) for org, _ in NAMES_NOBODY]
    assert [(each.status_code, each.json()["error_id"]) for each in answers] == [said for _, said in NAMES_NOBODY]
    for answer in answers:
        assert "org" not in answer.text
        assert "umbrella" not in answer.text


async def test_a_name_with_dots_in_it_is_a_claim_of_that_name_too(build: Callable[..., House]) -> None:
    house = build("async", resolve=["binding", "claim"], claim="https://example.com/org")
    async with serving(house, **with_tokens()) as client:
        said = await client.say("add 1", "s", headers=token(**{"https://example.com/org": "initech"}))
    assert said.is_success
    assert await house.sessions("initech") == ["s"]


async def test_a_token_and_an_agents_own_view_have_to_agree(build: Callable[..., House], mode: str) -> None:
    house = build(mode, resolve=["binding", "claim"], claim="org.id")
    async with serving(house, agents=[clerk(house.router.for_tenant("acme"))], **with_tokens()) as client:
        assert (await client.say("add 1", "s", headers=token("acme"))).is_success
        answer = await client.say("add 1", "s", headers=token("globex"))
    assert (answer.status_code, answer.json()["error_id"]) == (403, "tenant_conflict")
    assert await house.sessions("globex") == []
