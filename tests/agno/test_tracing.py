"""agno's span exporter on a router, span by span and in batches, and `setup_tracing` in a process of its own."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from agno.tracing.exporter import DatabaseSpanExporter
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.trace import StatusCode, Tracer

from tests.agno.conftest import EVERY_SERVED, ROUTES
from tests.agno.live import DATABASES, Live
from tests.agno.rest import serving

PROCESSORS: list[type[SpanProcessor]] = [SimpleSpanProcessor, BatchSpanProcessor]


@pytest.fixture(params=PROCESSORS, ids=["one by one", "in batches"])
def processor(request: pytest.FixtureRequest) -> Callable[[DatabaseSpanExporter], SpanProcessor]:
    return request.param


def run_spans(tracer: Tracer, agent: str, *, session: str, tools: int = 2, broken: bool = False) -> str:
    """The spans of an agent's run as agno's instrumentation makes them; gives the trace's id."""
    attributes = {"agno.agent.id": agent, "session.id": session, "user.id": "ada", "agno.run.id": f"{session}-run"}
    with tracer.start_as_current_span(f"{agent}.run", attributes=attributes) as root:
        for number in range(tools):
            with tracer.start_as_current_span(f"tool {number}", attributes={"openinference.span.kind": "TOOL"}) as span:
                if broken:
                    span.set_status(StatusCode.ERROR, "the floor is wet")
    return f"{root.get_span_context().trace_id:032x}"


async def flushed(provider: TracerProvider) -> None:
    """Wait until everything is written, in the exporter's thread or in tasks of this loop."""
    await asyncio.to_thread(provider.force_flush)
    if others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others, timeout=20)


async def test_the_spans_of_a_run_become_one_trace(
    live: Live, processor: Callable[[DatabaseSpanExporter], SpanProcessor]
) -> None:
    provider = TracerProvider()
    provider.add_span_processor(processor(DatabaseSpanExporter(db=live.db)))
    tracer = provider.get_tracer("test")
    traces = [run_spans(tracer, agent, session=f"s-{agent}") for agent in ("clerk", "ops-bot")]
    await flushed(provider)

    for trace_id, agent in zip(traces, ("clerk", "ops-bot"), strict=True):
        trace = await live.ask("get_trace", trace_id=trace_id)
        assert (trace.name, trace.status, trace.total_spans) == (f"{agent}.run", "OK", 3)
        assert (trace.agent_id, trace.session_id, trace.user_id) == (agent, f"s-{agent}", "ada")
        assert (await live.ask("get_trace", run_id=f"s-{agent}-run")).trace_id == trace_id
        spans = await live.ask("get_spans", trace_id=trace_id)
        assert sorted(span.name for span in spans) == [f"{agent}.run", "tool 0", "tool 1"]
    listed, total = await live.ask("get_traces", limit=1, page=2)
    assert (len(listed), total) == (1, 2)
    provider.shutdown()


async def test_a_broken_tool_is_counted_in_its_trace(
    live: Live, processor: Callable[[DatabaseSpanExporter], SpanProcessor]
) -> None:
    provider = TracerProvider()
    provider.add_span_processor(processor(DatabaseSpanExporter(db=live.db)))
    trace_id = run_spans(provider.get_tracer("test"), "clerk", session="s", broken=True)
    await flushed(provider)

    trace = await live.ask("get_trace", trace_id=trace_id)
    assert (trace.error_count, trace.total_spans) == (2, 3)
    provider.shutdown()


async def test_an_error_is_not_forgotten_when_the_root_span_ends_well(
    routed: Live, processor: Callable[[DatabaseSpanExporter], SpanProcessor]
) -> None:
    # agno lets the last batch of spans decide, so the root, which ends last, hides its children's errors.
    provider = TracerProvider()
    provider.add_span_processor(processor(DatabaseSpanExporter(db=routed.db)))
    trace_id = run_spans(provider.get_tracer("test"), "clerk", session="s", broken=True)
    await flushed(provider)

    assert (await routed.ask("get_trace", trace_id=trace_id)).status == "ERROR"
    _, total = await routed.ask("get_traces", status="ERROR")
    assert total == 1
    provider.shutdown()


@EVERY_SERVED
async def test_traces_are_listed_searched_and_counted_through_the_rest_api(live: Live) -> None:
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(DatabaseSpanExporter(db=live.db)))
    tracer = provider.get_tracer("test")
    traces = {session: run_spans(tracer, agent, session=session) for agent, session in
              (("clerk", "s1"), ("ops-bot", "o1"), ("clerk", "s2"), ("ops-bot", "o2"))}  # fmt: skip
    await flushed(provider)
    async with serving(live) as rest:
        pages = [await rest.get("/traces", limit=3, page=page) for page in (1, 2)]
        of_agent = await rest.get("/traces", agent_id="ops-bot")
        tree = await rest.get(f"/traces/{traces['s1']}")
        stats = await rest.get("/trace_session_stats")
        body = {"filter": {"op": "EQ", "key": "session_id", "value": "o2"}}
        found = await rest.call("POST", "/traces/search", json=body)

    assert [page["meta"]["total_count"] for page in pages] == [4, 4]
    seen = [trace["trace_id"] for page in pages for trace in page["data"]]
    assert seen == [traces[session] for session in ("o2", "s2", "o1", "s1")]
    assert {trace["trace_id"] for trace in of_agent["data"]} == {traces["o1"], traces["o2"]}
    assert tree["tree"][0]["name"] == "clerk.run"
    assert sorted(each["session_id"] for each in stats["data"]) == ["o1", "o2", "s1", "s2"]
    assert [trace["trace_id"] for trace in found["data"]] == [traces["o2"]]
    provider.shutdown()


PROGRAM = """
import asyncio, json, sys
from agno.tracing import setup_tracing
from opentelemetry import trace
from dbrouter import AsyncDbRouter, DbRouter
from tests.agno.cast import clerk

config, mode, batch = sys.argv[1], sys.argv[2], sys.argv[3] == "batch"
db = (DbRouter if mode == "blocking" else AsyncDbRouter).from_yaml(config)
setup_tracing(db, batch_processing=batch)
agent = clerk(db, session_state={})

async def main():
    if mode == "blocking":
        agent.run("add 3", session_id="s", user_id="ada")
    else:
        await agent.arun("add 3", session_id="s", user_id="ada")
    await asyncio.to_thread(trace.get_tracer_provider().force_flush)
    if others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others)
    found = db.get_traces() if mode == "blocking" else await db.get_traces()
    traces = [[each.name, each.agent_id, each.session_id, each.status, each.total_spans] for each in found[0]]
    trace.get_tracer_provider().shutdown()
    closed = db.close()
    if closed is not None:
        await closed
    print(json.dumps(traces))

asyncio.run(main())
"""


@pytest.mark.parametrize(("mode", "batch"), [("blocking", "one by one"), ("async", "batch")])
def test_setup_tracing_traces_a_run_into_the_database_of_traces(tmp_path: Path, mode: str, batch: str) -> None:
    databases = {name: {"kind": "sqlite", "path": f"{name}.db"} for name in DATABASES}
    config = tmp_path / "dbrouter.yaml"
    config.write_text(yaml.safe_dump({**ROUTES, "databases": databases}))
    # Only one TracerProvider can be installed in a process.
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(config), mode, batch],
        capture_output=True, text=True, timeout=120, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    traces: list[Any] = json.loads(done.stdout.splitlines()[-1])
    name = "Agent.run" if mode == "blocking" else "Agent.arun"
    assert traces == [[name, "clerk", "s", "OK", 2]]
