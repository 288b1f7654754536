"""A worker of the queue names no tenant: every tenant's jobs are claimed in turn, and settled where they are kept."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from dbrouter.backends.kernel.errors import MissingTenant, Unavailable
from dbrouter.backends.kernel.ops import Scan, Update
from dbrouter.router.tenancy.binding import ALL, tenant
from tests.oracle.test_jobs import GRACE, job, turn
from tests.tenancy.deployments import TENANTS, Databases, Deployment, in_a_thread_of_its_own, memory
from tests.tenancy.test_schedules import switched

Deploy = Callable[..., Deployment]


def old(id_: str, **columns: Any) -> dict[str, Any]:
    """A job that was accepted some time ago."""
    return job(id_, at=int(time.time()) - 100, **columns)


def apart(call: Callable[[], Any]) -> Any:
    """What a call answers in a context of its own, as a worker's is."""
    return in_a_thread_of_its_own(call)


def test_every_tenants_jobs_are_claimed_once_and_settled_where_they_are(deployment: Deployment) -> None:
    db = deployment.db
    for each in TENANTS:
        for number in range(2):
            deployment.of(each).enqueue_job(old(f"{each}-{number}"))
    claimed = [apart(lambda: db.claim_job("w", GRACE)) for _ in range(7)]
    assert claimed[6] is None
    ids = [each["id"] for each in claimed[:6]]
    assert Counter(ids) == Counter(f"{t}-{n}" for t in TENANTS for n in range(2))
    assert {each.tenant for each in claimed[:6]} == set(TENANTS)
    assert apart(lambda: db.heartbeat_jobs("w", ids)) == 6
    for id_ in ids:
        assert apart(lambda id_=id_: db.complete_job(id_, "w", 1, "completed")) is True
    for each in TENANTS:
        found, total = deployment.of(each).list_jobs(sort_by="id", sort_order="asc")
        assert total == 2
        assert [(one["id"], one["status"]) for one in found] == [(f"{each}-{n}", "completed") for n in range(2)]


def test_tenants_of_one_session_id_do_not_wait_for_each_other(deployment: Deployment) -> None:
    for each in TENANTS:
        for number in range(2):
            deployment.of(each).enqueue_job(turn(f"{each}-{number}", "shared", at=int(time.time()) - 100))
    claimed = [apart(lambda: deployment.db.claim_job("w", GRACE)) for _ in range(4)]
    assert [each and each["id"].split("-")[1] for each in claimed] == ["0", "0", "0", None]
    for each in TENANTS:
        assert deployment.of(each).session_blocker(f"{each}-1") == f"{each}-0"


def test_keys_and_depth_are_each_tenants_own(deployment: Deployment) -> None:
    for each in TENANTS:
        db = deployment.of(each)
        assert db.enqueue_job(old(f"{each}-a", idempotency_key="k"), max_depth=1)["accepted"]
        assert db.enqueue_job(old(f"{each}-b", idempotency_key="k"))["job"]["id"] == f"{each}-a"
        assert db.enqueue_job(old(f"{each}-c"), max_depth=1)["reason"] == "queue_full"
        assert db.queue_stats()["counts"] == {"queued": 1}


def test_no_tenant_sees_or_changes_anothers_job(deployment: Deployment) -> None:
    deployment.of("acme").enqueue_job(old("a"))
    other = deployment.of("globex")
    assert other.get_job("a") is None
    assert other.list_jobs() == ([], 0)
    assert other.claim_job("w", GRACE) is None
    assert other.cancel_job("a") is False
    assert other.requeue_job("a") is False
    assert other.continue_job("a", {})["outcome"] == "conflict"
    assert deployment.of("acme").get_job("a")["status"] == "queued"


def test_what_a_lost_worker_held_is_swept_for_every_tenant(deployment: Deployment) -> None:
    db, lost = deployment.db, int(time.time()) - 2 * GRACE
    for number, each in enumerate(TENANTS):
        held = {"status": "running", "locked_by": "dead", "locked_at": lost - number, "attempt": 1}
        deployment.of(each).enqueue_job(old(each, **held))
        deployment.of(each).enqueue_job(old(f"{each}-again", **{**held, "max_attempts": 2}))
    swept = apart(lambda: db.sweep_exhausted_jobs(GRACE))
    assert [each["id"] for each in swept] == list(reversed(TENANTS))
    assert len(apart(lambda: db.sweep_exhausted_jobs(GRACE, limit=2))) == 2
    for each in TENANTS:
        assert apart(lambda each=each: db.acquire_sweep(each, "w", GRACE)) is True
        assert apart(lambda each=each: db.settle_swept_job(each, "w", "failed", "lost")) is True
        assert deployment.of(each).get_job(each)["error"] == "lost"
    again = {apart(lambda: db.claim_job("w", GRACE))["id"] for _ in TENANTS}
    assert again == {f"{each}-again" for each in TENANTS}


def test_old_jobs_of_all_tenants_are_cleaned_up(deployment: Deployment) -> None:
    long_ago = int(time.time()) - 1000
    for each in TENANTS:
        for status in ("completed", "paused"):
            deployment.of(each).enqueue_job(old(f"{each}-{status}", status=status, completed_at=long_ago))
    assert deployment.of("acme").cleanup_jobs(900) == 1
    assert apart(lambda: deployment.db.cleanup_jobs(900)) == len(TENANTS) - 1
    for each in TENANTS:
        assert [one["status"] for one in deployment.of(each).list_jobs()[0]] == ["paused"]


def test_a_tenant_with_many_jobs_waits_its_turn(deploy: Deploy) -> None:
    made = deploy(memory)
    for number in range(50):
        made.of("acme").enqueue_job(old(f"a{number:02}", created_at=1))
    made.of("globex").enqueue_job(old("g"))
    made.of("initech").enqueue_job(old("i"))
    first = [apart(lambda: made.db.claim_job("w", GRACE))["id"] for _ in range(4)]
    assert {"g", "i"} < set(first)


def test_what_names_no_tenant_and_is_no_workers_call_is_refused(deployment: Deployment) -> None:
    db = deployment.db
    deployment.of("acme").enqueue_job(old("a"))
    for call in (
        lambda: db.enqueue_job(old("b")),
        db.list_jobs,
        lambda: db.get_job("a"),
        lambda: db.cancel_job("a"),
        db.queue_stats,
        lambda: db.heartbeat_jobs("w", ["a"]),
    ):
        with pytest.raises(MissingTenant):
            apart(call)


def test_a_bound_worker_gets_its_tenants_jobs_only(deployment: Deployment) -> None:
    for each in TENANTS:
        deployment.of(each).enqueue_job(old(each))
    with tenant("acme"):
        assert deployment.db.claim_job("w", GRACE)["id"] == "acme"
        assert deployment.db.claim_job("w", GRACE) is None
    assert deployment.of(ALL).list_jobs()[1] == len(TENANTS)


def test_a_tenant_whose_database_is_away_keeps_nobody_waiting(
    deploy: Deploy, files: Databases, caplog: pytest.LogCaptureFixture
) -> None:
    made = deploy(files)
    lost = {"status": "running", "locked_by": "dead", "locked_at": 1, "attempt": 1}
    for each in TENANTS:
        made.of(each).enqueue_job(old(each))
        made.of(each).enqueue_job(old(f"{each}-lost", **lost))
    off = switched(made, "initech")
    off.away = True
    assert {apart(lambda: made.db.claim_job("w", GRACE))["id"] for _ in range(2)} == {"acme", "globex"}
    with caplog.at_level("WARNING", "dbrouter.tenancy"):
        swept = apart(lambda: made.db.sweep_exhausted_jobs(GRACE))
    assert {each["id"] for each in swept} == {"acme-lost", "globex-lost"}
    assert "'initech' was left out" in caplog.text
    # Nobody else has anything: that is not "nothing waits".
    with pytest.raises(Unavailable, match="initech is away"):
        apart(lambda: made.db.claim_job("w", GRACE))
    off.away = False
    assert apart(lambda: made.db.claim_job("w", GRACE))["id"] == "initech"
    assert apart(lambda: made.db.claim_job("w", GRACE)) is None


def test_looking_for_jobs_makes_no_tables(deployment: Deployment) -> None:
    assert apart(lambda: deployment.db.claim_job("w", GRACE)) is None
    assert apart(lambda: deployment.db.sweep_exhausted_jobs(GRACE)) == []
    for name in ("primary", "silo"):
        assert deployment.tables(name) == frozenset()


def test_only_tenants_with_jobs_are_asked_for_one(deploy: Deploy) -> None:
    made = deploy(memory)
    made.of("globex").enqueue_job(old("g"))
    watched = {each: switched(made, each) for each in TENANTS}
    apart(lambda: made.db.claim_job("w", GRACE))
    assert {name: [type(op) for op in each.ops] for name, each in watched.items()} == {
        "acme": [Scan],
        "globex": [Scan, Scan, Update],
        "initech": [Scan],
    }
