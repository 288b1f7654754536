"""An AgentOS with a durable queue: in a test's own process, and in one of its own that the test kills.

`python -m tests.agno.durable_os dbrouter.yaml blocking folder` works at the queue until it is killed.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from agno.job_queue import QueueConfig
from agno.os import AgentOS
from agno.run import RunContext
from fastapi import FastAPI

from tests.agno.cast import add, clerk, stumble
from tests.agno.rest import URL, Rest

LASTS = 0.4
"""Seconds that a job takes."""
NEVER_ENDS = 600
"""Seconds that a job takes of a worker who is killed in the middle of one."""


def working(db: Any, folder: Path, name: str, *, lasts: float = LASTS, **queue: Any) -> FastAPI:
    """The app of an AgentOS whose clerk takes its time, and notes in a file what it begins and ends."""

    def add_slowly(run_context: RunContext, amount: int) -> str:
        """Add to the total of this conversation."""
        (folder / f"begun {name} {run_context.run_id}").touch()
        time.sleep(lasts)
        answer = add(run_context, amount)
        with (folder / f"ended {run_context.run_id}").open("a", encoding="utf-8") as ended:
            ended.write(f"{name}\n")
        return answer

    add_slowly.__name__ = "add"
    given = {"durable": True, "poll_interval": 0.05, "lock_grace_seconds": 3, "retry_delay_seconds": 0, **queue}
    agent = clerk(db, tools=[add_slowly, stumble], session_state={"total": 0})
    return AgentOS(id="durable-os", agents=[agent], db=db, telemetry=False, queue=QueueConfig(**given)).get_app()


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[Rest]:
    """A client of the app, whose worker works meanwhile."""
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
            yield Rest(client=client, app=app)


async def _work(config: str, mode: str, folder: str, attempts: str) -> None:
    from dbrouter import AsyncDbRouter, DbRouter

    router: Any = DbRouter if mode == "blocking" else AsyncDbRouter
    options = {"lasts": NEVER_ENDS, "max_attempts": int(attempts), "max_concurrency": 2}
    app = working(router.from_yaml(config), Path(folder), "other", **options)
    async with app.router.lifespan_context(app):
        (Path(folder) / "ready").touch()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_work(*sys.argv[1:]))
