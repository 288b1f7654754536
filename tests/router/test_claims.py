"""Due schedules of all databases are handed out, once each, and given back where they came from."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.backends.kernel.running import finish
from dbrouter.router.agno_types import RunStatus
from tests.families.test_schedules import schedule
from tests.router.world import CREW, OPS_BOT, World


@pytest.fixture
def due(world: World) -> World:
    """Nine due schedules over three databases."""
    now = int(time.time())
    for view, prefix in ((world.db, "p"), (world.view(OPS_BOT), "o"), (world.view(CREW), "c")):
        for number in range(3):
            view.create_schedule(schedule(f"{prefix}{number}", name=f"{prefix}{number}", next_run_at=now - 10))
    assert {len(each.keys("schedules")) for each in world.databases.values()} == {3}
    return world


def test_every_due_schedule_is_claimed_once(due: World) -> None:
    claimed = [due.db.claim_due_schedule("w") for _ in range(10)]
    assert Counter(each["id"] for each in claimed if each) == Counter(f"{p}{n}" for p in "poc" for n in range(3))
    assert claimed[-1] is None


def test_workers_at_once_share_them_out(due: World) -> None:
    claimed: list[str] = []
    lock = threading.Lock()

    def work(worker: int) -> None:
        while (mine := due.cold().claim_due_schedule(f"w{worker}")) is not None:
            with lock:
                claimed.append(mine["id"])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert Counter(claimed) == Counter(f"{p}{n}" for p in "poc" for n in range(3))


def test_no_database_is_always_served_last(due: World) -> None:
    assert {due.db.claim_due_schedule("w")["id"][0] for _ in range(3)} == {"p", "o", "c"}


def test_a_claim_is_given_back_where_it_came_from(due: World) -> None:
    for _ in range(9):
        claimed = due.db.claim_due_schedule("w")
        assert due.cold().release_schedule(claimed["id"], 5, worker_id="x", locked_at=claimed["locked_at"]) is False
        assert due.cold().release_schedule(
            claimed["id"], int(time.time()) + 99, worker_id="w", locked_at=claimed["locked_at"]
        )
        stored = due.db.get_schedule(claimed["id"])
        assert (stored["locked_by"], stored["next_run_at"] > time.time()) == (None, True)
    assert due.db.claim_due_schedule("w") is None


def test_a_database_that_is_away_does_not_stop_the_others(due: World) -> None:
    due.ops.away = True
    claimed = [due.db.claim_due_schedule("w")["id"] for _ in range(6)]
    assert sorted(claimed) == ["c0", "c1", "c2", "p0", "p1", "p2"]
    with pytest.raises(Unavailable, match="ops is away"):
        due.db.claim_due_schedule("w")
    due.ops.away = False
    assert due.db.claim_due_schedule("w")["id"] == "o0"


@pytest.mark.parametrize("cold", [True, False])
def test_a_claim_is_given_back_while_another_database_is_away(due: World, *, cold: bool) -> None:
    claimed = next(each for each in iter(lambda: due.db.claim_due_schedule("w"), None) if each["id"].startswith("c"))
    due.ops.away = True
    db = due.cold() if cold else due.db
    assert db.release_schedule(claimed["id"], 5, worker_id="w", locked_at=claimed["locked_at"]) is True
    assert [row["locked_by"] for row in due.cheap.inner_rows("schedules") if row["id"] == claimed["id"]] == [None]
    with pytest.raises(Unavailable):
        # Found nowhere that answered: it may be in the database that is away.
        db.release_schedule("nowhere", 5)


def test_targets_are_disabled_everywhere(due: World) -> None:
    due.view(OPS_BOT).create_schedule(schedule("t1", name="t1", target_type="agent", target_id="x"))
    due.db.create_schedule(schedule("t2", name="t2", endpoint="/agents/x/runs"))
    due.db.disable_schedules_for_target("agent", "x")
    assert [due.db.get_schedule(each)["enabled"] for each in ("t1", "t2")] == [False, False]


def approval(approval_id: str, **columns: object) -> dict[str, object]:
    return {
        "id": approval_id,
        "run_id": "r",
        "session_id": "s",
        "status": "pending",
        "source_type": "agent",
        "pause_type": "confirmation",
        **columns,
    }


def test_approvals_are_decided_once_wherever_they_are(world: World) -> None:
    for approval_id, columns in (
        ("a1", {"agent_id": "helper"}),
        ("a2", {"agent_id": "ops-bot"}),
        ("a3", {"team_id": "crew"}),
    ):
        world.db.create_approval(approval(approval_id, **columns))
    assert {len(each.keys("approvals")) for each in world.databases.values()} == {1}
    assert world.db.get_approvals(status="pending")[1] == 3
    assert world.db.get_pending_approval_count() == 3
    for approval_id in ("a1", "a2", "a3"):
        assert (
            world.cold().update_approval(approval_id, expected_status="pending", status="approved")["status"]
            == "approved"
        )
        assert world.cold().update_approval(approval_id, expected_status="pending", status="rejected") is None
    assert world.db.update_approval_run_status("r", RunStatus.completed) == 3
    assert world.db.get_pending_approval_count() == 0
    assert finish(world.store.ping()) is None
