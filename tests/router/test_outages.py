"""One of several databases is away: what is elsewhere is answered, what may be there is never called absent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.router.agno_types import AgentSession, UserMemory
from dbrouter.router.routes import Component
from tests.families.trace_samples import span, trace
from tests.router.world import OPS_BOT, World


@pytest.fixture
def halved(world: World) -> World:
    """A session, a run, a memory and a trace in primary and in ops; then ops goes away."""
    for name, agent_id in (("p", "helper"), ("o", "ops-bot")):
        world.db.upsert_session(AgentSession(session_id=name, agent_id=agent_id, created_at=1))
        world.db.upsert_run({"run_id": f"r{name}", "agent_id": agent_id, "status": "PENDING"}, name)
        world.db.upsert_user_memory(UserMemory(memory="x", memory_id=name, user_id="u", agent_id=agent_id))
        world.db.upsert_trace(trace(name, agent_id=agent_id))
        world.db.create_spans([span(f"1{name}", name)])
    world.ops.away = True
    return world


FOUND: dict[str, Callable[[Any], Any]] = {
    "get_session": lambda db: db.get_session("p"),
    "get_run": lambda db: db.get_run("rp"),
    "get_runs": lambda db: db.get_session("p") and db.get_runs("p"),
    "get_user_memory": lambda db: db.get_user_memory("p"),
    "get_trace": lambda db: db.get_session("p") and db.get_span("1p"),
    "upsert_run": lambda db: db.upsert_run({"run_id": "r2", "agent_id": "a"}, "p") is None,
    "rename_session": lambda db: db.rename_session("p", None, "name"),
    "update_of_a_run": lambda db: db.cancel_pending_run("rp", session_id="p", reason="x"),
    "delete_run": lambda db: db.delete_run("rp"),
    "delete_session": lambda db: db.delete_session("p"),
}


@pytest.mark.parametrize("name", FOUND)
@pytest.mark.parametrize("cold", [True, False])
def test_what_is_found_elsewhere_is_answered(halved: World, name: str, *, cold: bool) -> None:
    assert FOUND[name](halved.cold() if cold else halved.db)


UNKNOWN: dict[str, Callable[[Any], Any]] = {
    "get_session": lambda db: db.get_session("o"),
    "a session that is nowhere": lambda db: db.get_session("nowhere"),
    "get_run": lambda db: db.get_run("ro"),
    "get_user_memory": lambda db: db.get_user_memory("o"),
    "get_trace": lambda db: db.get_trace("o"),
    "get_sessions": lambda db: db.get_sessions(),
    "get_sessions of the component": lambda db: db.get_sessions(component_id="ops-bot", session_type="agent"),
    "get_runs": lambda db: db.get_runs(),
    "get_user_memories": lambda db: db.get_user_memories(user_id="u"),
    "get_user_memory_stats": lambda db: db.get_user_memory_stats(),
    "get_all_memory_topics": lambda db: db.get_all_memory_topics(),
    "get_traces": lambda db: db.get_traces(),
    "get_trace_stats": lambda db: db.get_trace_stats(group_by="agent"),
    "get_span_stats": lambda db: db.get_span_stats(),
    "get_approvals": lambda db: db.get_approvals(),
    "get_pending_approval_count": lambda db: db.get_pending_approval_count(),
    "claim_due_schedule": lambda db: db.claim_due_schedule("w"),
    "get_metrics": lambda db: db.get_metrics(),
    "delete_session": lambda db: db.delete_session("o"),
    "delete_run": lambda db: db.delete_run("ro"),
    "delete_sessions": lambda db: db.delete_sessions(["p", "o"]),
    "clear_memories": lambda db: db.clear_memories(),
    "update_approval": lambda db: db.update_approval("nowhere", status="approved"),
    "cancel_pending_run": lambda db: db.cancel_pending_run("ro", session_id="o", reason="x"),
    "upsert_run": lambda db: db.upsert_run({"run_id": "r2", "agent_id": "a"}, "o"),
    "upsert_session of the component": lambda db: db.upsert_session(AgentSession(session_id="n", agent_id="ops-bot")),
    "a session that may be there": lambda db: db.upsert_session(AgentSession(session_id="n", agent_id="helper")),
}


@pytest.mark.parametrize("name", UNKNOWN)
@pytest.mark.parametrize("cold", [True, False])
def test_what_may_be_there_is_an_outage(halved: World, name: str, *, cold: bool) -> None:
    with pytest.raises(Unavailable, match="ops is away"):
        UNKNOWN[name](halved.cold() if cold else halved.db)


def test_a_view_of_a_component_elsewhere_goes_on(halved: World) -> None:
    view = halved.view(Component("agent", "helper"))
    assert view.get_session("p") is not None
    view.upsert_run({"run_id": "r2", "agent_id": "helper"}, "p")
    view.upsert_session(view.get_session("p"))
    assert len(view.get_runs("p")) == 2


def test_a_view_of_the_lost_component_is_away_whatever_it_asks(halved: World) -> None:
    view = halved.view(OPS_BOT)
    for ask in (UNKNOWN["get_session"], UNKNOWN["get_sessions"], UNKNOWN["claim_due_schedule"], UNKNOWN["get_traces"]):
        with pytest.raises(Unavailable):
            ask(view)


def test_families_of_other_databases_go_on(halved: World) -> None:
    halved.ops.away = False
    halved.cheap.away = True
    assert halved.db.get_user_memory("o") is not None
    assert halved.db.get_session("o") is not None


def test_all_is_well_when_it_is_back(halved: World) -> None:
    for ask in UNKNOWN.values():
        with pytest.raises(Unavailable):
            ask(halved.db)
    halved.ops.away = False
    assert halved.db.get_session("o") is not None
    assert halved.db.get_run("ro") is not None
    # The deletion of both was refused before it reached either.
    assert sorted(each.session_id for each in halved.db.get_sessions()) == ["o", "p"]
