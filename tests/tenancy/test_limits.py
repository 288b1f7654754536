"""Limits of tenants, as a configuration says them: every isolation, every backend, both modes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from agno.db.schemas import UserMemory

from dbrouter import ALL
from dbrouter.backends.kernel.errors import LimitExceeded
from tests.tenancy.deployments import TENANTS, Databases, Deployment


def memory(id_: str) -> UserMemory:
    return UserMemory(memory=f"about {id_}", memory_id=id_, user_id="ann")


def limited(deployment: Deployment, **limits: Any) -> dict[str, Any]:
    """Every tenant within these limits, or within its own: `limited(deployment, acme={...})`."""
    own = {name: limits.pop(name) for name in TENANTS if name in limits}
    return {name: {**deployment.settings()["tenants"][name], "limits": own.get(name, limits)} for name in TENANTS}


@pytest.fixture
def within(deploy: Callable[..., Deployment], databases: Databases) -> Callable[..., Deployment]:
    """Makes a deployment whose tenants have limits."""

    def make(**limits: Any) -> Deployment:
        plain = deploy(databases)
        return deploy(databases, tenants=limited(plain, **limits))

    return make


@pytest.mark.parametrize("name", TENANTS)
def test_what_a_tenant_stores_stops_at_its_limit_and_others_go_on(within: Callable[..., Deployment], name: str) -> None:
    deployment = within(**{each: {"rows": {"memories": 2 if each == name else 1000}} for each in TENANTS})
    full = deployment.of(name)
    for id_ in ("a", "b"):
        full.upsert_user_memory(memory(id_))
    with pytest.raises(LimitExceeded, match=f"tenant '{name}' stores 2 of 2 rows of memories") as refused:
        full.upsert_user_memory(memory("c"))
    assert refused.value.retry_after is None
    full.upsert_user_memory(memory("b"))
    for other in set(TENANTS) - {name}:
        for id_ in ("a", "b", "c"):
            deployment.of(other).upsert_user_memory(memory(id_))
    full.delete_user_memory("a", user_id="ann")
    full.upsert_user_memory(memory("c"))
    assert {each.memory_id for each in full.get_user_memories(user_id="ann")} == {"b", "c"}


def test_a_tenant_over_its_rate_is_refused_whatever_view_it_uses_and_others_are_not(
    within: Callable[..., Deployment],
) -> None:
    deployment = within(acme={"requests_per_second": 0.01}, globex={}, initech={})
    deployment.of("acme").get_user_memory("x")
    with pytest.raises(LimitExceeded) as refused:
        deployment.of("acme").get_user_memory("x")
    assert refused.value.retry_after == pytest.approx(100, rel=0.2)
    with pytest.raises(LimitExceeded):
        deployment.db.over(deployment.router.for_tenant("acme").bind(agent="ops-bot")).get_user_memory("x")
    for name in ("globex", "initech"):
        for _ in range(5):
            deployment.of(name).get_user_memory("x")


def test_an_operators_look_is_not_the_tenants_call(within: Callable[..., Deployment]) -> None:
    deployment = within(requests_per_second=0.01)
    for _ in range(3):
        assert deployment.of(ALL).get_user_memories() == []
    # And nothing of what it may use is used up.
    deployment.of("acme").get_user_memory("x")
    with pytest.raises(LimitExceeded):
        deployment.of("acme").get_user_memory("x")
    assert deployment.of(ALL).get_user_memories() == []


def test_tenants_that_share_a_database_take_turns_at_it(
    deploy: Callable[..., Deployment], databases: Databases
) -> None:
    deployment = deploy(databases)
    shares = deployment.router._wiring.store.inner.parts.stores._shares
    gate = shares.gates("primary")
    if databases("primary")["kind"] == "memory":
        assert gate is None, "memory is never waited for"
        return
    assert gate.places.number == {"sqlite": 3, "postgres": 2}[databases("primary")["kind"]]
    entered: list[str] = []
    enter = gate.places.enter

    def noted(party: str) -> bool:
        entered.append(party)
        return enter(party)

    gate.places.enter = noted
    for name in TENANTS:
        deployment.of(name).upsert_user_memory(memory("a"))
    assert set(entered) == {"acme", "globex"}, "who has a database of its own has nobody to take turns with"
    assert gate.places.parties == 0


def test_processes_count_rates_together_where_the_file_names_a_database(
    deploy: Callable[..., Deployment], files: Databases
) -> None:
    tenants = limited(deploy(files), requests_per_second=0.01)
    apart = deploy(files, tenants=tenants)
    for router in (apart.router, apart.another()):
        apart.view(router).over(router.for_tenant("acme")).get_user_memory("x")
    together = deploy(files, tenants=tenants, tenancy={"limits_db": "second"})
    other = together.another()
    together.of("acme").get_user_memory("x")
    with pytest.raises(LimitExceeded):
        together.view(other).over(other.for_tenant("acme")).get_user_memory("x")
    together.view(other).over(other.for_tenant("globex")).get_user_memory("x")
    assert "dbrouter_usage" in together.tables("second")


@pytest.mark.parametrize("blocking", [True], ids=["blocking"])
def test_threads_of_a_tenant_share_its_limits(deploy: Callable[..., Deployment], files: Databases) -> None:
    deployment = deploy(files, tenants=limited(deploy(files), rows={"memories": 10}))
    refused: list[BaseException] = []

    def adds(thread: int) -> None:
        for number in range(5):
            try:
                deployment.of("acme").upsert_user_memory(memory(f"{thread}-{number}"))
            except LimitExceeded as error:
                refused.append(error)

    threads = [threading.Thread(target=adds, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(deployment.of("acme").get_user_memories()) == 10
    assert len(refused) == 10
