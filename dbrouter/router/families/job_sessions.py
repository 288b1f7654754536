"""Which jobs of one session wait for which: at most one is under way, in the order in which they were accepted.

A job's place is in its payload, as agno has it. Two that are accepted at the same moment may get the same place; then
their ids decide, for everybody alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dbrouter.backends.kernel.filters import all_of, one_of
from dbrouter.backends.kernel.ops import Scan
from dbrouter.router.agno_queue import (
    LIVE_STATUSES,
    is_serialized,
    next_session_seq,
    session_blocker,
    with_session_seq,
)

if TYPE_CHECKING:
    from dbrouter.backends.kernel.merging import Record
    from dbrouter.backends.kernel.store import Store

JOBS = "jobs"


async def placed_last(store: Store, job: Record) -> Record:
    """The job behind all that are accepted in its session; as it is, if it need not wait for others."""
    if not is_serialized(job):
        return job
    return with_session_seq(job, next_session_seq(job, await _alive(store, [job])))


async def blocker_of(store: Store, job: Record) -> str | None:
    """The id of the job that this one has to wait for, or `None` if it may run."""
    return session_blocker(job, await _alive(store, [job])) if is_serialized(job) else None


async def unblocked(store: Store, jobs: Iterable[Record]) -> list[Record]:
    """Those of the jobs that may run as far as others of their sessions go, in their order."""
    jobs = list(jobs)
    waiting = [job for job in jobs if is_serialized(job)]
    others = await _alive(store, waiting) if waiting else []
    return [job for job in jobs if session_blocker(job, others) is None]


async def _alive(store: Store, jobs: Iterable[Record]) -> list[Record]:
    """All jobs of these jobs' sessions that are not at their end."""
    sessions = sorted({job["session_id"] for job in jobs})
    where = all_of(one_of("session_id", sessions), one_of("status", LIVE_STATUSES))
    return (await store.execute(Scan(table=JOBS, where=where))).records
