"""A worker's calls: take a job, keep it, say what became of it, and find those whose worker is gone.

Who holds a job is said by `locked_by` and `attempt`: each claim counts one attempt more, so that a worker which comes
back after somebody else took its job over changes nothing. `locked_at` is by the clock of the worker; clocks may differ
by less than the grace that a lock has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbrouter.backends.kernel.filters import (
    Comparison,
    Field,
    Filter,
    all_of,
    any_of,
    compare,
    eq,
    is_null,
    one_of,
)
from dbrouter.backends.kernel.ops import KEEP_VALUE, Choice, Get, Order, Scan, Update
from dbrouter.router.families.job_sessions import JOBS, blocker_of, unblocked
from dbrouter.router.families.paging import limited

if TYPE_CHECKING:
    from dbrouter.backends.kernel.merging import Record
    from dbrouter.router.families.context import Context

OLDEST_FIRST = (Order(Field("created_at")), Order(Field("id")))
LONGEST_LOCKED_FIRST = (Order(Field("locked_at")),)
LOOKED_AT = 20
"""Jobs that are read at once, to find one."""
LOOKED_AT_FIRST = 4
"""Nearly always one of the oldest can be executed, and a job is as large as what it was asked."""

QUEUED, RUNNING = eq("status", "queued"), eq("status", "running")


class JobClaims:
    """Hands each job to one worker at a time."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._now = context.now

    async def claim_job(
        self, worker_id: str, lock_grace_seconds: int = 60, deployment_id: str | None = None
    ) -> Record | None:
        """The oldest job that can be executed, now this worker's; `None` if there is none.

        That is one which is queued, or whose worker was not heard of for longer than the grace while it has attempts
        left. deployment_id: the worker's; it is given jobs of that deployment and of none. Of all workers that ask at
        once, one gets a job.
        """
        now = self._now()
        free = claimable(now, now - lock_grace_seconds, deployment_id)
        offset, limit = 0, LOOKED_AT_FIRST
        while True:
            found = await self._store.execute(
                Scan(table=JOBS, where=free, order=OLDEST_FIRST, limit=limit, offset=offset)
            )
            executable = [job for job in found.records if job["status"] == "queued" or not _is_exhausted(job)]
            lost = 0
            for job in await unblocked(self._store, executable):
                claimed = await self._taken(job, free, worker_id, now)
                if claimed is None:
                    lost += 1
                elif await self._is_its_turn(job, claimed, worker_id):
                    return claimed
            if not lost and len(found.records) < limit:
                return None
            # Those that others came first to are not found any more, and what is behind them has moved up.
            offset += len(found.records) - lost
            limit = LOOKED_AT

    async def heartbeat_jobs(self, worker_id: str, job_ids: list[str]) -> int:
        """How many of these jobs are still the worker's; their locks count from now."""
        if not job_ids:
            return 0
        where = all_of(one_of("id", job_ids), eq("locked_by", worker_id), RUNNING)
        return len(await self._changed(where, {"locked_at": self._now()}))

    async def complete_job(
        self, job_id: str, worker_id: str, attempt: int, status: str, error: str | None = None
    ) -> bool:
        """Whether the job was this worker's in this attempt; it has this status now."""
        return bool(await self._changed(_held(job_id, worker_id, attempt), settled(status, error, self._now())))

    async def retry_or_fail_job(
        self, job_id: str, worker_id: str, attempt: int, error: str, retry_delay_seconds: int = 30
    ) -> str | None:
        """What the job is now: "queued" if it has attempts left and will be tried again, else "failed".

        `None` if it was not this worker's in this attempt; then nothing changed.
        """
        now = self._now()
        is_last = compare("max_attempts", Comparison.LE, attempt)
        changes: dict[str, Any] = {
            "status": Choice(where=is_last, then="failed", otherwise="queued"),
            "error": error,
            "locked_by": None,
            "locked_at": None,
            "available_at": Choice(where=is_last, then=KEEP_VALUE, otherwise=now + retry_delay_seconds),
            "completed_at": Choice(where=is_last, then=now, otherwise=KEEP_VALUE),
            "updated_at": now,
        }
        changed = await self._store.execute(
            Update(table=JOBS, where=_held(job_id, worker_id, attempt), changes=changes)
        )
        return changed[0]["status"] if changed else None

    async def sweep_exhausted_jobs(self, lock_grace_seconds: int = 60, limit: int = 20) -> list[Record]:
        """Jobs whose worker was not heard of for longer than the grace and which have no attempt left."""
        limited(limit)
        where = _abandoned(self._now() - lock_grace_seconds)
        exhausted: list[Record] = []
        offset = 0
        while len(exhausted) < limit:
            found = await self._store.execute(
                Scan(table=JOBS, where=where, order=LONGEST_LOCKED_FIRST, limit=LOOKED_AT, offset=offset)
            )
            exhausted += filter(_is_exhausted, found.records)
            if len(found.records) < LOOKED_AT:
                break
            offset += LOOKED_AT
        return exhausted[:limit]

    async def acquire_sweep(self, job_id: str, worker_id: str, lock_grace_seconds: int = 60) -> bool:
        """Whether such a job is this worker's now, to say what became of it. Of all that ask, one is told so."""
        now = self._now()
        stored = await self._store.execute(Get(table=JOBS, key=(job_id,), where=_abandoned(now - lock_grace_seconds)))
        if stored is None or not _is_exhausted(stored.record):
            return False
        return bool(
            await self._changed(_as_read(stored.record), {"locked_by": worker_id, "locked_at": now, "updated_at": now})
        )

    async def settle_swept_job(self, job_id: str, worker_id: str, status: str, error: str | None = None) -> bool:
        """Whether the job was this worker's; it has this status now, if it is one in which a run can end or pause."""
        if status not in ("completed", "cancelled", "paused", "failed"):
            return False
        where = all_of(eq("id", job_id), eq("locked_by", worker_id), RUNNING)
        return bool(await self._changed(where, settled(status, error, self._now())))

    async def _taken(self, job: Record, free: Filter, worker_id: str, now: int) -> Record | None:
        """The job as this worker's, unless others came first."""
        locked = {"status": "running", "locked_by": worker_id, "locked_at": now, "updated_at": now}
        where = all_of(eq("id", job["id"]), eq("status", job["status"]), eq("attempt", job["attempt"]), free)
        changed = await self._store.execute(
            Update(table=JOBS, where=where, changes={**locked, "attempt": job["attempt"] + 1})
        )
        return changed[0] if changed else None

    async def _is_its_turn(self, job: Record, claimed: Record, worker_id: str) -> bool:
        """Whether the claimed job may run; otherwise it is as it was before, for it was not executed.

        Looked at again now that others can see this claim: of two jobs of one session that were claimed at the same
        moment, at most one is told that it may.
        """
        if await blocker_of(self._store, {**claimed, "status": job["status"]}) is None:
            return True
        before = {column: job[column] for column in ("status", "locked_by", "locked_at", "attempt", "updated_at")}
        await self._changed(_held(claimed["id"], worker_id, claimed["attempt"]), before)
        return False

    async def _changed(self, where: Filter, changes: dict[str, Any]) -> list[Record]:
        return await self._store.execute(Update(table=JOBS, where=where, changes=changes, returning=False))


def settled(status: str, error: str | None, now: int) -> dict[str, Any]:
    """What a job that nobody holds any more has, beside what it had."""
    return {
        "status": status,
        "error": error,
        "locked_by": None,
        "locked_at": None,
        "completed_at": now,
        "updated_at": now,
    }


def claimable(now: int, stale: int, deployment_id: str | None) -> Filter:
    """Jobs that a worker of this deployment may take, if they have attempts left."""
    of_any = is_null("deployment_id")
    return all_of(
        compare("available_at", Comparison.LE, now),
        of_any if deployment_id is None else any_of(of_any, eq("deployment_id", deployment_id)),
        any_of(QUEUED, _abandoned(stale)),
    )


def _abandoned(stale: int) -> Filter:
    return all_of(RUNNING, compare("locked_at", Comparison.LE, stale))


def _is_exhausted(job: Record) -> bool:
    return job["attempt"] >= job["max_attempts"]


def _held(job_id: str, worker_id: str, attempt: int) -> Filter:
    return all_of(eq("id", job_id), eq("locked_by", worker_id), eq("attempt", attempt), RUNNING)


def _as_read(job: Record) -> Filter:
    """The job as long as nobody has changed who holds it."""
    holder = job["locked_by"]
    return all_of(
        eq("id", job["id"]),
        RUNNING,
        is_null("locked_by") if holder is None else eq("locked_by", holder),
        eq("locked_at", job["locked_at"]),
        eq("attempt", job["attempt"]),
    )
