"""AgentOS as an MCP server: each call is its token's tenant, also where a session of MCP's lasts over many calls."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.tenancy.agno.house import House, serving, token, with_tokens

CLAIM = {"resolve": ["binding", "claim"], "claim": "org.id"}
ACCEPTED = {"Accept": "application/json, text/event-stream"}
SESSION = "mcp-session-id"


class McpClient:
    """A client that opens one session and keeps it, whatever token it sends later."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._kept: dict[str, str] = {}
        self._number = 0

    async def open(self, bearer: dict[str, str]) -> McpClient:
        """Begin a session of the kind that is kept."""
        client = {"name": "test", "version": "1"}
        asked = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client}
        answer = await self._post("initialize", asked, bearer)
        self._kept = {SESSION: answer.headers[SESSION]}
        return self

    async def call(self, bearer: dict[str, str], tool: str, **arguments: Any) -> Any:
        """What a tool answers."""
        answer = await self._post("tools/call", {"name": tool, "arguments": arguments}, bearer)
        assert answer.status_code == 200, answer.text
        told = [json.loads(line.removeprefix("data:")) for line in answer.text.splitlines() if line.startswith("data:")]
        return next(each["result"] for each in told if "result" in each)

    async def sessions(self, bearer: dict[str, str]) -> list[str]:
        """The ids that the tool lists."""
        found = await self.call(bearer, "get_sessions", session_type="agent")
        return [each["session_id"] for each in found["structuredContent"]["data"]]

    async def _post(self, method: str, params: dict[str, Any], bearer: dict[str, str]) -> httpx.Response:
        self._number += 1
        said = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        return await self._http.post("/mcp", json=said, headers={**ACCEPTED, **bearer, **self._kept})


async def test_each_token_runs_and_sees_its_own_tenants(build: Callable[..., House], mode: str) -> None:
    house = build(mode, **CLAIM)
    async with serving(house, mcp=True, **with_tokens()) as client:
        for number, whose in enumerate(("acme", "globex", "initech"), start=1):
            theirs = await McpClient(client.http).open(token(whose))
            for turn in (1, 2):
                said = await theirs.call(
                    token(whose), "run_agent", agent_id="clerk", message=f"add {number}", session_id="s"
                )
                assert said["structuredContent"]["content"] == f"total {turn * number}"
            assert await theirs.sessions(token(whose)) == ["s"]
    for whose in ("acme", "globex", "initech"):
        assert await house.sessions(whose) == ["s"]


async def test_who_knows_anothers_session_of_mcp_gets_their_own_rows(build: Callable[..., House], mode: str) -> None:
    house = build(mode, **CLAIM)
    async with serving(house, mcp=True, **with_tokens()) as client:
        acmes = await McpClient(client.http).open(token("acme"))
        await acmes.call(token("acme"), "run_agent", agent_id="clerk", message="add 1", session_id="a")
        assert await acmes.sessions(token("globex")) == []
        await acmes.call(token("globex"), "run_agent", agent_id="clerk", message="add 2", session_id="g")
        assert await acmes.sessions(token("acme")) == ["a"]
    assert await house.sessions("acme") == ["a"]
    assert await house.sessions("globex") == ["g"]


@pytest.mark.parametrize("org", [None, "nobody", "umbrella"])
async def test_a_token_of_nobody_is_refused_in_a_tenants_session(
    build: Callable[..., House], mode: str, org: str | None
) -> None:
    house = build(mode, **CLAIM)
    async with serving(house, mcp=True, **with_tokens()) as client:
        acmes = await McpClient(client.http).open(token("acme"))
        await acmes.call(token("acme"), "run_agent", agent_id="clerk", message="add 1", session_id="a")
        refused = await acmes.call(token(org), "get_sessions", session_type="agent")
    assert refused["isError"] is True
    assert "structuredContent" not in refused
