"""Approvals: decided once, counted, listed."""

from __future__ import annotations

import pytest

from dbrouter.backends.kernel.errors import Duplicate
from dbrouter.backends.kernel.ops import Scan, Update
from dbrouter.backends.kernel.store import Store
from dbrouter.router.agno_types import RunStatus
from dbrouter.router.families.approvals import Approvals
from dbrouter.router.families.context import Context
from tests.families.recorded import Recorded

NOW = 1_700_000_000


def approvals_in(store: Store, now: int = NOW) -> Approvals:
    return Approvals(Context(store, now=lambda: now))


def approval(id: str, **columns: object) -> dict[str, object]:  # noqa: A002
    return {
        "id": id,
        "run_id": "run1",
        "session_id": "s1",
        "status": "pending",
        "source_type": "agent",
        "pause_type": "confirmation",
        **columns,
    }


def ids_of(records: list[dict[str, object]]) -> list[object]:
    return [record["id"] for record in records]


async def test_an_approval_is_dated_unless_it_says_when(store: Store) -> None:
    approvals = approvals_in(store)
    given = approval("p1", tool_args={"x": 1})
    assert await approvals.create_approval(given) == {**given, "created_at": NOW, "updated_at": NOW}
    assert "created_at" not in given
    dated = await approvals.create_approval(approval("p2", created_at=5, updated_at=None))
    assert (dated["created_at"], dated["updated_at"]) == (5, None)
    stored = await approvals.get_approval("p1")
    assert stored is not None
    assert stored["tool_args"] == {"x": 1}
    assert stored["resolved_by"] is None
    assert await approvals.get_approval("p9") is None


async def test_a_taken_id_is_refused(store: Store) -> None:
    approvals = approvals_in(store)
    await approvals.create_approval(approval("p1"))
    with pytest.raises(Duplicate):
        await approvals.create_approval(approval("p1"))


async def test_of_two_decisions_the_first_wins_in_one_request_each(store: Store) -> None:
    await approvals_in(store).create_approval(approval("p1"))
    recorded = Recorded(store)
    approvals = approvals_in(recorded, NOW + 60)
    won = await approvals.update_approval("p1", expected_status="pending", status="approved", resolved_by="ann")
    lost = await approvals.update_approval("p1", expected_status="pending", status="rejected", resolved_by="bob")
    assert [type(op) for op in recorded.ops] == [Update, Update]
    assert lost is None
    assert won == await approvals.get_approval("p1")
    assert won is not None
    assert (won["status"], won["resolved_by"], won["updated_at"], won["created_at"]) == (
        "approved",
        "ann",
        NOW + 60,
        NOW,
    )


async def test_an_update_without_an_expectation_changes_what_is_there(store: Store) -> None:
    approvals = approvals_in(store)
    await approvals.create_approval(approval("p1", status="approved"))
    changed = await approvals.update_approval("p1", resolution_data={"why": ["because"]})
    assert changed is not None
    assert changed["resolution_data"] == {"why": ["because"]}
    assert await approvals.update_approval("p9", status="approved") is None


async def test_approvals_come_newest_first_and_filtered(store: Store) -> None:
    approvals = approvals_in(store)
    await approvals.create_approval(
        approval("p1", created_at=1, user_id="ann", agent_id="a1", approval_type="required")
    )
    await approvals.create_approval(approval("p2", created_at=2, user_id="", run_id="run2", team_id="t1"))
    await approvals.create_approval(approval("p3", created_at=3, status="approved", schedule_id="c1", workflow_id="w1"))
    for asked, found in [
        ({}, ["p3", "p2", "p1"]),
        ({"status": "pending"}, ["p2", "p1"]),
        ({"source_type": "team"}, []),
        ({"pause_type": "confirmation", "user_id": "ann"}, ["p1"]),
        ({"user_id": ""}, ["p2"]),
        ({"approval_type": "required"}, ["p1"]),
        ({"agent_id": "a1"}, ["p1"]),
        ({"team_id": "t1"}, ["p2"]),
        ({"workflow_id": "w1", "schedule_id": "c1"}, ["p3"]),
        ({"run_id": "run2"}, ["p2"]),
    ]:
        records, total = await approvals.get_approvals(**asked)
        assert (ids_of(records), total) == (found, len(found)), asked
    records, total = await approvals.get_approvals(limit=2, page=2)
    assert (ids_of(records), total) == (["p1"], 3)
    with pytest.raises(ValueError, match="page"):
        await approvals.get_approvals(page=0)


async def test_pending_approvals_are_counted_without_reading_them(store: Store) -> None:
    approvals = approvals_in(store)
    await approvals.create_approval(approval("p1", user_id="ann"))
    await approvals.create_approval(approval("p2", user_id="bob"))
    await approvals.create_approval(approval("p3", user_id="bob", status="approved"))
    recorded = Recorded(store)
    assert await approvals_in(recorded).get_pending_approval_count() == 2
    assert await approvals_in(recorded).get_pending_approval_count(user_id="bob") == 1
    assert await approvals_in(recorded).get_pending_approval_count(user_id="") == 0
    assert all(isinstance(op, Scan) and op.limit == 0 for op in recorded.ops)


async def test_a_runs_status_reaches_all_its_approvals(store: Store) -> None:
    approvals = approvals_in(store)
    for each in (approval("p1"), approval("p2"), approval("p3", run_id="run2")):
        await approvals.create_approval(each)
    assert await approvals.update_approval_run_status("run1", RunStatus.completed) == 2
    assert await approvals.update_approval_run_status("run9", RunStatus.completed) == 0
    records, _ = await approvals.get_approvals()
    assert {record["id"]: record["run_status"] for record in records} == {
        "p1": "COMPLETED",
        "p2": "COMPLETED",
        "p3": None,
    }


async def test_deleting_says_whether_it_was_there(store: Store) -> None:
    approvals = approvals_in(store)
    await approvals.create_approval(approval("p1"))
    assert await approvals.delete_approval("p1") is True
    assert await approvals.delete_approval("p1") is False
