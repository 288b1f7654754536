"""The durable queue: runs that were accepted, each kept until it has been executed.

agno declares none of this on its base classes; it looks for it by name. Rows are those of agno's Postgres classes.
Unlike there, an outage is raised and never told as "nothing to do".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from dbrouter.backends.kernel.agno_tables.jobs import JOBS as SPEC
from dbrouter.backends.kernel.errors import Duplicate
from dbrouter.backends.kernel.filters import Comparison, Field, all_of, compare, eq, equals, is_null, one_of
from dbrouter.backends.kernel.ops import Aggregate, Computed, Delete, Get, Insert, Measure, Order, Scan
from dbrouter.router.families.job_sessions import JOBS, blocker_of, placed_last
from dbrouter.router.families.paging import offset_of, sorting

if TYPE_CHECKING:
    from dbrouter.backends.kernel.merging import Record
    from dbrouter.router.families.context import Context

ENDED = ("completed", "failed", "cancelled")
"""Jobs that nobody will execute again, unless an operator says so. A paused one waits for somebody's answer."""


class Jobs:
    """Accepts jobs and tells of them."""

    serializes_sessions: ClassVar[bool] = True
    """agno reads this off the db: jobs of one session that ask for it are executed one at a time."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._now = context.now

    async def ensure_jobs_table(self) -> None:
        """Return when the queue's table is there."""
        await self._store.create_tables((JOBS,))

    async def enqueue_job(self, job: Record, max_depth: int = 0) -> dict[str, Any]:
        """`accepted`, the `reason` if it was not ("duplicate" or "queue_full"), and the `job`.

        max_depth: how many may wait; any number if 0. Counted before the job is stored, so that jobs which come at once
        may exceed it by their number. A job whose idempotency key its user has given already is a duplicate, even of a
        full queue, and the answer has the job that was accepted then. A taken id without a key raises `Duplicate`.
        """
        # Empty means none, as agno has it.
        key = job.get("idempotency_key") or None
        job = {**job, "idempotency_key": key}
        known = await self._accepted(job)
        if known is not None:
            return _refused("duplicate", known)
        if max_depth > 0 and await self.count_queued_jobs() >= max_depth:
            return _refused("queue_full", None)
        job = await placed_last(self._store, job)
        try:
            await self._store.execute(Insert(table=JOBS, records=(job,)))
        except Duplicate:
            known = await self._accepted(job)
            if known is None:
                raise
            return _refused("duplicate", known)
        return {"accepted": True, "reason": None, "job": job}

    async def get_job(self, job_id: str, strict: bool = False) -> Record | None:  # noqa: ARG002  # agno's signature; see below
        """The job, or `None` if there is none with this id.

        strict: asks that a failure is not told as "none". Ours never is, so it changes nothing.
        """
        stored = await self._store.execute(Get(table=JOBS, key=(job_id,)))
        return None if stored is None else stored.record

    async def session_blocker(self, job_id: str) -> str | None:
        """The id of the job that this queued one has to wait for within its session; `None` if for none."""
        job = await self.get_job(job_id)
        return None if job is None or job["status"] != "queued" else await blocker_of(self._store, job)

    async def count_queued_jobs(self) -> int:
        """How many wait to be executed."""
        found = await self._store.execute(Scan(table=JOBS, where=eq("status", "queued"), limit=0, total=True))
        return found.total or 0

    async def list_jobs(
        self,
        status: str | list[str] | None = None,
        limit: int = 20,
        page: int = 1,
        sort_by: str | None = "created_at",
        sort_order: str | None = "desc",
        *,
        session_id: str | list[str] | None = None,
        user_id: str | None = None,
        raise_on_error: bool = False,  # noqa: ARG002  # agno's signature; see below
    ) -> tuple[list[Record], int]:
        """One page of the jobs that match, and how many match in all.

        status, session_id: one or several. page: below 1 it is the first, as in agno. raise_on_error: asks that a
        failure is not told as an empty list. Ours never is, so it changes nothing.
        """
        order = sorting(SPEC, sort_by, sort_order)
        where = all_of(
            *(one_of(column, _several(asked)) for column, asked in _asked(status=status, session_id=session_id)),
            equals(user_id=user_id),
        )
        found = await self._store.execute(
            Scan(
                table=JOBS,
                where=where,
                order=order if sort_by == "id" else (*order, Order(Field("id"))),
                limit=limit,
                offset=offset_of(limit, max(page, 1)),
                total=True,
            )
        )
        return found.records, found.total or 0

    async def queue_stats(self) -> dict[str, Any]:
        """How many jobs there are by status, and for how many seconds the oldest queued one waits."""
        found = await self._store.execute(
            Aggregate(
                table=JOBS,
                by={"status": Field("status")},
                measures=(
                    Computed(name="jobs", measure=Measure.COUNT),
                    Computed(name="oldest", measure=Measure.MIN, field=Field("created_at")),
                ),
            )
        )
        oldest = next((group["oldest"] for group in found.records if group["status"] == "queued"), None)
        return {
            "counts": {group["status"]: group["jobs"] for group in found.records},
            "oldest_queued_age_seconds": None if oldest is None else self._now() - oldest,
        }

    async def cleanup_jobs(self, older_than_seconds: int = 86400) -> int:
        """How many were deleted: those that ended so long ago. Paused ones stay, however long somebody thinks."""
        ended_long_ago = compare("completed_at", Comparison.LE, self._now() - older_than_seconds)
        return await self._store.execute(Delete(table=JOBS, where=all_of(one_of("status", ENDED), ended_long_ago)))

    async def _accepted(self, job: Record) -> Record | None:
        """The job that was accepted for this one's idempotency key and user, if one was."""
        key, user = job["idempotency_key"], job.get("user_id")
        if key is None:
            return None
        owner = is_null("user_id") if user is None else eq("user_id", user)
        found = await self._store.execute(Scan(table=JOBS, where=all_of(eq("idempotency_key", key), owner), limit=1))
        return found.records[0] if found.records else None


def _refused(reason: str, job: Record | None) -> dict[str, Any]:
    return {"accepted": False, "reason": reason, "job": job}


def _asked(**columns: str | list[str] | None) -> list[tuple[str, str | list[str]]]:
    return [(column, asked) for column, asked in columns.items() if asked is not None]


def _several(asked: str | list[str]) -> list[str]:
    return [asked] if isinstance(asked, str) else list(asked)
