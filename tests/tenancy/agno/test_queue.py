"""The durable queue: a job that one process accepted for a tenant is that tenant's on another process's worker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from agno.job_queue import QueueConfig
from agno.session import AgentSession

from dbrouter import tenant
from tests.agno.cast import clerk
from tests.tenancy.agno.house import Client, House, answered, serving, token, with_tokens
from tests.waiting import first_true


def accepted(job: str, session: str) -> dict[str, Any]:
    """A job as AgentOS's door accepts it."""
    now = int(time.time())
    return {
        "id": job,
        "component_type": "agent",
        "component_id": "clerk",
        "job_type": "run",
        "session_id": session,
        "user_id": "ada",
        "payload": {"message": "add 3"},
        "status": "queued",
        "attempt": 0,
        "max_attempts": 3,
        "available_at": now - 10,
        "created_at": now - 10,
    }


async def test_a_job_on_another_worker_is_the_tenants_whose_request_was_accepted(
    build: Callable[..., House], mode: str
) -> None:
    accepting, working = build(mode), build(mode)
    for whose in ("acme", "globex"):
        with tenant(whose):
            await answered(accepting.router.enqueue_job(accepted(f"{whose}-job", f"{whose}-session")))

    async def execute(job: dict[str, Any]) -> None:
        agent = clerk(working.router)
        if mode == "blocking":
            agent.run("add 3", session_id=job["session_id"])
        else:
            await agent.arun("add 3", session_id=job["session_id"])
        await answered(working.router.complete_job(job["id"], "worker-2", job["attempt"], "completed"))

    while job := await answered(working.router.claim_job("worker-2")):
        # As agno's worker does: the claimer goes on to claim, and a task of its own executes.
        await asyncio.create_task(execute(job))
    for whose in ("acme", "globex"):
        assert await accepting.sessions(whose) == [f"{whose}-session"]
        done = await accepting.ask(whose, "get_job", f"{whose}-job")
        assert done["status"] == "completed"


CLAIM = {"resolve": ["binding", "claim"], "claim": "org.id"}


async def settled(client: Client, whose: str, run: str) -> dict[str, Any]:
    """A tenant's job, when it is at its end."""

    async def look() -> dict[str, Any] | None:
        job: dict[str, Any] = (await client.get(f"/queue/jobs/{run}", headers=token(whose))).json()
        return job if job["status"] in {"completed", "failed", "cancelled"} else None

    return await first_true(look, "the end of the job")


async def test_agentos_executes_each_tenants_accepted_runs_as_the_tenants(
    build: Callable[..., House], mode: str
) -> None:
    house = build(mode, **CLAIM)
    queue = QueueConfig(durable=True, poll_interval=0.05)
    tenants = ("acme", "globex", "initech")
    async with serving(house, queue=queue, **with_tokens()) as client:
        runs: dict[str, list[str]] = {}
        for number in (1, 2):
            for whose in tenants:
                form = {"background": "true"}
                said = await client.say(f"add {number}", "one-id", form=form, headers=token(whose))
                assert said.status_code == 202, said.text
                runs.setdefault(whose, []).append(said.json()["run_id"])
        for whose in tenants:
            for run in runs[whose]:
                assert (await settled(client, whose, run))["status"] == "completed"
            listed = (await client.get("/queue/jobs", headers=token(whose))).json()
            assert sorted(each["id"] for each in listed["data"]) == sorted(runs[whose])
            stats = (await client.get("/queue/stats", headers=token(whose))).json()
            assert stats["counts"] == {"completed": 2}
        foreign = await client.get(f"/queue/jobs/{runs['acme'][0]}", headers=token("globex"))
        assert foreign.status_code == 404
        foreign = await client.get(
            f"/agents/clerk/runs/{runs['acme'][0]}", params={"session_id": "one-id"}, headers=token("globex")
        )
        assert foreign.status_code == 404
    for whose in tenants:
        session = await house.ask(whose, "get_session", session_id="one-id")
        assert session.session_data["session_state"] == {"total": 3}
        assert [each.run_id for each in session.runs] == runs[whose]


async def test_agentos_says_of_a_lost_tenants_run_that_it_failed(build: Callable[..., House], mode: str) -> None:
    house = build(mode, **CLAIM)
    queue = QueueConfig(durable=True, poll_interval=0.05)
    lost = {"status": "running", "locked_by": "dead", "locked_at": int(time.time()) - 1000, "attempt": 3}
    for whose in ("globex", "initech"):
        await house.ask(whose, "enqueue_job", {**accepted(f"{whose}-run", "one-id"), **lost})
        session = AgentSession(session_id="one-id", agent_id="clerk", user_id="ada")
        await house.ask(whose, "insert_session_if_absent", session)
        run = {"run_id": f"{whose}-run", "agent_id": "clerk", "status": "RUNNING"}
        await house.ask(whose, "append_run_to_session_if_absent", "one-id", run, "ada")
    async with serving(house, queue=queue, **with_tokens()) as client:
        for whose in ("globex", "initech"):
            job = await settled(client, whose, f"{whose}-run")
            assert (job["status"], "Worker lost" in job["error"]) == ("failed", True)
            run = await house.ask(whose, "get_run", f"{whose}-run")
            assert (run.status.value, run.content) == ("ERROR", job["error"])
    assert await house.ask("acme", "list_jobs") == ([], 0)
