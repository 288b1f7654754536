"""A websocket is authenticated after it is open, by a message: its tenant is the accepted token's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI, WebSocket
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from dbrouter import protect
from tests.agno.test_teams_and_workflows import digest
from tests.tenancy.agno.house import Client, House, serving, token, with_tokens
from tests.tenancy.agno.test_claims import CLAIM
from tests.waiting import PATIENCE

ENDED = ("WorkflowCompleted", "WorkflowError", "error")


class Socket:
    """A websocket's client, in this loop and without a network."""

    def __init__(self, app: Any) -> None:
        self._in: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._out: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        scope = {
            "type": "websocket",
            "path": "/workflows/ws",
            "raw_path": b"/workflows/ws",
            "query_string": b"",
            "headers": [],
            "subprotocols": [],
        }
        self._task = asyncio.create_task(app(scope, self._in.get, self._out.put))

    async def say(self, **message: Any) -> None:
        """Send a message."""
        await self._in.put({"type": "websocket.receive", "text": json.dumps(message)})

    async def hear(self, *last: str) -> list[dict[str, Any]]:
        """What comes until one of these events."""
        heard: list[dict[str, Any]] = []
        while not heard or heard[-1].get("event") not in last:
            message = await asyncio.wait_for(self._out.get(), timeout=PATIENCE)
            # A run's events come as they would in a stream: `event: ...` and `data: {...}`.
            heard.append(json.loads(message["text"].rpartition("data: ")[2]) if "text" in message else message)
        return heard

    async def authenticate(self, org: str | None, **options: Any) -> str:
        """How AgentOS answers a token."""
        signed = token(org, **options)["Authorization"].removeprefix("Bearer ")
        await self.say(action="authenticate", token=signed)
        return (await self.hear("authenticated", "auth_error"))[-1]["event"]

    async def run(self, session: str) -> list[dict[str, Any]]:
        """What comes of a workflow's run."""
        await self.say(action="start-workflow", workflow_id="digest", message="hello", session_id=session)
        return await self.hear(*ENDED)

    async def close(self) -> None:
        """Hang up."""
        await self._in.put({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait([self._task], timeout=PATIENCE)


@asynccontextmanager
async def connected(client: Client) -> AsyncIterator[Socket]:
    """An open websocket."""
    socket = Socket(client.app)
    await socket._in.put({"type": "websocket.connect"})
    await socket.hear("connected")
    yield socket
    await socket.close()


def served(house: House) -> Any:
    """An AgentOS with a workflow, which wants tokens."""
    return serving(house, workflows=[digest(house.router)], **with_tokens())


async def test_a_workflow_over_a_websocket_is_the_tokens_tenants(build: Callable[..., House], mode: str) -> None:
    house = build(mode, **CLAIM)
    async with served(house) as client:
        for whose in ("acme", "initech"):
            async with connected(client) as socket:
                assert await socket.authenticate(whose) == "authenticated"
                assert (await socket.run(f"{whose}-s"))[-1]["event"] == "WorkflowCompleted"
    assert await house.sessions("acme") == ["acme-s"]
    assert await house.sessions("initech") == ["initech-s"]


async def test_a_websocket_of_one_tenant_cannot_become_anothers(build: Callable[..., House], mode: str) -> None:
    house = build(mode, **CLAIM)
    async with served(house) as client, connected(client) as socket:
        assert await socket.authenticate("acme") == "authenticated"
        assert (await socket.run("first"))[-1]["event"] == "WorkflowCompleted"
        assert await socket.authenticate("globex") == "authenticated"
        told = await socket.run("second")
        assert told[-1]["event"] != "WorkflowCompleted"
        assert "acme" not in str(told)
    assert await house.sessions("globex") == []
    assert await house.sessions("acme") == ["first"]


async def test_a_token_that_was_not_accepted_says_nothing(build: Callable[..., House], mode: str) -> None:
    house = build(mode, **CLAIM)
    async with served(house) as client, connected(client) as socket:
        assert await socket.authenticate("acme", key="another secret that is just as long") == "auth_error"
        assert await socket.authenticate(None) == "authenticated"
        assert (await socket.run("nobodys"))[-1]["event"] != "WorkflowCompleted"
    for whose in ("acme", "globex", "initech"):
        assert await house.sessions(whose) == []


@pytest.mark.parametrize("accepts_first", [True, False])
def test_a_refused_websocket_of_ones_own_is_closed(build: Callable[..., House], accepts_first: bool) -> None:
    house = build("blocking", resolve=["binding", "request"], header="X-Tenant")
    app = FastAPI()

    @app.websocket("/sessions")
    async def sessions(websocket: WebSocket) -> None:
        if accepts_first:
            await websocket.accept()
        found = house.router.get_sessions()
        if not accepts_first:
            await websocket.accept()
        await websocket.send_json(found)

    client = TestClient(protect(app, db=house.router))
    with client.websocket_connect("/sessions", headers={"X-Tenant": "acme"}) as own:
        assert own.receive_json() == []
    with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect("/sessions") as nobodys:
        nobodys.receive_json()
    assert refused.value.code == 1008
