"""The durable queue: a job that one process accepted for a tenant is that tenant's on another process's worker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from dbrouter import tenant
from tests.agno.cast import clerk
from tests.tenancy.agno.house import House, answered


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


@pytest.mark.xfail(strict=True, raises=AttributeError, reason="dbrouter does not serve the family `jobs` yet")
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
