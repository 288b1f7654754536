"""What others than workers do to jobs: cancel, continue, settle and queue again. Each is one conditional change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbrouter.backends.kernel.filters import Filter, all_of, eq, one_of
from dbrouter.backends.kernel.ops import Get, Update
from dbrouter.router.families.job_claims import settled
from dbrouter.router.families.job_sessions import JOBS, placed_last
from dbrouter.router.families.jobs import ENDED

if TYPE_CHECKING:
    from dbrouter.backends.kernel.merging import Record
    from dbrouter.router.families.context import Context


class JobChanges:
    """Changes jobs that no worker holds."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._now = context.now

    async def cancel_job(self, job_id: str) -> bool:
        """Whether the job waited, and is cancelled now: it will not be executed. One that is executed is left alone."""
        now = self._now()
        where = all_of(eq("id", job_id), one_of("status", ("queued", "paused")))
        return await self._changed(where, {"status": "cancelled", "completed_at": now, "updated_at": now})

    async def settle_paused_job(self, job_id: str, status: str, error: str | None = None) -> bool:
        """Whether the job was paused; it has this status now, if it is one in which a run can end."""
        if status not in ENDED:
            return False
        where = all_of(eq("id", job_id), eq("status", "paused"))
        return await self._changed(where, settled(status, error, self._now()))

    async def requeue_job(self, job_id: str) -> bool:
        """Whether the job had failed or been cancelled; it is queued for one more attempt, the last of its session."""
        job = await self._read(job_id)
        if job is None or job["status"] not in ("failed", "cancelled"):
            return False
        last = await placed_last(self._store, job)
        return await self._changed(_as_read(job), {**_queued(job, self._now()), "payload": last["payload"]})

    async def continue_job(self, job_id: str, continue_payload: dict[str, Any]) -> dict[str, Any]:
        """The `outcome`, and the `job` as it is now.

        "queued": it was paused, and is queued for one more attempt with this as `payload["continue"]`, in place of what
        an earlier continuation left there. "attach": it is queued or executed already; this payload is dropped.
        "conflict": it is at its end, or there is none (`job` is `None` then).
        """
        while True:
            job = await self._read(job_id)
            if job is None or job["status"] in ENDED:
                return {"outcome": "conflict", "job": job}
            if job["status"] != "paused":
                return {"outcome": "attach", "job": job}
            payload = {**(job["payload"] or {}), "continue": dict(continue_payload)}
            changed = await self._store.execute(
                Update(table=JOBS, where=_as_read(job), changes={**_queued(job, self._now()), "payload": payload})
            )
            if changed:
                return {"outcome": "queued", "job": changed[0]}
            # Somebody else came first: what they did to it is the answer.

    async def _read(self, job_id: str) -> Record | None:
        stored = await self._store.execute(Get(table=JOBS, key=(job_id,)))
        return None if stored is None else stored.record

    async def _changed(self, where: Filter, changes: dict[str, Any]) -> bool:
        return bool(await self._store.execute(Update(table=JOBS, where=where, changes=changes, returning=False)))


def _queued(job: Record, now: int) -> dict[str, Any]:
    """What a job has that is to be executed once more, beside what it had."""
    return {
        "status": "queued",
        "max_attempts": job["attempt"] + 1,
        "available_at": now,
        "locked_by": None,
        "locked_at": None,
        "completed_at": None,
        "updated_at": now,
    }


def _as_read(job: Record) -> Filter:
    """The job as long as nobody has changed where it stands; what a claim would change is its attempt."""
    return all_of(eq("id", job["id"]), eq("status", job["status"]), eq("attempt", job["attempt"]))
