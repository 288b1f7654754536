"""agno's scheduler on a router: claimed once, run through AgentOS, recorded."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
from agno.scheduler import ScheduleExecutor, ScheduleManager, SchedulePoller

from tests.agno.conftest import EVERY_DB
from tests.agno.live import Live
from tests.agno.rest import URL, Rest, serving
from tests.waiting import first_true

LONG_AGO = 1_000_000


async def planned(live: Live, name: str, **options: Any) -> str:
    """A schedule that says "add 3" to the clerk, and has been due for long."""
    payload = {"message": "add 3", "session_id": f"{name}-session"}
    options = {"cron": "0 3 * * *", "endpoint": "/agents/clerk/runs", "payload": payload, **options}
    manager = ScheduleManager(live.db)
    schedule = manager.create(name, **options) if live.blocking else await manager.acreate(name, **options)
    await live.ask("update_schedule", schedule.id, next_run_at=LONG_AGO)
    return schedule.id


def executor_for(rest: Rest) -> ScheduleExecutor:
    """An executor that reaches the app in this process instead of over a socket."""
    executor = ScheduleExecutor(base_url=URL, internal_service_token="token", poll_interval=0)
    executor._client = httpx.AsyncClient(transport=httpx.ASGITransport(rest.app))
    return executor


async def polled(live: Live, rest: Rest) -> None:
    """Let a poller claim and run what is due, until nothing is."""
    poller = SchedulePoller(live.db, executor_for(rest), poll_interval=0)
    await poller.start()

    async def none_is_due() -> bool:
        return all(each["next_run_at"] != LONG_AGO for each in (await live.ask("get_schedules"))[0])

    await first_true(none_is_due, "the end of what is due")
    await poller.stop()


async def test_a_due_schedule_is_claimed_run_and_planned_again(live: Live) -> None:
    schedule_id = await planned(live, "morning")
    async with serving(live) as rest:
        await polled(live, rest)
        runs = await rest.get(f"/schedules/{schedule_id}/runs")
        schedule = await rest.get(f"/schedules/{schedule_id}")

    assert runs["meta"]["total_count"] == 1
    (run,) = runs["data"]
    assert (run["status"], run["session_id"], run["error"]) == ("success", "morning-session", None)
    session = await live.ask("get_session", session_id="morning-session")
    assert session.session_data["session_state"] == {"total": 3}
    assert session.runs[0].run_id == run["run_id"]
    assert schedule["next_run_at"] > time.time()
    assert (await live.ask("get_schedule", schedule_id))["locked_by"] is None


@EVERY_DB
async def test_eight_workers_claim_each_due_schedule_once(live: Live) -> None:
    planned_ids = {await planned(live, f"job {number}") for number in range(6)}

    async def claim(worker: int) -> list[str]:
        claimed: list[str] = []
        while True:
            if live.blocking:
                schedule = await asyncio.to_thread(live.db.claim_due_schedule, f"worker-{worker}")
            else:
                schedule = await live.db.claim_due_schedule(f"worker-{worker}")
            if schedule is None:
                return claimed
            claimed.append(schedule["id"])

    claimed = [each for some in await asyncio.gather(*map(claim, range(8))) for each in some]
    assert sorted(claimed) == sorted(planned_ids)


async def test_schedules_are_made_listed_changed_and_deleted_through_the_rest_api(live: Live) -> None:
    async with serving(live, scheduler=True, scheduler_base_url=URL) as rest:
        rest.app.state.scheduler_executor._client = httpx.AsyncClient(transport=httpx.ASGITransport(rest.app))
        rest.app.state.scheduler_executor.poll_interval = 0
        body = {"cron_expr": "0 3 * * *", "endpoint": "/agents/clerk/runs", "payload": {"message": "add 3"}}
        made = [await rest.call("POST", "/schedules", json={"name": f"job {number}", **body}) for number in range(3)]
        await rest.call("POST", "/schedules", json={"name": "job 0", **body}, status=409)
        listed = await rest.get("/schedules", limit=2, page=2)
        path = f"/schedules/{made[0]['id']}"
        await rest.call("PATCH", path, json={"cron_expr": "0 4 * * *"})
        assert (await rest.get(path))["cron_expr"] == "0 4 * * *"
        await rest.call("POST", f"{path}/disable")
        await rest.call("POST", f"{path}/trigger", status=409)
        await rest.call("POST", f"{path}/enable")
        run = await rest.call("POST", f"{path}/trigger")
        recorded = await rest.get(f"{path}/runs/{run['id']}")
        await rest.call("DELETE", path)
        await rest.call("GET", path, status=404)
        left = await rest.get("/schedules")

    assert (listed["meta"]["total_count"], len(listed["data"])) == (3, 1)
    assert (run["status"], recorded["status"]) == ("success", "success")
    assert sorted(each["name"] for each in left["data"]) == ["job 1", "job 2"]
