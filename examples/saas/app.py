"""A support desk that many companies use: one AgentOS, one `db=`, and no company sees another's rows.

    SAAS_SECRET=... python -m uvicorn examples.saas.app:app

Tokens are signed with `SAAS_SECRET` (HS256) and say the company in the claim `org.id`; `tokens.py` makes some.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from agno.agent import Agent
from agno.os import AgentOS
from agno.os.authz import Authorization
from agno.run import RunContext

from dbrouter import DbRouter, protect
from dbrouter.testing.scripted_model import Call, Rule, Say, ScriptedModel

# A model without network, so that this runs anywhere; put any of agno's in its place.
MODEL = ScriptedModel(
    rules=(
        Rule(
            when=r"my name is (?P<name>\w+)",
            steps=(Call(tool="note", arguments={"text": "{name}"}), Say(text="Hello {name}.")),
        ),
        Rule(when="who am i", steps=(Call(tool="recall"), Say(text="You are {result}."))),
    )
)


def note(run_context: RunContext, text: str) -> str:
    """Remember who is speaking."""
    run_context.session_state = {**(run_context.session_state or {}), "name": text}
    return text


def recall(run_context: RunContext) -> str:
    """Say who is speaking."""
    return (run_context.session_state or {}).get("name", "a stranger")


def make_app(settings: str | Path, secret: str) -> Any:
    """The app of this desk. Take it from `protect`: it gives each request its tenant."""
    db = DbRouter.from_yaml(settings)
    desk = Agent(id="desk", model=MODEL, tools=[note, recall], db=db, session_state={})
    agent_os = AgentOS(
        id="saas",
        agents=[desk],
        db=db,
        authorization=Authorization(verification_keys=[secret], algorithm="HS256"),
        tracing=True,
        telemetry=False,
    )
    return protect(agent_os)


if "SAAS_SECRET" in os.environ:
    app = make_app(Path(__file__).with_name("dbrouter.yaml"), os.environ["SAAS_SECRET"])
