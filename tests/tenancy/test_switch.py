"""Each call goes to its tenant's rows, and nothing is asked of a database before it is known whose call it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from agno.db.base import SessionType
from agno.db.schemas import UserMemory
from agno.session import AgentSession

from dbrouter.backends.kernel.errors import (
    ConfigError,
    MissingTenant,
    TenantConflict,
    TenantError,
    TenantLocked,
    TenantSuspended,
    UnknownTenant,
)
from dbrouter.backends.kernel.ops import Get, Insert, Scan
from dbrouter.router.tenancy.binding import ALL, tenant
from tests.tenancy.deployments import TENANTS, Databases, Deployment, memory

Deploy = Callable[..., Deployment]


def session(name: str, **state: Any) -> AgentSession:
    """A session of agent `bot`."""
    return AgentSession(session_id=name, agent_id="bot", user_id="u", session_data={"session_state": state})


def state(found: Any) -> Any:
    """What a session remembers."""
    return found.session_data["session_state"]


def test_the_same_ids_are_other_rows_for_every_tenant(deployment: Deployment) -> None:
    for each in TENANTS:
        deployment.of(each).upsert_session(session("s", whose=each))
        deployment.of(each).upsert_user_memory(UserMemory(memory=each, memory_id="m", user_id="u"))
    for each in TENANTS:
        view = deployment.of(each)
        assert state(view.get_session("s", SessionType.AGENT)) == {"whose": each}
        assert [memory.memory for memory in view.get_user_memories()] == [each]
        assert [found.session_id for found in view.get_sessions(SessionType.AGENT)] == ["s"]
    assert deployment.of("globex").delete_session("s")
    deployment.of("initech").delete_user_memory("m")
    assert [each for each in TENANTS if deployment.of(each).get_session("s", SessionType.AGENT)] == ["acme", "initech"]
    assert [each for each in TENANTS if deployment.of(each).get_user_memories()] == ["acme", "globex"]


def test_what_one_tenant_has_is_absent_for_the_others(deployment: Deployment) -> None:
    deployment.of("acme").upsert_session(session("s", secret=1))
    for each in ("globex", "initech"):
        view = deployment.of(each)
        assert view.get_session("s", SessionType.AGENT) is None
        assert view.get_sessions(SessionType.AGENT) == []
        assert not view.delete_session("s")
        assert view.rename_session("s", SessionType.AGENT, "theirs") is None
    assert state(deployment.of("acme").get_session("s", SessionType.AGENT)) == {"secret": 1}


def test_a_call_for_nobody_asks_no_database_anything(deploy: Deploy, files: Databases) -> None:
    made = deploy(files)
    for call in (
        lambda: made.db.get_session("s", SessionType.AGENT),
        lambda: made.db.upsert_session(session("s")),
        made.db.get_user_memories,
        lambda: made.db.delete_session("s"),
        made.db.get_metrics,
        made.db.get_traces,
        made.db.get_schedules,
    ):
        with pytest.raises(MissingTenant, match="says which tenant"):
            call()
    # Nothing has made so much as a file.
    assert not [name for name in ("primary", "silo") if Path(files(name)["path"]).exists()]


def test_unknown_and_suspended_tenants_are_refused(deploy: Deploy) -> None:
    made = deploy(memory, tenants={"acme": {"isolation": "rows"}, "late": {"isolation": "rows", "suspended": True}})
    with pytest.raises(UnknownTenant):
        made.of("nobody").get_user_memories()
    with pytest.raises(TenantSuspended):
        made.of("late").get_user_memories()
    assert made.of("acme").get_user_memories() == []


def test_the_context_says_whose_calls_these_are(deployment: Deployment) -> None:
    with tenant("globex"):
        deployment.db.upsert_session(session("s", whose="globex"))
    with tenant("acme"):
        assert deployment.db.get_session("s", SessionType.AGENT) is None
    assert state(deployment.of("globex").get_session("s", SessionType.AGENT)) == {"whose": "globex"}
    with tenant("acme"), pytest.raises(TenantConflict):
        deployment.of("globex").get_session("s", SessionType.AGENT)


def test_views_of_tenants_and_components_can_be_combined_either_way(deploy: Deploy) -> None:
    made = deploy(
        memory,
        agents={"ops-bot": {"db": "second"}},
        tenants={"acme": {"isolation": "rows"}, "globex": {"isolation": "schema"}, "initech": {"db": "silo"}},
    )
    first = made.router.for_tenant("acme").bind(agent="ops-bot")
    other = made.router.bind(agent="ops-bot").for_tenant("acme")
    made.db.over(first).upsert_user_memory(UserMemory(memory="x", memory_id="m", user_id="u"))
    assert [each.memory for each in made.db.over(other).get_user_memories()] == ["x"]
    assert [each.memory for each in made.of("acme").get_user_memories()] == ["x"]
    # What names no component is stored where the view's component's rows are.
    assert "tenants_agno_memories" in made.tables("second")
    assert "tenants_agno_memories" not in made.tables("primary")
    # A tenant with a database of its own has all in it, whatever the components' rules say.
    silo = made.router.for_tenant("initech").bind(agent="ops-bot")
    made.db.over(silo).upsert_session(session("s"))
    assert {"agno_sessions"} <= made.tables("silo")
    assert made.of("globex").get_user_memories() == []


def test_views_have_the_routers_id_and_class(deploy: Deploy) -> None:
    made = deploy(memory)
    for view in (made.router.for_tenant("acme"), made.router.for_tenant(ALL)):
        assert (view.id, type(view)) == (made.router.id, type(made.router))


def test_a_tenants_view_cannot_become_anothers(deploy: Deploy) -> None:
    made = deploy(memory)
    view = made.router.for_tenant("acme")
    assert view.for_tenant("acme").id == view.id
    for another in ("globex", ALL):
        with pytest.raises(TenantLocked):
            view.for_tenant(another)


@pytest.mark.parametrize("unknown", [{"unknown": "default", "default": "acme"}, {"unknown": "provision"}])
@pytest.mark.parametrize(
    ("lost", "error"), [("", UnknownTenant), ("*", UnknownTenant), (None, TypeError), (5, TypeError), (True, TypeError)]
)
def test_a_lost_name_is_no_unknown_tenants(
    deploy: Deploy, unknown: dict[str, str], lost: Any, error: type[Exception]
) -> None:
    tenants = {"acme": {"isolation": "rows"}, "*": {"isolation": "rows"}}
    made = deploy(memory, tenancy=unknown, tenants=tenants)
    with pytest.raises(error, match="tenant"):
        made.router.for_tenant(lost)


def test_a_router_without_tenants_has_no_views_of_them(deploy: Deploy) -> None:
    made = deploy(memory, tenants=None)
    with pytest.raises(ConfigError, match="no tenants are configured"):
        made.router.for_tenant("acme")
    made.db.upsert_session(session("s", n=1))
    assert state(made.db.get_session("s", SessionType.AGENT)) == {"n": 1}


def test_shared_families_are_everybodys_and_need_no_tenant(deployment: Deployment) -> None:
    made = deployment.view(deployment.another(tenancy={"shared": ["memories"]}))
    made.upsert_user_memory(UserMemory(memory="ours", memory_id="m", user_id="u"))
    last = "ours"
    for each in TENANTS:
        view = made.over(made.db.for_tenant(each))
        assert [memory.memory for memory in view.get_user_memories()] == [last]
        last = each
        view.upsert_user_memory(UserMemory(memory=each, memory_id="m", user_id="u"))
        assert [memory.memory for memory in made.get_user_memories()] == [each]
    with pytest.raises(MissingTenant):
        made.get_session("s", SessionType.AGENT)


def test_tables_are_made_at_start_only_for_what_everybody_shares(deployment: Deployment) -> None:
    deployment.db._create_all_tables()
    assert deployment.tables("primary") == frozenset()
    shared = deployment.view(deployment.another(tenancy={"shared": ["schedules", "components"]}))
    shared._create_all_tables()
    found = deployment.tables_of(shared.db, "primary")
    assert "agno_schedules" in found
    assert "agno_sessions" not in found


def test_no_call_can_name_the_tables_that_tenants_share(deploy: Deploy) -> None:
    made = deploy(memory)
    for view in (made.router, made.router.for_tenant("acme"), made.router.for_tenant(ALL)):
        with pytest.raises(TenantError, match="no call can name this table"):
            made.ask(view._wiring.store, Scan(table="tenants.sessions"))


def test_an_object_read_as_one_tenants_and_saved_as_anothers_merges_with_nothing_of_theirs(
    deployment: Deployment,
) -> None:
    deployment.of("acme").upsert_session(session("s", n=1, acme=True))
    deployment.of("globex").upsert_session(session("s", n=1, globex=True))
    with tenant("acme"):
        mine = deployment.db.get_session("s", SessionType.AGENT)
    mine.session_data["session_state"]["n"] = 2
    with tenant("globex"):
        saved = deployment.db.upsert_session(mine)
        assert state(saved) == {"n": 2, "acme": True}
    assert state(deployment.of("acme").get_session("s", SessionType.AGENT)) == {"n": 1, "acme": True}


def test_told_absent_as_one_tenant_does_not_count_for_another(deployment: Deployment) -> None:
    deployment.of("globex").upsert_session(session("s", kept="theirs"))
    with tenant("acme"):
        assert deployment.db.get_session("s", SessionType.AGENT) is None
    # In acme's the absence would make this a merge with what came meanwhile; in globex's nobody was told so.
    with tenant("globex"):
        assert state(deployment.db.upsert_session(session("s", mine=1))) == {"mine": 1}


def test_metrics_are_computed_for_each_tenant(deployment: Deployment) -> None:
    for each in TENANTS:
        deployment.of(each).upsert_session(session(f"s-{each}"))
    for each in TENANTS:
        with tenant(each):
            rows, _ = deployment.db.get_metrics()
        assert sum(row["agent_sessions_count"] for row in rows) == 1


def test_ops_of_a_store_are_answered_by_the_tenants_rows(deploy: Deploy) -> None:
    made = deploy(memory)
    mine = made.router.for_tenant("acme")._wiring.store
    record = {"memory_id": "m", "memory": "x", "created_at": 1}
    made.ask(mine, Insert(table="memories", records=(record,)))
    assert made.ask(mine, Get(table="memories", key=("m",))) is not None
    assert made.ask(made.router.for_tenant("globex")._wiring.store, Get(table="memories", key=("m",))) is None


def test_what_one_op_of_a_call_says_holds_for_the_whole_call(deploy: Deploy) -> None:
    made = deploy(memory, tenancy={"user_id": "{tenant}:{user}"})
    for each in TENANTS:
        one = session("s", whose=each)
        one.user_id = f"{each}:bob"
        made.db.upsert_session(one)
    for each in TENANTS:
        bob = f"{each}:bob"
        # Its runs are read by the sessions' ids, which say nothing of whose they are.
        (found,) = made.db.get_sessions(SessionType.AGENT, user_id=bob)
        assert state(found) == {"whose": each}
        rows, _ = made.db.get_metrics(user_id=bob)
        assert [row["user_id"] for row in rows] == [bob]
        assert made.db.rename_session("s", SessionType.AGENT, each, user_id=bob).session_data["session_name"] == each
    with pytest.raises(MissingTenant):
        made.db.get_sessions(SessionType.AGENT, user_id="nobody in particular")
    # The next call begins anew.
    with pytest.raises(MissingTenant):
        made.db.get_sessions(SessionType.AGENT)
    assert made.db.delete_session("s", "acme:bob")
    assert [each for each in TENANTS if made.of(each).get_session("s", SessionType.AGENT)] == ["globex", "initech"]


def test_one_call_cannot_write_rows_of_two_tenants(deploy: Deploy) -> None:
    made = deploy(memory, tenancy={"user_id": "{tenant}:{user}"})
    mine, theirs = session("a"), session("b")
    mine.user_id, theirs.user_id = "acme:bob", "globex:eve"
    with pytest.raises(TenantConflict):
        made.db.upsert_sessions([mine, theirs])
    assert made.of(ALL).get_sessions(SessionType.AGENT) == []


def test_questions_about_tables_open_no_tenants_database(deploy: Deploy, files: Databases) -> None:
    made = deploy(files)
    assert not made.db.table_exists("agno_sessions")
    assert made.db.get_latest_schema_version("agno_sessions") == "2.0.0"
    assert not Path(files("silo")["path"]).exists()
    made.of("initech").upsert_session(session("s"))
    assert "agno_sessions" in made.tables("silo")
    assert not made.db.table_exists("agno_sessions")
