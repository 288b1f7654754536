"""Components that keep their session between runs (`cache_session`) keep it for the tenant whose it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from agno.agent import Agent
from agno.run import RunContext
from agno.run.workflow import WorkflowRunOutput
from agno.team import Team
from agno.workflow import Step, Workflow
from agno.workflow.types import StepInput, StepOutput

from dbrouter import tenant
from tests.agno.cast import script
from tests.tenancy.agno.house import House

KEEPING: dict[str, Any] = {"cache_session": True, "telemetry": False}


def count(_: StepInput, run_context: RunContext) -> StepOutput:
    """How many runs the session has had."""
    state = run_context.session_state
    assert state is not None
    state["runs"] = state.get("runs", 0) + 1
    return StepOutput(content=f"run {state['runs']}")


@pytest.mark.parametrize("kind", [Agent, Team])
async def test_what_one_tenant_said_is_not_told_to_the_next(build: Callable[..., House], mode: str, kind: Any) -> None:
    house = build(mode)
    model = script()
    members: dict[str, Any] = {"members": []} if kind is Team else {}
    desk = kind(id="desk", model=model, db=house.router, add_history_to_context=True, **members, **KEEPING)
    for whose, said in (("acme", "what acme said"), ("globex", "hello"), ("acme", "and again")):
        with tenant(whose):
            await said_to(desk, mode, said)
    heard = [" ".join(str(message.content) for message in messages) for messages in model.heard]
    assert ["what acme said" in each for each in heard] == [True, False, True]
    for whose, runs in (("acme", 2), ("globex", 1)):
        session = await house.ask(whose, "get_session", session_id="s1", session_type=kind.__name__.lower())
        assert len(session.runs) == runs


async def test_a_workflow_counts_for_each_tenant(build: Callable[..., House], mode: str) -> None:
    house = build(mode)
    flow = Workflow(id="flow", steps=[Step(name="count", executor=count)], db=house.router, **KEEPING)
    answers: list[Any] = []
    for whose in ("acme", "globex", "acme"):
        with tenant(whose):
            run: WorkflowRunOutput = await said_to(flow, mode, "go")
            answers.append(run.content)
    assert answers == ["run 1", "run 1", "run 2"]


async def said_to(component: Any, mode: str, message: str) -> Any:
    """A component's run."""
    if mode == "blocking":
        return component.run(message, session_id="s1")
    return await component.arun(message, session_id="s1")
