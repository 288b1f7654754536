"""Schedules and their runs as agno's own classes keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dbrouter.backends.kernel.errors import Duplicate
from tests.families.test_schedules import run, schedule

if TYPE_CHECKING:
    from tests.oracle.conftest import Both


def fill(both: Both) -> None:
    now = both.clock()
    for each in (
        schedule("s1", name="digest", user_id="ann", next_run_at=now - 5, payload={"x": [1, None, "é"]}),
        schedule("s2", name="digest", next_run_at=now - 9, target_type="agent", target_id="a", endpoint="/x"),
        schedule("s3", name="other", user_id="", enabled=False, disabled_reason="why", created_at=2),
        schedule("s4", name="late", user_id="ann", next_run_at=now + 9, endpoint="/agents/a/runs/", created_at=2),
        schedule("s5", name="once", cron_expr="", next_run_at=now - 1, endpoint="/teams/a/runs", created_at=3),
    ):
        both.create_schedule(each)
    for each in (
        run("r1", "s1", triggered_at=5, completed_at=6, created_at=5, user_id="ann", output={"a": 1}),
        run("r2", "s1", triggered_at=7, created_at=7, user_id="ann"),
        run("r3", "s1", triggered_at=7, created_at=8, completed_at=9),
        run("r4", "s2", triggered_at=1, created_at=9, requirements=[{"b": 2}], error="no"),
    ):
        both.create_schedule_run(each)


def everything(both: Both) -> None:
    """Both hold the same schedules and runs."""
    for each in both.get_schedules()[0]:
        both.get_schedule(each["id"])
        both.get_schedule_runs(each["id"])


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"enabled": True},
        {"enabled": False},
        {"user_id": "ann"},
        {"user_id": ""},
        {"user_id": "bob"},
        {"limit": 2},
        {"limit": 2, "page": 2},
        {"limit": 2, "page": 9},
        {"limit": 0},
        {"enabled": True, "user_id": "ann", "limit": 1, "page": 2, "raise_on_error": True},
    ],
)
def test_listings_agree(both: Both, asked: dict[str, Any]) -> None:
    fill(both)
    both.get_schedules(**asked)


def test_look_ups_agree(both: Both) -> None:
    fill(both)
    for schedule_id in ("s1", "s3", "s9"):
        for user_id in (None, "ann", "", "bob"):
            both.get_schedule(schedule_id, user_id=user_id)
    for name in ("digest", "other", "late", "none"):
        for user_id in (None, "ann", "", "bob"):
            both.get_schedule_by_name(name, user_id=user_id)


def test_updates_agree(both: Both) -> None:
    fill(both)
    both.clock.tick()
    both.update_schedule("s3", enabled=True)
    both.update_schedule("s3", enabled=False, disabled_reason="again")
    both.update_schedule("s1", user_id="bob", enabled=False)
    both.update_schedule("s1", user_id="ann", payload=None, cron_expr="0 * * * *", next_run_at=None)
    both.update_schedule("s2", endpoint="/teams/t/runs", target_type="team", target_id="t")
    both.update_schedule("s9", enabled=True)
    both.stamp_schedule_provenance("s1", managed_by="studio", created_by_run_id="r")
    both.stamp_schedule_provenance("s9", managed_by="studio")
    everything(both)


@pytest.mark.parametrize("column", ["user_id_", "managed_by", "locked_by", "created_at"])
def test_refused_updates_agree(both: Both, column: str) -> None:
    for side in (both.agno, both.ours):
        with pytest.raises(ValueError, match="cannot modify"):
            side.update_schedule("s1", **{column: "x"})
        with pytest.raises(ValueError, match="cannot write"):
            side.stamp_schedule_provenance("s1", name="x")


def test_names_are_taken_alike(both: Both) -> None:
    fill(both)
    for again in (schedule("s6", name="digest", user_id="ann"), schedule("s6", name="digest"), schedule("s1")):
        with pytest.raises(Exception, match=r"(?i)unique"):
            both.agno.create_schedule(dict(again))
        with pytest.raises(Duplicate):
            both.ours.create_schedule(again)
    with pytest.raises(Exception, match=r"(?i)unique"):
        both.agno.update_schedule("s4", name="digest")
    with pytest.raises(Duplicate):
        both.ours.update_schedule("s4", name="digest")
    everything(both)


@pytest.mark.parametrize(("schedule_id", "user_id"), [("s1", None), ("s1", "ann"), ("s2", "ann"), ("s9", None)])
def test_deletes_agree(both: Both, schedule_id: str, user_id: str | None) -> None:
    fill(both)
    both.delete_schedule(schedule_id, user_id=user_id)
    everything(both)
    both.get_latest_schedule_runs(["s1", "s2"])


def test_a_foreign_schedule_keeps_runs_that_agno_deletes(both: Both) -> None:
    fill(both)
    assert both.delete_schedule("s1", user_id="bob") is False
    both.create_schedule_run(run("bobs", "s1", user_id="bob"))
    assert both.delete_schedule("s1", user_id="bob") is False
    assert both.agno.get_schedule_run("bobs") is None
    assert both.ours.get_schedule_run("bobs") is not None


@pytest.mark.parametrize(("kind", "target"), [("agent", "a"), ("team", "a"), ("workflow", "a"), ("agent", "b")])
def test_disabling_a_target_agrees(both: Both, kind: str, target: str) -> None:
    fill(both)
    both.clock.tick()
    both.disable_schedules_for_target(kind, target, reason="archived")
    both.disable_schedules_for_target(kind, target)
    everything(both)


def test_claims_and_releases_agree(both: Both) -> None:
    fill(both)
    claims = [both.claim_due_schedule(f"w{number}") for number in range(4)]
    assert [each and each["id"] for each in claims] == ["s2", "s1", "s5", None]
    now = both.clock()
    both.clock.tick(10)
    both.release_schedule("s2", now + 60, worker_id="w9")
    both.release_schedule("s2", now + 60, worker_id="w0", locked_at=now - 1)
    both.release_schedule("s2", now + 60, worker_id="w0", locked_at=now)
    both.release_schedule("s5", now + 60)
    both.release_schedule("s9")
    everything(both)
    both.clock.tick(300)
    taken = both.claim_due_schedule("w5", lock_grace_seconds=300)
    assert taken["id"] == "s1"
    both.release_schedule("s1")
    everything(both)


def test_runs_agree(both: Both) -> None:
    fill(both)
    both.get_latest_schedule_runs(["s1", "s2", "s3", "s9"])
    both.get_latest_schedule_runs([])
    for user_id in (None, "ann", ""):
        both.get_schedule_runs("s1", user_id=user_id)
        both.get_schedule_run("r1", user_id=user_id)
    both.get_schedule_runs("s1", limit=2, page=2)
    both.update_schedule_run("r2", status="success", completed_at=8, output={"x": "y"})
    both.update_schedule_run("r9", status="success")
    both.delete_schedule_runs("s1", before=9)
    everything(both)
