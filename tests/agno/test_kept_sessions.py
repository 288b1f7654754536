"""Teams and agents that keep their session between turns (`cache_session`): each turn counts once."""

from __future__ import annotations

from typing import Any

import pytest
from agno.agent import Agent
from agno.db.base import SessionType
from agno.run import RunContext
from agno.team import Team

from tests.agno.cast import clerk, script
from tests.agno.conftest import EVERY_DB
from tests.agno.live import Live


def note(run_context: RunContext) -> None:
    """Count the turn and write it down, before it begins."""
    state = run_context.session_state
    assert state is not None
    state["turns"] = state.get("turns", 0) + 1
    state.setdefault("log", []).append(state["turns"])


def team(db: Any) -> Team:
    return Team(
        id="office", model=script(), members=[clerk(db)], db=db, cache_session=True, pre_hooks=[note], telemetry=False
    )


def agent(db: Any) -> Agent:
    return clerk(db, cache_session=True, pre_hooks=[note])


@EVERY_DB
@pytest.mark.parametrize("begun", [False, True], ids=["new", "begun elsewhere"])
@pytest.mark.parametrize("component", [team, agent])
async def test_a_kept_session_counts_each_turn_once(live: Live, component: Any, begun: bool) -> None:
    if begun:
        await live.run(component(live.db), "hello", session_id="s", user_id="ada")
    keeper = component(live.db)
    for _ in range(3):
        await live.run(keeper, "hello", session_id="s", user_id="ada")
    assert await _state(live, component) == {"turns": 3 + begun, "log": list(range(1, 4 + begun))}


@pytest.mark.parametrize("component", [team, agent])
async def test_what_another_process_counted_meanwhile_is_kept(routed: Live, component: Any) -> None:
    # agno writes over it: its class has no part in this.
    keeper, other = component(routed.db), component(routed.db)
    for each in (keeper, other, keeper, keeper):
        await routed.run(each, "hello", session_id="s", user_id="ada")
    assert (await _state(routed, component))["turns"] == 4


async def _state(live: Live, component: Any) -> Any:
    kind = SessionType.TEAM if component is team else SessionType.AGENT
    session = await live.ask("get_session", session_id="s", session_type=kind)
    return session.session_data["session_state"]
