"""A process of its own that serves tenants with tracing on, for `test_traces`: OpenTelemetry has one provider a process.

Prints, for each tenant, what it can see of traces afterwards.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from agno.tracing import setup_tracing
from opentelemetry import trace as trace_api

from dbrouter import AsyncDbRouter, DbRouter
from dbrouter.config import load_mapping
from tests.agno.cast import clerk
from tests.tenancy.agno.house import House, serving

TENANTS = ("acme", "globex", "initech")


async def main(mode: str, processing: str, how: str, settings: dict[str, Any]) -> None:
    """Let each tenant talk to the clerk, at once and several times, and look at their traces."""
    router = (DbRouter if mode == "blocking" else AsyncDbRouter).from_settings(load_mapping(settings))
    house = House(router=router)
    setup_tracing(router, batch_processing=processing == "batch", schedule_delay_millis=50)
    if how == "views":
        # No request and no context says whose it is: only the view that the agent has.
        for whose in TENANTS:
            agent = clerk(router.for_tenant(whose))
            if mode == "blocking":
                agent.run("add 1", session_id=f"{whose}-0", user_id=whose)
            else:
                await agent.arun("add 1", session_id=f"{whose}-0", user_id=whose)
    else:
        async with serving(house) as client:
            said = [
                client.say("add 1", f"{whose}-{turn}", headers={"X-Tenant": whose}, form={"user_id": whose})
                for turn in range(3)
                for whose in TENANTS
            ]
            assert all(each.is_success for each in await asyncio.gather(*said))
    await asyncio.to_thread(trace_api.get_tracer_provider().force_flush)  # type: ignore[attr-defined]
    if others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others, timeout=20)
    seen: dict[str, Any] = {}
    for whose in TENANTS:
        traces, total = await house.ask(whose, "get_traces", limit=100)
        spans = [span for each in traces for span in await house.ask(whose, "get_spans", trace_id=each.trace_id)]
        seen[whose] = {
            "total": total,
            "users": _said(spans, "user.id"),
            "sessions": _said(spans, "session.id"),
            "spans": len(spans),
            "stamps": _said(spans, "dbrouter.tenant"),
        }
    sys.stdout.write(json.dumps(seen) + "\n")


def _said(spans: list[Any], attribute: str) -> list[str]:
    return sorted({span.attributes[attribute] for span in spans if attribute in span.attributes})


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4], json.loads(sys.argv[4])))
