"""A poller names no tenant: every tenant's schedules are claimed in turn, and go back to whom they came from."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from dbrouter.backends.kernel.errors import MissingTenant, TenantConflict, Unavailable
from dbrouter.backends.kernel.ops import Claim, Scan
from dbrouter.router.tenancy.binding import ALL, tenant
from dbrouter.router.tenancy.request import Request
from tests.router.world import Switched
from tests.tenancy.deployments import TENANTS, Databases, Deployment, in_a_thread_of_its_own, memory
from tests.waiting import first_true

Deploy = Callable[..., Deployment]
DUE = int(time.time()) - 100


def schedule(id_: str, due: int = DUE, **columns: Any) -> dict[str, Any]:
    """A schedule that is due."""
    return {
        "id": id_,
        "name": id_,
        "method": "POST",
        "endpoint": "/agents/bot/runs",
        "cron_expr": "* * * * *",
        "timezone": "UTC",
        "timeout_seconds": 60,
        "max_retries": 0,
        "retry_delay_seconds": 1,
        "enabled": True,
        "next_run_at": due,
        "created_at": DUE,
        **columns,
    }


def run_of(schedule_id: str, id_: str) -> dict[str, Any]:
    """A run of a schedule."""
    return {"id": id_, "schedule_id": schedule_id, "attempt": 1, "status": "running", "created_at": DUE}


def apart(call: Callable[[], Any]) -> Any:
    """What a call answers in a context of its own, as a poller's or an executor's is."""
    return in_a_thread_of_its_own(call)


def test_every_tenants_schedules_are_claimed_and_each_only_once(deployment: Deployment) -> None:
    for each in TENANTS:
        for number in range(2):
            deployment.of(each).create_schedule(schedule(f"{each}-{number}"))
    claimed = [apart(lambda: deployment.db.claim_due_schedule("w")) for _ in range(7)]
    assert claimed[6] is None
    assert Counter(each["id"] for each in claimed[:6]) == Counter(f"{t}-{n}" for t in TENANTS for n in range(2))
    for each in TENANTS:
        found, _ = deployment.of(each).get_schedules()
        assert [(one["locked_by"], one["name"].split("-")[0]) for one in found] == [("w", each)] * 2


def test_a_tenant_with_many_due_waits_its_turn(deploy: Deploy) -> None:
    made = deploy(memory)
    for number in range(50):
        made.of("acme").create_schedule(schedule(f"a{number:02}", DUE - 1000))
    made.of("globex").create_schedule(schedule("g"))
    made.of("initech").create_schedule(schedule("i"))
    first = [apart(lambda: made.db.claim_due_schedule("w"))["id"] for _ in range(4)]
    assert {"g", "i"} < set(first)


def test_what_becomes_due_for_another_while_one_has_many_is_found_in_time(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dbrouter.router.tenancy.claims.PEEKED_FOR", 0.05)
    made = deploy(memory)
    for number in range(200):
        made.of("acme").create_schedule(schedule(f"a{number:03}", DUE - 1000))
    apart(lambda: made.db.claim_due_schedule("w"))
    made.of("globex").create_schedule(schedule("g"))
    time.sleep(0.06)
    claimed = [apart(lambda: made.db.claim_due_schedule("w"))["id"] for _ in range(4)]
    assert "g" in claimed


def test_another_tenant_comes_first_each_time(deploy: Deploy) -> None:
    made = deploy(memory)
    first: list[str] = []
    for number in range(3):
        for each in TENANTS:
            made.of(each).create_schedule(schedule(f"{each}-{number}"))
        first.append(apart(lambda: made.db.claim_due_schedule("w"))["id"].split("-")[0])
        while apart(lambda: made.db.claim_due_schedule("w")) is not None:
            pass
        made.of(first[-1]).get_schedules()
    assert len(set(first)) > 1


def test_without_a_context_a_claimed_schedule_goes_back_to_whom_it_came_from(deployment: Deployment) -> None:
    db = deployment.db
    for each in TENANTS:
        deployment.of(each).create_schedule(schedule(f"s-{each}"))
    for _ in TENANTS:
        claimed = apart(lambda: db.claim_due_schedule("w"))
        id_, whose = claimed["id"], claimed["id"].removeprefix("s-")
        assert apart(lambda id_=id_: db.get_schedule(id_))["locked_by"] == "w"
        apart(lambda id_=id_: db.create_schedule_run(run_of(id_, f"run-{id_}")))
        apart(lambda id_=id_: db.update_schedule_run(f"run-{id_}", status="success"))
        assert apart(lambda id_=id_: db.get_schedule_run(f"run-{id_}"))["status"] == "success"
        assert apart(lambda id_=id_: db.get_schedule_runs(id_))[1] == 1
        assert apart(lambda id_=id_: db.update_schedule(id_, description="done"))["description"] == "done"
        assert apart(lambda id_=id_: db.release_schedule(id_, next_run_at=DUE + 10_000))
        for other in TENANTS:
            runs = deployment.of(other).get_schedule_runs(id_)[1]
            assert runs == (1 if other == whose else 0)
        found = deployment.of(whose).get_schedule(id_)
        assert (found["locked_by"], found["description"]) == (None, "done")


def test_what_was_not_claimed_here_still_needs_a_tenant(deploy: Deploy) -> None:
    made = deploy(memory)
    made.of("acme").create_schedule(schedule("s"))
    for call in (
        lambda: made.db.get_schedule("s"),
        lambda: made.db.release_schedule("s"),
        lambda: made.db.update_schedule("s", enabled=False),
        lambda: made.db.create_schedule_run(run_of("s", "r")),
        made.db.get_schedules,
    ):
        with pytest.raises(MissingTenant):
            apart(call)


def test_a_request_of_nobody_neither_claims_nor_learns_what_was_claimed(deploy: Deploy) -> None:
    from dbrouter.router.tenancy.binding import bind

    made = deploy(memory)
    made.of("acme").create_schedule(schedule("s"))
    made.of("acme").create_schedule(schedule("t"))

    def in_a_request(call: Callable[[], Any]) -> Any:
        bind(Request({"type": "http"}))
        return call()

    with pytest.raises(MissingTenant):
        apart(lambda: in_a_request(lambda: made.db.claim_due_schedule("w")))
    claimed = apart(lambda: made.db.claim_due_schedule("w"))["id"]
    with pytest.raises(MissingTenant):
        apart(lambda: in_a_request(lambda: made.db.get_schedule(claimed)))
    assert apart(lambda: made.db.get_schedule(claimed))["id"] == claimed


def test_an_id_that_two_tenants_have_claimed_is_told_by_the_context_only(deploy: Deploy) -> None:
    made = deploy(memory)
    for each in ("acme", "globex"):
        made.of(each).create_schedule(schedule("s", name=each))
    both = [apart(lambda: made.db.claim_due_schedule("w"))["name"] for _ in range(2)]
    assert sorted(both) == ["acme", "globex"]
    with pytest.raises((MissingTenant, TenantConflict)):
        apart(lambda: made.db.release_schedule("s"))

    def as_globex() -> Any:
        with tenant("globex"):
            return made.db.release_schedule("s")

    assert apart(as_globex)
    assert made.of("globex").get_schedule("s")["locked_by"] is None
    assert made.of("acme").get_schedule("s")["locked_by"] == "w"


def test_a_tenants_own_poller_claims_only_its_own(deployment: Deployment) -> None:
    for each in TENANTS:
        deployment.of(each).create_schedule(schedule(f"s-{each}"))
    assert deployment.of("globex").claim_due_schedule("w")["id"] == "s-globex"
    assert deployment.of("globex").claim_due_schedule("w") is None
    with pytest.raises(MissingTenant):
        deployment.of(ALL).claim_due_schedule("w")


def test_shared_schedules_are_claimed_without_asking_tenants(deploy: Deploy) -> None:
    made = deploy(memory, tenancy={"shared": ["schedules", "components"]})
    made.db.create_schedule(schedule("s"))
    assert apart(lambda: made.db.claim_due_schedule("w"))["id"] == "s"


def test_suspended_tenants_claim_nothing(deploy: Deploy) -> None:
    made = deploy(memory, tenants={"acme": {"isolation": "rows"}, "late": {"isolation": "schema", "suspended": True}})
    made.of("acme").create_schedule(schedule("s"))
    assert apart(lambda: made.db.claim_due_schedule("w"))["id"] == "s"
    assert apart(lambda: made.db.claim_due_schedule("w")) is None


def switched(made: Deployment, whose: str) -> Switched:
    """A switch before the store of one tenant."""
    parts = made.router._wiring.tenants.parts
    tenant = parts.catalog.get(whose)
    parts.stores.of(tenant)
    held = parts.stores._held[whose]
    held.store = held.routed = off = Switched(whose, held.routed)
    return off


def test_a_tenant_whose_database_is_away_does_not_stop_the_others(deploy: Deploy, files: Databases) -> None:
    made = deploy(files)
    made.of("globex").create_schedule(schedule("g"))
    made.of("initech").create_schedule(schedule("i"))
    off = switched(made, "initech")
    off.away = True
    assert apart(lambda: made.db.claim_due_schedule("w"))["id"] == "g"
    # Nobody else has anything: that is not "nothing is due".
    with pytest.raises(Unavailable, match="initech is away"):
        apart(lambda: made.db.claim_due_schedule("w"))
    off.away = False
    assert apart(lambda: made.db.claim_due_schedule("w"))["id"] == "i"
    assert apart(lambda: made.db.claim_due_schedule("w")) is None


def test_looking_for_what_is_due_makes_no_tables_and_claims_nothing(deployment: Deployment) -> None:
    assert apart(lambda: deployment.db.claim_due_schedule("w")) is None
    for name in ("primary", "silo"):
        assert deployment.tables(name) == frozenset()


def test_only_those_with_something_due_are_asked_for_it(deploy: Deploy) -> None:
    made = deploy(memory)
    made.of("globex").create_schedule(schedule("g"))
    watched = {each: switched(made, each) for each in TENANTS}
    apart(lambda: made.db.claim_due_schedule("w"))
    asked = {name: [type(op) for op in each.ops] for name, each in watched.items()}
    assert asked == {"acme": [Scan], "globex": [Scan, Claim], "initech": [Scan]}


def test_agnos_poller_executes_each_schedule_as_its_tenants(deploy: Deploy, files: Databases) -> None:
    from agno.scheduler.poller import SchedulePoller

    made = deploy(files)
    for each in TENANTS:
        for number in range(3):
            made.of(each).create_schedule(schedule(f"{each}-{number}"))

    class Executor:
        async def execute(self, claimed: Any, db: Any, release_schedule: bool = True) -> None:
            del release_schedule

            async def call(answer: Any) -> Any:
                return await answer if hasattr(answer, "__await__") else answer

            await asyncio.sleep(0.01)
            await call(db.create_schedule_run(run_of(claimed.id, f"run-{claimed.id}")))
            # The tenant is known here for whatever the schedule does, not only for its own rows.
            assert {each["name"].split("-")[0] for each in (await call(db.get_schedules()))[0]} == {
                claimed.id.split("-")[0]
            }
            await call(db.release_schedule(claimed.id, next_run_at=DUE + 10_000))

    async def poll() -> None:
        poller = SchedulePoller(made.router, Executor(), poll_interval=1, worker_id="w")
        await poller.start()

        async def done() -> bool:
            return not poller._in_flight and await _counts(made) == dict.fromkeys(TENANTS, 3)

        await first_true(done, "the end of all schedules")
        await poller.stop()
        assert (await _counts(made)) == dict.fromkeys(TENANTS, 3)

    made.run(poll()) if not made.blocking else asyncio.run(poll())


async def _counts(made: Deployment) -> dict[str, int]:
    """How many schedules of each tenant were run and are released."""
    counts: dict[str, int] = {}
    for each in TENANTS:
        store = made.router.for_tenant(each)._wiring.store
        runs = await store.execute(Scan(table="schedule_runs"))
        free = await store.execute(Scan(table="schedules"))
        counts[each] = min(len(runs.records), sum(one["locked_by"] is None for one in free.records))
    return counts
