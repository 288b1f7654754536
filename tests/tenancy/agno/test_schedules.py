"""AgentOS's scheduler, which knows no tenant: each schedule is claimed, run, recorded and released as its tenant's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from agno.scheduler import ScheduleExecutor, ScheduleManager, SchedulePoller

from dbrouter import protect, tenant
from tests.tenancy.agno.house import URL, Client, House, answered, serving, with_tokens
from tests.tenancy.agno.test_requests import HEADER
from tests.waiting import first_true

LONG_AGO = 1_000_000
TENANTS = ("acme", "globex", "initech")


async def planned(house: House, whose: str, name: str, **options: Any) -> str:
    """A schedule of a tenant that says "add 3" to the clerk, and has been due for long."""
    payload = {"message": "add 3", "session_id": f"{name}-session"}
    options = {"cron": "0 3 * * *", "endpoint": "/agents/clerk/runs", "payload": payload, **options}
    manager = ScheduleManager(house.router.for_tenant(whose))
    blocking = hasattr(house.router, "upsert_session") and not asyncio.iscoroutinefunction(house.router.upsert_session)
    schedule = manager.create(name, **options) if blocking else await manager.acreate(name, **options)
    await house.ask(whose, "update_schedule", schedule.id, next_run_at=LONG_AGO)
    return schedule.id


def poller_of(client: Client) -> SchedulePoller:
    """AgentOS's own poller, whose executor reaches the app in this process instead of over a socket."""
    poller = client.app.state.scheduler_poller
    # As a socket would: a call over it takes nothing of the caller's context along.
    poller.executor._client = httpx.AsyncClient(transport=Apart(client.app), base_url=URL)
    poller.executor.poll_interval = 0
    return poller


class Apart(httpx.ASGITransport):
    """Serves each request in a context of its own."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        from contextvars import Context

        return await asyncio.get_running_loop().create_task(super().handle_async_request(request), context=Context())


SCHEDULER: dict[str, Any] = {
    "scheduler": True,
    "scheduler_base_url": URL,
    "scheduler_poll_interval": 3600,
    "internal_service_token": "the internal token",
}


async def released(house: House, whose: str, schedule: str) -> Any:
    """The schedule, once it was run and released."""

    async def look() -> Any:
        found = await house.ask(whose, "get_schedule", schedule)
        return found if found["locked_by"] is None and found["next_run_at"] != LONG_AGO else None

    return await first_true(look)


async def test_due_schedules_of_all_tenants_run_as_their_own(build: Callable[..., House], mode: str) -> None:
    house = build(mode, **HEADER)
    async with serving(house, **SCHEDULER, **with_tokens()) as client:
        poller = poller_of(client)
        schedules = {whose: await planned(house, whose, f"{whose}-morning") for whose in TENANTS}
        await poller._poll_once()
        for whose, schedule in schedules.items():
            await released(house, whose, schedule)
            runs, total = await house.ask(whose, "get_schedule_runs", schedule)
            assert total == 1
            assert (runs[0]["status"], runs[0]["error"]) == ("success", None)
            assert await house.sessions(whose) == [f"{whose}-morning-session"]


async def test_an_unsigned_call_of_the_scheduler_is_refused_and_recorded_at_the_tenants(
    build: Callable[..., House],
) -> None:
    house = build("async", **HEADER)
    async with serving(house, **SCHEDULER) as client:
        poller = poller_of(client)

        async def unsigned() -> httpx.AsyncClient:
            return httpx.AsyncClient(transport=Apart(client.app), base_url=URL)

        poller.executor._get_client = unsigned
        schedule = await planned(house, "acme", "morning")
        await poller._poll_once()
        await released(house, "acme", schedule)
    runs, _ = await house.ask("acme", "get_schedule_runs", schedule)
    assert (runs[0]["status"], runs[0]["status_code"]) == ("failed", 400)
    assert "tenant_missing" in runs[0]["error"]


async def test_a_schedule_that_is_triggered_by_hand_runs_as_the_tenants(build: Callable[..., House], mode: str) -> None:
    house = build(mode, **HEADER)
    async with serving(house, **SCHEDULER) as client:
        poller_of(client)
        schedule = await planned(house, "globex", "by-hand")
        triggered = await client.http.post(
            f"/schedules/{schedule}/trigger",
            headers={"X-Tenant": "globex"},
        )
        assert triggered.json()["status"] == "success", triggered.text
    assert await house.sessions("globex") == ["by-hand-session"]
    assert await house.sessions("acme") == []


async def test_who_claims_is_bound_to_nobody(build: Callable[..., House], mode: str) -> None:
    house = build(mode)
    ids = [await planned(house, whose, "due") for whose in ("acme", "globex")]
    claimed = [await answered(house.router.claim_due_schedule("worker")) for _ in range(3)]
    assert {each["id"] for each in claimed if each} == set(ids)
    assert claimed[-1] is None
    from dbrouter import MissingTenant

    with pytest.raises(MissingTenant):
        await answered(house.router.get_sessions())
    with tenant("initech"):
        assert await answered(house.router.get_sessions()) == []


async def test_the_executing_task_cannot_reach_another_tenants_schedule(build: Callable[..., House], mode: str) -> None:
    house = build(mode)
    others = await planned(house, "globex", "others")
    await house.ask("globex", "update_schedule", others, enabled=False)
    own = await planned(house, "acme", "own")
    claimed = await answered(house.router.claim_due_schedule("worker"))
    assert claimed["id"] == own

    async def execute() -> Any:
        return await answered(house.router.get_schedule(own)), await answered(house.router.get_schedule(others))

    found, foreign = await asyncio.create_task(execute())
    assert found["id"] == own
    assert foreign is None


def test_protecting_twice_signs_once(build: Callable[..., House]) -> None:
    from agno.os import AgentOS

    from tests.agno.cast import clerk

    house = build("blocking", **HEADER)
    for _ in range(2):
        protect(AgentOS(agents=[clerk(house.router)], db=house.router, telemetry=False, **SCHEDULER))
    executor = ScheduleExecutor(base_url=URL, internal_service_token="token")

    async def hooks() -> int:
        first = await executor._get_client()
        second = await executor._get_client()
        assert first is second
        count = len(first.event_hooks["request"])
        await executor.close()
        return count

    assert asyncio.run(hooks()) == 1
    house.router.close()
