"""Which database the rows of real components are in, read from each database by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from agno.eval.reliability import ReliabilityEval
from agno.memory import MemoryManager
from agno.tracing.exporter import DatabaseSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

from dbrouter.testing.scripted_model import Call, Say, ScriptedModel
from tests.agno.cast import clerk
from tests.agno.conftest import ROUTERS, parameter
from tests.agno.live import Live
from tests.agno.rest import serving
from tests.agno.test_teams_and_workflows import digest, office
from tests.agno.test_tracing import flushed, run_spans


@pytest.fixture(params=[parameter(*each) for each in (*ROUTERS, ("mixed", "blocking"), ("mixed", "async"))])
def routed(request: pytest.FixtureRequest, open_live: Callable[[str, str], Live]) -> Live:
    """A router over databases of one kind, or of three."""
    return open_live(*request.param)


async def test_an_agents_rows_are_in_the_database_its_rule_names(routed: Live) -> None:
    await routed.run(clerk(routed.db), "hello", session_id="s", user_id="ada")
    await routed.run(clerk(routed.db, id="ops-bot"), "hello", session_id="o", user_id="ada")

    assert await routed.where("sessions", "session_id") == {"primary": ["s"], "ops": ["o"]}
    assert await routed.where("runs", "agent_id") == {"primary": ["clerk"], "ops": ["ops-bot"]}


async def test_a_team_with_a_routed_member_keeps_its_conversation_in_one_place(routed: Live) -> None:
    await routed.run(office(routed.db, member="ops-bot"), "hello", session_id="s")
    await routed.run(digest(routed.db), "hello", session_id="w")

    assert await routed.where("sessions", "session_id") == {"primary": ["s", "w"]}
    assert await routed.where("runs", "session_id") == {"primary": ["s", "s", "w"]}
    assert len((await routed.ask("get_session", session_id="s")).runs) == 2


async def test_what_a_routed_agent_remembers_goes_with_it(routed: Live) -> None:
    notes = ScriptedModel.saying(Call(tool="add_memory", arguments={"memory": "{text}"}), Say(text="Kept."))
    for agent_id in ("clerk", "ops-bot"):
        memories = MemoryManager(model=notes, db=routed.db)
        agent = clerk(routed.db, id=agent_id, memory_manager=memories, update_memory_on_run=True)
        await routed.run(agent, f"said to {agent_id}", session_id=agent_id, user_id="ada")

    assert await routed.where("memories", "agent_id") == {"primary": ["clerk"], "ops": ["ops-bot"]}
    both = await routed.ask("get_user_memories", user_id="ada")
    assert sorted(memory.memory for memory in both) == ["said to clerk", "said to ops-bot"]


async def test_evals_are_in_the_database_of_evals(routed: Live) -> None:
    run = await routed.run(clerk(routed.db), "hello", session_id="s")
    evaluation = ReliabilityEval(
        name="adds", agent_response=run, expected_tool_calls=["add"], db=routed.db, telemetry=False
    )
    if routed.blocking:
        evaluation.run(print_results=False)
    else:
        await evaluation.arun(print_results=False)

    assert await routed.where("evals", "name") == {"evals": ["adds"]}


async def test_traces_and_their_spans_are_in_one_database_however_they_come_in(routed: Live) -> None:
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(DatabaseSpanExporter(db=routed.db), max_export_batch_size=2))
    tracer = provider.get_tracer("test")
    traces = [run_spans(tracer, agent, session=agent, tools=5) for agent in ("clerk", "ops-bot", "clerk")]
    await flushed(provider)
    provider.shutdown()
    await routed.ask("get_traces")  # a read writes first what still waits to be written

    placed = await routed.where("traces", "trace_id")
    assert sorted(trace for some in placed.values() for trace in some) == sorted(traces)
    spans = await routed.where("spans", "trace_id")
    assert {name: sorted(set(some)) for name, some in spans.items()} == placed
    assert sum(len(some) for some in spans.values()) == 3 * 6


async def test_a_trace_that_is_read_while_it_runs_is_still_found_by_its_agent(routed: Live) -> None:
    # Nobody knows yet whose trace it is when the first child span ends, and the read writes what there is.
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(DatabaseSpanExporter(db=routed.db)))
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span("ops-bot.run", attributes={"agno.agent.id": "ops-bot", "session.id": "o"}):
        with tracer.start_as_current_span("tool"):
            pass
        await flushed(provider)
        _, early = await routed.ask("get_traces")
    await flushed(provider)
    provider.shutdown()

    found, total = await routed.ask("get_traces", agent_id="ops-bot")
    assert (early, total) == (1, 1)
    assert [(trace.name, trace.total_spans) for trace in found] == [("ops-bot.run", 2)]


async def test_a_slow_run_has_its_trace_in_the_database_of_its_agent(routed: Live) -> None:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(DatabaseSpanExporter(db=routed.db)))
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span(
        "ops-bot.run", attributes={"agno.agent.id": "ops-bot", "session.id": "o"}
    ) as root:
        with tracer.start_as_current_span("tool"):
            pass
        await flushed(provider)
        await asyncio.sleep(0.5)  # longer than a write waits for company
    await flushed(provider)
    provider.shutdown()
    await routed.ask("get_traces")

    trace_id = f"{root.get_span_context().trace_id:032x}"
    assert await routed.where("traces", "trace_id") == {"ops": [trace_id]}
    assert await routed.where("spans", "trace_id") == {"ops": [trace_id, trace_id]}


async def test_an_approval_is_kept_beside_the_run_that_waits_for_it(routed: Live) -> None:
    async with serving(routed) as rest:
        run = await rest.say("agents/ops-bot", "the search", "o1", "ada")

    assert await routed.where("approvals", "run_id") == {"ops": [run["run_id"]]}
    assert await routed.where("runs", "run_id") == {"ops": [run["run_id"]]}


async def test_a_bound_view_stores_where_its_component_belongs(routed: Live) -> None:
    view = routed.db.bind(agent="ops-bot")
    assert view.id == routed.db.id
    assert type(view) is type(routed.db)
    await routed.run(clerk(view, id="ops-bot"), "hello", session_id="o", user_id="ada")
    second = clerk(view, id="ops-bot", add_history_to_context=True)
    await routed.run(second, "and again", session_id="o", user_id="ada")

    assert await routed.where("sessions", "session_id") == {"ops": ["o"]}
    assert len((await routed.ask("get_session", session_id="o")).runs) == 2
    assert "hello" in [message.content for message in second.model.heard[-1]]


async def test_a_router_that_never_saw_a_session_finds_it_by_its_id(routed: Live) -> None:
    if routed.backend == "memory":
        # There is nothing to reopen, so nothing of it stays untested.
        pytest.skip("a memory database ends with the router that holds it")
    await routed.run(clerk(routed.db, id="ops-bot"), "hello", session_id="o", user_id="ada")
    assert routed.reopen is not None
    fresh = routed.reopen()

    assert (await fresh.ask("get_session", session_id="o")).agent_id == "ops-bot"
    (run,) = await fresh.ask("get_runs", session_id="o")
    assert (await fresh.ask("get_run", run.run_id)).agent_id == "ops-bot"
    await fresh.run(clerk(fresh.db, id="ops-bot"), "again", session_id="o", user_id="ada")
    assert await fresh.where("runs", "run_index") == {"ops": [0, 1]}
