"""What the queue reads, on a database that cannot filter: the jobs that wait, and not those that ever were."""

from __future__ import annotations

import pytest

from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.filters import eq
from dbrouter.backends.kernel.ops import Insert, Scan
from dbrouter.backends.kernel.running import finish
from dbrouter.router.families.context import Context
from dbrouter.router.families.job_claims import JobClaims
from dbrouter.router.families.jobs import Jobs
from dbrouter.testing.walking import WalkingStore
from tests.oracle.test_jobs import job, turn

HISTORY = 200


@pytest.fixture
def walking() -> WalkingStore:
    """A store with many jobs that are done, and few that are not."""
    walking = WalkingStore(commits=True)
    done = [job(f"done {number}", status="completed", completed_at=1, at=number) for number in range(HISTORY)]
    waiting = [turn(f"waiting {number}", at=HISTORY + number) for number in range(3)]
    for start in range(0, HISTORY, 50):
        finish(Emulated(walking).execute(Insert(table="jobs", records=tuple(done[start : start + 50]))))
    jobs = Jobs(Context(Emulated(walking)))
    for each in waiting:
        assert finish(jobs.enqueue_job(each))["accepted"]
    walking.handed_out = 0
    walking.requests.clear()
    return walking


def test_a_worker_reads_the_jobs_that_wait(walking: WalkingStore) -> None:
    claimed = finish(JobClaims(Context(Emulated(walking))).claim_job("worker"))
    assert claimed is not None
    assert claimed["id"] == "waiting 0"
    assert walking.handed_out == 3


def test_what_a_job_has_to_wait_for_is_asked_of_its_session_alone(walking: WalkingStore) -> None:
    asked: list[object] = []
    walking.watch = asked.append
    finish(JobClaims(Context(Emulated(walking))).claim_job("worker"))
    # By its status a job could be missed that is given back, or claimed, between one look and the next.
    assert [each.where for each in asked if isinstance(each, Scan)] == [eq("session_id", "s"), eq("session_id", "s")]
