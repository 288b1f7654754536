"""Runs that AgentOS knows by their ids in its own memory: their events are their tenant's, and so is ending them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from agno.exceptions import RunCancelledException
from agno.os.event_streams import InMemoryEventStream, get_event_stream
from agno.run import cancel
from agno.run.base import RunStatus
from agno.team import Team

from dbrouter import protect, tenant
from dbrouter.router.tenancy.run_ids import own_id
from dbrouter.testing.scripted_model import Call, Rule, Say, ScriptedModel
from tests.agno.cast import clerk, script
from tests.agno.test_teams_and_workflows import digest
from tests.tenancy.agno.house import Client, House, serving, token, with_tokens
from tests.tenancy.agno.test_claims import CLAIM
from tests.waiting import first_true

BY_HEADER = {"resolve": ["binding", "context", "request"], "header": "X-Tenant"}
WAYS: dict[str, tuple[dict[str, Any], dict[str, Any], Callable[[str], dict[str, str]]]] = {
    "header": (BY_HEADER, {}, lambda whose: {"X-Tenant": whose}),
    "token": (CLAIM, with_tokens(), token),
}
"""How requests say whose they are: the rules, AgentOS's options and a tenant's headers."""


async def streamed(client: Client, path: str, headers: dict[str, str]) -> str:
    """The id of a run in the background whose events came as a stream, to its end."""
    form = {"message": "what acme said", "session_id": path, "stream": "true", "background": "true"}
    said = await client.http.post(f"{path}/runs", data=form, headers=headers)
    events = [json.loads(line.removeprefix("data:")) for line in said.text.splitlines() if line.startswith("data:")]
    return next(event["run_id"] for event in events if "run_id" in event)


@pytest.mark.parametrize("way", WAYS)
async def test_the_events_of_a_run_are_shown_to_its_tenant_alone(
    build: Callable[..., House], mode: str, way: str
) -> None:
    rules, options, of = WAYS[way]
    house = build(mode, **rules)
    office = Team(id="office", model=script(), members=[clerk(None, id="m")], db=house.router, telemetry=False)
    async with serving(house, teams=[office], workflows=[digest(house.router)], **options) as client:
        for path in ("/agents/clerk", "/teams/office", "/workflows/digest"):
            run = await streamed(client, path, of("acme"))
            own, others = [
                await client.http.post(f"{path}/runs/{run}/resume", data={"session_id": path}, headers=of(whose))
                for whose in ("acme", "globex")
            ]
            assert "what acme said" in own.text, path
            assert "what acme said" not in others.text, path
            assert "not found" in others.text.lower(), path


async def test_a_run_is_ended_by_its_tenant_alone(build: Callable[..., House], mode: str) -> None:
    house = build(mode, **BY_HEADER)
    go_on = asyncio.Event()
    begun = asyncio.Event()

    async def wait() -> str:
        """Wait."""
        begun.set()
        await go_on.wait()
        return "waited"

    waiting = ScriptedModel(rules=(Rule(when="", steps=(Call(tool="wait"), Say(text="{result}"))),))
    slow = clerk(house.router, id="slow", model=waiting, tools=[wait])

    async with serving(house, agents=[slow]) as client:

        async def status_after(*headers: dict[str, str]) -> tuple[list[int], str]:
            """What those are answered who want to end a run of acme's, and what becomes of it."""
            go_on.clear()
            begun.clear()
            form = {"message": "wait", "session_id": "s1", "stream": "false", "background": "true"}
            acme = {"X-Tenant": "acme"}
            run = (await client.http.post("/agents/slow/runs", data=form, headers=acme)).json()["run_id"]
            await begun.wait()
            answers = [await client.http.post(f"/agents/slow/runs/{run}/cancel", headers=each) for each in headers]
            go_on.set()

            async def ended() -> str | None:
                found = await client.get(f"/agents/slow/runs/{run}?session_id=s1", headers=acme)
                status: str = found.json()["status"]
                return status if status in {"COMPLETED", "CANCELLED"} else None

            return [each.status_code for each in answers], await first_true(ended, "the end of the run")

        assert await status_after({"X-Tenant": "globex"}, {}) == ([200, 400], "COMPLETED")
        assert await status_after({"X-Tenant": "acme"}) == ([200], "CANCELLED")


async def test_ids_of_runs_are_a_tenants_own(build: Callable[..., House]) -> None:
    house = build("blocking", **BY_HEADER)
    async with serving(house):
        stream = get_event_stream()
        with tenant("acme"):
            await stream.register_run("r1", RunStatus.running)
            cancel.register_run("r1")
            assert cancel.cancel_run("r1")
            with pytest.raises(RunCancelledException, match=r"^Run r1 was cancelled$"):
                cancel.raise_if_cancelled("r1")
            assert cancel.get_active_runs()["r1"]
        with tenant("globex"):
            assert await stream.get_run_status("r1") is None
            assert "r1" not in cancel.get_active_runs()
            cancel.raise_if_cancelled("r1")
        with tenant("acme"):
            cancel.cleanup_run("r1")
            await stream.cleanup_run("r1")
            assert "r1" not in cancel.get_active_runs()
        # Code of no tenant ends whosever run it knows.
        cancel.cancel_run("r2")
        with tenant("acme"):
            assert cancel.is_cancelled("r2")
            cancel.cleanup_run("r2")
        assert not cancel.is_cancelled("r2")


async def test_no_id_that_is_written_like_a_tenants_leads_to_its_run(build: Callable[..., House], mode: str) -> None:
    house = build(mode, **BY_HEADER)
    async with serving(house) as client:
        run = await streamed(client, "/agents/clerk", {"X-Tenant": "acme"})
        written = own_id_of("acme", run)
        for headers in ({}, {"X-Tenant": "globex"}):
            path = f"/agents/clerk/runs/{quote(written, safe='')}/resume"
            told = await client.http.post(path, data={"session_id": "/agents/clerk"}, headers=headers)
            assert "what acme said" not in told.text, headers
    with tenant("acme"):
        assert await get_event_stream().get_run_status(run) is RunStatus.completed


def own_id_of(whose: str, run: str) -> str:
    """What agno's stream is told for a tenant's run."""
    with tenant(whose):
        return own_id(run)


async def test_protecting_twice_keeps_runs_apart_once(build: Callable[..., House]) -> None:
    house = build("blocking", **BY_HEADER)
    async with serving(house) as client:
        stream, manager = get_event_stream(), cancel.get_cancellation_manager()
        protect(client.app, db=house.router)
        assert (get_event_stream(), cancel.get_cancellation_manager()) == (stream, manager)
        assert not isinstance(stream, InMemoryEventStream)
