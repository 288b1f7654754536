"""A database that cannot be reached: agno gets an error, never an empty answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from agno.run import RunStatus

from dbrouter import AsyncDbRouter, DbRouter, Unavailable
from dbrouter.backends import SqliteDb
from tests.agno.cast import clerk
from tests.agno.conftest import kept
from tests.agno.live import Live
from tests.agno.rest import serving

NOBODY_LISTENS = "postgresql://nobody@127.0.0.1:9/nowhere"


@pytest.fixture(params=["blocking", "async"])
def half_dead(request: pytest.FixtureRequest, tmp_path: Path) -> Live:
    """A router of which one database, that of the ops bot, cannot be reached."""
    config: dict[str, Any] = {
        "id": "half-dead",
        "databases": {
            "primary": {"kind": "sqlite", "path": "primary.db"},
            "ops": {"kind": "postgres", "url": NOBODY_LISTENS, "connect_timeout": 2, "deadline": 5},
        },
        "agentos": {"db": "primary"},
        "agents": {"ops-bot": {"db": "ops"}},
    }
    path = tmp_path / "dbrouter.yaml"
    path.write_text(yaml.safe_dump(config))
    router = DbRouter if request.param == "blocking" else AsyncDbRouter
    return kept(request, Live(backend="half dead", mode=request.param, db=router.from_yaml(path)))


async def test_a_session_that_may_be_in_the_lost_database_is_not_called_absent(half_dead: Live) -> None:
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9"):
        await half_dead.ask("get_session", session_id="somewhere")
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9"):
        await half_dead.ask("get_sessions")


async def test_an_agent_goes_on_with_the_sessions_of_a_reachable_database(half_dead: Live, tmp_path: Path) -> None:
    before = SqliteDb(str(tmp_path / "primary.db"))
    clerk(before).run("hello", session_id="s")
    before.close()
    agent = clerk(half_dead.db.bind(agent="clerk"), add_history_to_context=True)
    await half_dead.run(agent, "again", session_id="s")

    assert "hello" in [message.content for message in agent.model.heard[-1]]
    assert sorted(run["run_index"] for run in await half_dead.rows("primary", "runs")) == [0, 1]


async def test_an_agent_of_the_lost_database_does_not_answer_as_if_it_were_a_first_visit(half_dead: Live) -> None:
    agent = clerk(half_dead.db.bind(agent="ops-bot"), id="ops-bot", add_history_to_context=True)
    if half_dead.blocking:
        with pytest.raises(Unavailable):
            agent.run("do you remember me", session_id="o")
    else:
        # agno's async runs answer with an error instead of raising it.
        run = await agent.arun("do you remember me", session_id="o")
        assert run.status == RunStatus.error
    assert not agent.model.heard


ROUTES = (
    "/sessions/somewhere",
    "/sessions",
    "/memories",
    "/approvals",
    "/traces",
    "/schedules",
    "/learnings",
    "/eval-runs",
)


async def test_agentos_says_that_it_failed(half_dead: Live) -> None:
    # AgentOS logs what it cannot provision and goes on; that is not what this test is about.
    async with serving(half_dead, auto_provision_dbs=False) as rest:
        answers = {route: await rest.client.get(route) for route in ROUTES}

    assert {route: answer.status_code for route, answer in answers.items() if answer.status_code < 500} == {}
