"""The support desk as an agno AgentOS: two agents, a team and a workflow over one `db=`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from agno.agent import Agent
from agno.approval import approval
from agno.knowledge import Knowledge
from agno.memory import MemoryManager
from agno.os import AgentOS
from agno.run import RunContext
from agno.team import Team
from agno.tools import tool
from agno.utils.log import configure_agno_logging
from agno.workflow import Step, StepInput, StepOutput, Workflow
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from dbrouter.cli.demo_app import script
from dbrouter.testing.word_shelf import WordShelf

if TYPE_CHECKING:
    from agno.db.base import AsyncBaseDb, BaseDb

ORDERS = {"4711": "left the depot this morning", "4712": "waits for a missing part"}


def find_order(run_context: RunContext, number: str) -> str:
    """Look an order up and count the look-ups of this conversation."""
    state = run_context.session_state
    if state is None:
        return "no session state"
    state["look_ups"] = state.get("look_ups", 0) + 1
    return f"order {number} {ORDERS.get(number, 'is not known')}"


def check_service(name: str) -> str:
    """Say how a service is doing."""
    return f"{name} answers, but slowly"


@tool
@approval
def restart_service(name: str) -> str:
    """Restart a service; somebody has to approve it first."""
    return f"{name} was restarted"


def digest(step_input: StepInput) -> StepOutput:
    """Shorten what the step before it wrote."""
    return StepOutput(content=f"Digest: {step_input.previous_step_content}")


def build(db: BaseDb | AsyncBaseDb, *, base_url: str) -> AgentOS:
    """Return the whole desk on `db`: agno asks it for everything, and never learns how many databases there are."""
    helpdesk = Agent(
        id="helpdesk",
        name="Helpdesk",
        model=script.helpdesk(),
        tools=[find_order],
        memory_manager=MemoryManager(model=script.note_taker(), db=db),
        update_memory_on_run=True,
        add_history_to_context=True,
        session_state={"look_ups": 0},
        db=db,
        telemetry=False,
    )
    ops_bot = Agent(
        id="ops-bot",
        name="Ops bot",
        model=script.ops_bot(),
        tools=[check_service, restart_service],
        db=db,
        telemetry=False,
    )
    front_office = Team(
        id="front-office",
        name="Front office",
        model=script.front_office(),
        members=[helpdesk, ops_bot],
        db=db,
        telemetry=False,
    )
    nightly = Workflow(
        id="nightly-digest",
        name="Nightly digest",
        steps=[Step(name="collect", agent=helpdesk), Step(name="shorten", executor=digest)],
        db=db,
        telemetry=False,
    )
    return AgentOS(
        id="support-desk",
        name="Support desk",
        agents=[helpdesk, ops_bot],
        teams=[front_office],
        workflows=[nightly],
        knowledge=[Knowledge(name="handbook", contents_db=db, vector_db=WordShelf())],
        db=db,
        # FastAPI's own spans would be the roots of all traces, and agno would no longer see whose run a trace is.
        base_app=FastAPI(title="Support desk", telemetry={"tracing": False}),
        tracing=True,
        scheduler=True,
        scheduler_base_url=base_url,
        telemetry=False,
    )


def flush_traces() -> None:
    """Have every span written before the databases are closed."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.force_flush()


def hush() -> None:
    """Keep agno's progress notes off the screen; its errors stay."""
    quiet = logging.getLogger("dbrouter.demo")
    quiet.setLevel(logging.ERROR)
    configure_agno_logging(quiet, quiet, quiet, quiet)
