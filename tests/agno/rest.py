"""AgentOS over a live db, asked through its REST API in the test's own event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from agno.agent import Agent
from agno.approval import approval
from agno.knowledge import Knowledge
from agno.os import AgentOS
from agno.tools import tool
from fastapi import FastAPI

from dbrouter.testing.scripted_model import Call, Say, ScriptedModel
from dbrouter.testing.word_shelf import WordShelf
from tests.agno.cast import clerk
from tests.agno.live import Live
from tests.agno.test_teams_and_workflows import digest, office

URL = "http://agentos"


@approval
@tool
def restart(name: str) -> str:
    """Restart a service; somebody has to approve it first."""
    return f"{name} restarted"


@dataclass(kw_only=True)
class Rest:
    """A client of one AgentOS. Every call has to succeed unless the test names another status."""

    client: httpx.AsyncClient
    app: FastAPI

    async def call(self, verb: str, path: str, *, status: int | None = None, **options: Any) -> Any:
        """Ask a route and give its JSON, `None` where it has none."""
        response = await self.client.request(verb, path, **options)
        assert response.is_success if status is None else response.status_code == status, response.text
        return response.json() if response.content else None

    async def get(self, path: str, **query: Any) -> Any:
        """Ask a route with `GET`."""
        return await self.call("GET", path, params=query)

    async def say(self, to: str, message: str, session: str, user: str | None = None) -> Any:
        """Run a component, not streaming."""
        form = {"message": message, "session_id": session, "stream": "false"}
        return await self.call("POST", f"/{to}/runs", data=form | ({"user_id": user} if user else {}))


@asynccontextmanager
async def serving(live: Live, *, also: Sequence[Agent] = (), **options: Any) -> AsyncIterator[Rest]:
    """Start an AgentOS with two agents, a team, a workflow and a knowledge base, all on the live db.

    also: agents of the test's own.
    """
    keeper = ScriptedModel.saying(Call(tool="restart", arguments={"name": "{text}"}), Say(text="Done: {result}"))
    agent_os = AgentOS(
        id="office-os",
        agents=[
            clerk(live.db, session_state={"total": 0}),
            clerk(live.db, id="ops-bot", model=keeper, tools=[restart]),
            *also,
        ],
        teams=[office(live.db)],
        workflows=[digest(live.db)],
        knowledge=[Knowledge(name="handbook", contents_db=live.db, vector_db=WordShelf())],
        db=live.db,
        telemetry=False,
        **options,
    )
    app = agent_os.get_app()
    async with app.router.lifespan_context(app):
        # An error of the app is a 500 to a client, as it is over a socket.
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
            yield Rest(client=client, app=app)
