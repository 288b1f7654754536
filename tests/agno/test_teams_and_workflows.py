"""Teams and workflows: whose session a member's run belongs to, and what the next turn finds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from agno.agent import Agent
from agno.db.base import SessionType
from agno.run import RunContext
from agno.team import Team
from agno.workflow import Condition, Loop, Parallel, Router, Step, StepInput, StepOutput, Steps, Workflow

from dbrouter.testing.scripted_model import Call, Say, ScriptedModel
from tests.agno.cast import clerk
from tests.agno.conftest import EVERY_DB
from tests.agno.live import Live


def office(db: Any, *, member: str = "clerk") -> Team:
    leader = ScriptedModel.saying(
        Call(tool="delegate_task_to_member", arguments={"member_id": member, "task": "{text}"}),
        Say(text="They say: {result}"),
    )
    return Team(id="office", model=leader, members=[clerk(db, id=member)], db=db, telemetry=False)


def count_letters(step_input: StepInput, run_context: RunContext) -> StepOutput:
    text = str(step_input.previous_step_content)
    session_state = run_context.session_state
    assert session_state is not None
    session_state["letters"] = session_state.get("letters", 0) + len(text)
    return StepOutput(content=f"{session_state['letters']} letters so far")


def digest(db: Any) -> Workflow:
    steps = [Step(name="read", agent=clerk(db)), Step(name="count", executor=count_letters)]
    return Workflow(id="digest", steps=steps, session_state={"letters": 0}, db=db, telemetry=False)


async def test_a_teams_session_holds_the_run_of_the_team_and_of_its_member(live: Live) -> None:
    run = await live.run(office(live.db), "hello", session_id="s", user_id="ada")

    assert run.content == "They say: You said: hello"
    session = await live.ask("get_session", session_id="s", session_type=SessionType.TEAM)
    assert (session.team_id, session.user_id) == ("office", "ada")
    rows, total = await live.ask("get_runs", session_id="s", deserialize=False)
    assert total == 2
    parents = {row["run_type"]: row["parent_run_id"] for row in rows}
    assert parents == {"team": None, "agent": run.run_id}


async def test_the_next_turn_of_a_team_hears_the_turn_before(live: Live) -> None:
    team = office(live.db)
    team.add_history_to_context = True
    await live.run(team, "the first word", session_id="s")
    await live.run(team, "the second word", session_id="s")

    assert isinstance(team.model, ScriptedModel)
    assert "the first word" in [message.content for message in team.model.heard[-1]]


async def test_a_workflow_is_stored_with_the_results_of_its_steps(live: Live) -> None:
    run = await live.run(digest(live.db), "four", session_id="s", user_id="ada")

    assert run.content == f"{len('You said: four')} letters so far"
    stored = await live.ask("get_run", run.run_id)
    assert [step.step_name for step in stored.step_results] == ["read", "count"]
    session = await live.ask("get_session", session_id="s", session_type=SessionType.WORKFLOW)
    assert (session.workflow_id, session.user_id) == ("digest", "ada")


@EVERY_DB
async def test_a_workflows_state_adds_up_over_its_runs(live: Live) -> None:
    await live.run(digest(live.db), "four", session_id="s")
    second = await live.run(digest(live.db), "four", session_id="s")

    assert second.content == f"{2 * len('You said: four')} letters so far"
    session = await live.ask("get_session", session_id="s", session_type=SessionType.WORKFLOW)
    assert session.session_data["session_state"]["letters"] == 2 * len("You said: four")
    assert len(session.runs) == 2


async def test_an_agent_and_a_team_of_the_same_user_are_listed_apart_and_together(live: Live) -> None:
    await live.run(clerk(live.db), "hello", session_id="a", user_id="ada")
    await live.run(office(live.db), "hello", session_id="t", user_id="ada")
    await live.run(digest(live.db), "hello", session_id="w", user_id="ada")

    async def listed(**asked: Any) -> list[str]:
        return sorted(session.session_id for session in await live.ask("get_sessions", user_id="ada", **asked))

    assert await listed() == ["a", "t", "w"]
    assert await listed(session_type=SessionType.TEAM) == ["t"]
    assert await listed(session_type=SessionType.AGENT, component_id="clerk") == ["a"]
    assert await listed(session_type=SessionType.AGENT, component_id="nobody") == []


async def test_an_agent_without_a_db_of_its_own_gets_its_teams(live: Live) -> None:
    member = Agent(id="guest", model=ScriptedModel.saying("Here."), telemetry=False)
    leader = ScriptedModel.saying(
        Call(tool="delegate_task_to_member", arguments={"member_id": "guest", "task": "{text}"}), Say(text="{result}")
    )
    team = Team(id="office", model=leader, members=[member], db=live.db, telemetry=False)
    run = await live.run(team, "are you there", session_id="s")

    assert run.content == "Here."
    assert {row.agent_id for row in await live.ask("get_runs", session_id="s") if row.parent_run_id} == {"guest"}


def counted(run_context: RunContext) -> str:
    """Count once more."""
    state = run_context.session_state
    assert state is not None
    state["total"] = state.get("total", 0) + 1
    state.setdefault("log", []).append(state["total"])
    return "counted"


def counter(db: Any, kind: type[Agent | Team] = Agent) -> Any:
    model = ScriptedModel.saying(Call(tool="counted"), Say(text="done"))
    members = {"members": []} if kind is Team else {}
    return kind(id="counter", name="counter", db=db, model=model, tools=[counted], telemetry=False, **members)


def count_too(step_input: StepInput, run_context: RunContext) -> StepOutput:
    return StepOutput(content=f"{step_input.input}: {counted(run_context)}")


SHAPES: dict[str, Callable[[Any], list[Any]]] = {
    "step": lambda db: [Step(name="s", agent=counter(db))],
    "steps": lambda db: [Steps(name="ss", steps=[Step(name="s", agent=counter(db))])],
    "condition": lambda db: [Condition(name="c", evaluator=True, steps=[Step(name="s", agent=counter(db))])],
    "team": lambda db: [Condition(name="c", evaluator=True, steps=[Step(name="s", team=counter(db, Team))])],
    "router": lambda db: [
        Router(
            name="r",
            selector=lambda _: [Step(name="s", agent=counter(db))],
            choices=[Step(name="s", agent=counter(db))],
        )
    ],
    "loop": lambda db: [Loop(name="l", max_iterations=2, steps=[Step(name="s", agent=counter(db))])],
    "parallel": lambda db: [
        Parallel(Step(name="s", agent=counter(db)), Step(name="c", executor=count_too), name="p")  # type: ignore[arg-type]
    ],
    "workflow": lambda db: [
        Step(
            name="w",
            workflow=Workflow(
                id="inner", name="inner", db=db, telemetry=False, steps=[Step(name="c", executor=count_too)]
            ),
        )
    ],
}


@pytest.mark.parametrize("shape", SHAPES)
async def test_what_a_component_within_a_workflow_counts_is_counted_once(live: Live, shape: str) -> None:
    # Both save the session: what the one has saved is no change of the other's.
    for _ in range(2):
        workflow = Workflow(
            id="tally",
            name="tally",
            db=live.db,
            steps=SHAPES[shape](live.db),
            session_state={"total": 0},
            telemetry=False,
        )
        await live.run(workflow, "go", session_id="s", user_id="ada")
    session = await live.ask("get_session", session_id="s", session_type=SessionType.WORKFLOW)
    turns = 4 if shape in ("loop", "parallel") else 2
    state = session.session_data["session_state"]
    assert (state["total"], len(state["log"])) == (turns, turns)
    assert session.session_data.get("session_metrics", {}).get("total_tokens") == (None if shape == "workflow" else 10)
