"""An operator's view reads what all tenants have: in order, in pages, with totals; it writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from agno.db.base import SessionType
from agno.db.schemas import UserMemory

from dbrouter.backends.kernel.errors import MissingTenant, TenantConflict, Unavailable
from dbrouter.backends.kernel.filters import Field
from dbrouter.backends.kernel.ops import Aggregate, Computed, Get, Measure, Order, Scan
from dbrouter.router.tenancy.binding import ALL, tenant
from tests.tenancy.deployments import TENANTS, Databases, Deployment, memory
from tests.tenancy.test_schedules import schedule, switched
from tests.tenancy.test_switch import session, state

Deploy = Callable[..., Deployment]


def _fill(deployment: Deployment, each_has: int) -> None:
    """Sessions s0, s1 ... dealt out to the tenants one after the other."""
    for number in range(each_has * len(TENANTS)):
        one = session(f"s{number:02}", n=number)
        one.created_at = 1000 + number
        deployment.of(TENANTS[number % len(TENANTS)]).upsert_session(one)


def test_listings_are_merged_in_order_with_totals_and_pages(deployment: Deployment) -> None:
    _fill(deployment, 3)
    everyone = deployment.of(ALL)
    pages: list[str] = []
    for page in (1, 2, 3):
        rows, total = everyone.get_sessions(
            SessionType.AGENT, limit=4, page=page, sort_by="created_at", sort_order="desc", deserialize=False
        )
        assert total == 9
        pages += [row["session_id"] for row in rows]
    assert pages == [f"s{number:02}" for number in reversed(range(9))]


def test_one_record_is_found_whosever_it_is(deployment: Deployment) -> None:
    _fill(deployment, 1)
    everyone = deployment.of(ALL)
    for number in range(3):
        assert state(everyone.get_session(f"s{number:02}", SessionType.AGENT)) == {"n": number}
    assert everyone.get_session("s99", SessionType.AGENT) is None


def test_an_id_that_several_have_is_refused(deployment: Deployment) -> None:
    for each in ("acme", "initech"):
        deployment.of(each).upsert_session(session("s"))
    with pytest.raises(TenantConflict, match="'acme', 'initech' have one of this id"):
        deployment.of(ALL).get_session("s", SessionType.AGENT)
    assert len(deployment.of(ALL).get_sessions(SessionType.AGENT)) == 2


def test_groups_are_added_up(deploy: Deploy) -> None:
    made = deploy(memory)
    _fill(made, 2)
    made.of("acme").upsert_session(session("extra"))
    counted = Aggregate(
        table="sessions",
        by={"agent": Field("agent_id")},
        measures=(
            Computed(name="n", measure=Measure.COUNT),
            Computed(name="first", measure=Measure.MIN, field=Field("created_at")),
        ),
    )
    (group,) = made.ask(made.router.for_tenant(ALL)._wiring.store, counted).records
    assert (group["agent"], group["n"], group["first"]) == ("bot", 7, 1000)


def test_nothing_is_written_for_all(deployment: Deployment) -> None:
    deployment.of("acme").upsert_session(session("s"))
    everyone = deployment.of(ALL)
    for call in (
        lambda: everyone.upsert_session(session("s")),
        lambda: everyone.delete_session("s"),
        lambda: everyone.upsert_user_memory(UserMemory(memory="x", memory_id="m", user_id="u")),
        lambda: everyone.create_schedule(schedule("x")),
        everyone.clear_memories,
        everyone.calculate_metrics,
    ):
        with pytest.raises(MissingTenant, match="name the tenant"):
            call()
    assert deployment.of("acme").get_session("s", SessionType.AGENT) is not None


def test_metrics_of_all_are_read_as_they_are(deployment: Deployment) -> None:
    _fill(deployment, 1)
    for each in TENANTS:
        today = session(f"today-{each}")
        deployment.of(each).upsert_session(today)
        deployment.of(each).get_metrics()
    rows, updated = deployment.of(ALL).get_metrics()
    assert len(rows) >= 3
    assert updated is not None


def test_the_context_can_say_all_too(deploy: Deploy) -> None:
    made = deploy(memory)
    _fill(made, 1)
    with tenant(ALL):
        assert len(made.db.get_sessions(SessionType.AGENT)) == 3
        with pytest.raises(MissingTenant):
            made.db.delete_session("s00")


def test_suspended_tenants_are_read_too(deploy: Deploy, files: Databases) -> None:
    said = {"acme": {"isolation": "rows"}, "globex": {"isolation": "rows"}, "initech": {"db": "silo"}}
    made = deploy(files, tenants=said)
    _fill(made, 1)
    after = made.view(made.another(tenants={**said, "globex": {"isolation": "rows", "suspended": True}}))
    assert len(after.over(after.db.for_tenant(ALL)).get_sessions(SessionType.AGENT)) == 3


def test_a_tenant_that_is_away_is_not_left_out(deploy: Deploy) -> None:
    made = deploy(memory)
    _fill(made, 1)
    off = switched(made, "globex")
    off.away = True
    everyone = made.of(ALL)
    calls: tuple[Callable[[], Any], ...] = (
        lambda: everyone.get_sessions(SessionType.AGENT),
        lambda: everyone.get_session("s00", SessionType.AGENT),
        lambda: everyone.get_session("s99", SessionType.AGENT),
    )
    for call in calls:
        with pytest.raises(Unavailable):
            call()


def test_no_more_than_sixteen_are_asked_at_once(deploy: Deploy) -> None:
    made = deploy(memory, tenants={f"t{number}": {"isolation": "rows"} for number in range(60)})
    for number in range(60):
        made.of(f"t{number}").upsert_session(session(f"s{number:02}"))
    store = made.router.for_tenant(ALL)._wiring.store
    page = made.ask(store, Scan(table="sessions", order=(Order(Field("session_id")),), limit=5, offset=10, total=True))
    assert [row["session_id"] for row in page.records] == [f"s{number}" for number in range(10, 15)]
    assert page.total == 60
    assert made.ask(store, Get(table="sessions", key=("s42",))) is not None
