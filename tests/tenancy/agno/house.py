"""An AgentOS for tenants, asked over HTTP, and what each tenant has afterwards."""

from __future__ import annotations

import inspect
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
from agno.os import AgentOS
from agno.os.authz import Authorization
from fastapi import FastAPI

from dbrouter import protect
from tests.agno.cast import clerk

URL = "http://agentos"
SECRET = "a secret that is long enough for the algorithm"


@dataclass(kw_only=True)
class House:
    """A router with tenants."""

    router: Any

    async def ask(self, whose: Any, method: str, *arguments: Any, **options: Any) -> Any:
        """A tenant's answer, asked of its view where no request and no context is."""
        return await answered(getattr(self.router.for_tenant(whose), method)(*arguments, **options))

    async def sessions(self, whose: str) -> list[str]:
        """The ids of a tenant's sessions."""
        found, _ = await self.ask(whose, "get_sessions", deserialize=False)
        return sorted(each["session_id"] for each in found)


async def answered(value: Any) -> Any:
    """The value, waited for if it has to be."""
    return await value if inspect.isawaitable(value) else value


@dataclass(kw_only=True)
class Client:
    """A client of one AgentOS."""

    http: httpx.AsyncClient
    app: FastAPI

    async def get(self, path: str, **options: Any) -> httpx.Response:
        """What a route answers."""
        return await self.http.get(path, **options)

    async def say(self, message: str, session: str, **options: Any) -> httpx.Response:
        """What the clerk answers, or whom the path names."""
        form = {"message": message, "session_id": session, "stream": "false", **options.pop("form", {})}
        return await self.http.post(options.pop("path", "/agents/clerk/runs"), data=form, **options)


@asynccontextmanager
async def serving(
    house: House,
    *,
    made: Callable[[AgentOS], Any] = protect,
    agents: list[Any] | None = None,
    **options: Any,
) -> AsyncIterator[Client]:
    """Start an AgentOS on the router, its app made as a user of tenancy makes it."""
    options = {"id": "house-os", "db": house.router, "telemetry": False, **options}
    app = made(AgentOS(agents=agents or [clerk(house.router)], **options))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=URL) as http:
            yield Client(http=http, app=app)


def with_tokens() -> dict[str, Any]:
    """The options of an AgentOS that wants signed tokens."""
    return {"authorization": Authorization(verification_keys=[SECRET], algorithm="HS256")}


def token(org: Any = None, *, key: str = SECRET, **claims: Any) -> dict[str, str]:
    """The header with a token of an administrator of an organisation."""
    now = int(time.time())
    payload = {"sub": "ada", "iat": now, "exp": now + 600, "scopes": ["agent_os:admin"], **claims}
    if org is not None:
        payload["org"] = {"id": org}
    return {"Authorization": f"Bearer {jwt.encode(payload, key, algorithm='HS256')}"}
