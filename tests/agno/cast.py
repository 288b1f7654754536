"""The agents that the tests run, each with a script for a model."""

from __future__ import annotations

from typing import Any

from agno.agent import Agent
from agno.run import RunContext

from dbrouter.testing.scripted_model import Call, Rule, Say, ScriptedModel

ADDING = ScriptedModel(
    rules=(
        Rule(when=r"add (\d+)", steps=(Call(tool="add", arguments={"amount": "{1}"}), Say(text="{result}"))),
        Rule(when=r"stumble", steps=(Call(tool="stumble"), Say(text="I stumbled: {result}"))),
    )
)


def add(run_context: RunContext, amount: int) -> str:
    """Add to the total of this conversation."""
    state = run_context.session_state
    assert state is not None
    state["total"] = state.get("total", 0) + amount
    return f"total {state['total']}"


def stumble() -> str:
    """Fail, as tools do."""
    raise ValueError("the floor is wet")


def clerk(db: Any, **options: Any) -> Agent:
    """An agent that adds numbers up when told "add 5", and otherwise repeats what it was told."""
    named = {"id": "clerk", "model": script(), "tools": [add, stumble], "telemetry": False}
    return Agent(**{**named, **options}, db=db)


def script() -> ScriptedModel:
    """A model of its own with the clerk's script, so that a test reads only what it caused."""
    return ScriptedModel(rules=ADDING.rules)
