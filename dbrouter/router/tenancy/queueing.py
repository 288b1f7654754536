"""The durable queue of all tenants: a worker names no tenant, and serves each in its turn.

Each tenant's jobs are kept where its other rows are. A worker of AgentOS claims, keeps and sweeps jobs outside of any
request, so these calls go to every tenant; what it does to one job goes to the tenant that has it. What executes a job
is bound to its tenant: by the claim, for tasks that the claimer starts, and by `bind_executions`, for AgentOS asks
databases that block on threads, from where no binding comes back.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

from dbrouter.backends.kernel.ops import Get, Op, Scan
from dbrouter.router.families.context import epoch_seconds
from dbrouter.router.families.job_claims import claimable
from dbrouter.router.tenancy.binding import claimed, nothing_claimed, working_for

if TYPE_CHECKING:
    from dbrouter.backends.kernel.merging import Record
    from dbrouter.router.families.job_claims import JobClaims
    from dbrouter.router.families.jobs import Jobs
    from dbrouter.router.families.programs import Programs
    from dbrouter.router.tenancy.claims import Claims, InTurn

JOBS = "jobs"
ANY_JOB = Scan(table=JOBS)
EXECUTES = ("_execute_claimed", "_sweep_job")
"""Methods of AgentOS's worker that are given a job and do what has to be done for it."""
_BINDS = "_dbrouter_binds"


class TenantsJob(dict[str, Any]):
    """A job as a worker was given it, and whose it is."""

    tenant: str

    @classmethod
    def of(cls, job: Record, whose: str) -> TenantsJob:
        """The job of that tenant."""
        made = cls(job)
        made.tenant = whose
        return made


class _Shared(Protocol):
    """What all views of a router share."""

    claims: Claims
    work: InTurn


class WorksForAll(Protocol):
    """The store above all tenants' stores."""

    @property
    def parts(self) -> _Shared:
        """What its views share."""
        ...

    async def names_nobody(self, op: Op[Any], /) -> bool:
        """Whether nothing says whose the op is, and no request makes it."""
        ...

    async def has_some(self, whose: str, op: Scan, /) -> bool:
        """Whether a tenant has any such record."""
        ...


def with_queue_of_all(programs: Programs, store: WorksForAll) -> Programs:
    """These programs, whose queue serves workers that name no tenant."""
    setattr(programs, "jobs", _Kept(programs.jobs, store))  # noqa: B010  # stands in for a program
    setattr(programs, "job_claims", _Worked(programs.job_claims, store))  # noqa: B010
    return programs


class _Kept:
    """The queue's program, which cleans up after all tenants."""

    def __init__(self, program: Jobs, store: WorksForAll) -> None:
        self._program = program
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._program, name)

    async def cleanup_jobs(self, older_than_seconds: int = 86400) -> int:
        """How many old jobs were deleted, of all active tenants if none is named."""
        if not await self._store.names_nobody(ANY_JOB):
            return await self._program.cleanup_jobs(older_than_seconds)

        async def clean_up(whose: str) -> int:
            with working_for(whose):
                return await self._program.cleanup_jobs(older_than_seconds)

        return sum(count for _, count in await self._store.parts.work.everybodys(clean_up))


class _Worked:
    """A worker's program, which serves all active tenants."""

    def __init__(self, program: JobClaims, store: WorksForAll) -> None:
        self._program = program
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._program, name)

    async def claim_job(
        self, worker_id: str, lock_grace_seconds: int = 60, deployment_id: str | None = None
    ) -> Record | None:
        """The oldest job of the tenant whose turn it is, if none is named; tasks begun from now on are its."""
        if not await self._store.names_nobody(ANY_JOB):
            return await self._program.claim_job(worker_id, lock_grace_seconds, deployment_id)
        now = epoch_seconds()
        waiting = Scan(
            table=JOBS, where=claimable(now, now - lock_grace_seconds, deployment_id), columns=("id",), limit=1
        )

        async def take(whose: str) -> Record | None:
            with working_for(whose):
                return await self._program.claim_job(worker_id, lock_grace_seconds, deployment_id)

        found = await self._store.parts.work.first(lambda whose: self._store.has_some(whose, waiting), take)
        if found is None:
            nothing_claimed()
            return None
        whose, job = found
        self._store.parts.claims.remember(JOBS, job, whose)
        claimed(job["id"], whose)
        return TenantsJob.of(job, whose)

    async def heartbeat_jobs(self, worker_id: str, job_ids: list[str]) -> int:
        """How many of these jobs are still the worker's, whosever they are."""
        if not await self._store.names_nobody(ANY_JOB):
            return await self._program.heartbeat_jobs(worker_id, job_ids)
        of_tenants: dict[str | None, list[str]] = {}
        for each in job_ids:
            whose = self._store.parts.claims.tenant_of(Get(table=JOBS, key=(each,)))
            of_tenants.setdefault(whose, []).append(each)
        nobodys = of_tenants.pop(None, [])
        kept = 0
        for whose, ids in of_tenants.items():
            if whose is not None:
                with working_for(whose):
                    kept += await self._program.heartbeat_jobs(worker_id, ids)
        # Last, for it is refused.
        return kept + (await self._program.heartbeat_jobs(worker_id, nobodys) if nobodys else 0)

    async def sweep_exhausted_jobs(self, lock_grace_seconds: int = 60, limit: int = 20) -> list[Record]:
        """Jobs without a worker and without an attempt left, of all active tenants if none is named."""
        if not await self._store.names_nobody(ANY_JOB):
            return await self._program.sweep_exhausted_jobs(lock_grace_seconds, limit)

        async def sweep(whose: str) -> list[Record]:
            with working_for(whose):
                return await self._program.sweep_exhausted_jobs(lock_grace_seconds, limit)

        found = [
            TenantsJob.of(job, whose) for whose, jobs in await self._store.parts.work.everybodys(sweep) for job in jobs
        ]
        for job in found:
            self._store.parts.claims.remember(JOBS, job, job.tenant)
        return [*sorted(found, key=lambda job: job["locked_at"])[:limit]]


def bind_executions() -> None:
    """Let each `QueueWorker` of AgentOS execute and sweep jobs as their tenants' work. Once a process."""
    from dbrouter.router.agno_workers import QueueWorker

    for name in EXECUTES:
        made: Callable[[Any, Record], Awaitable[None]] = getattr(QueueWorker, name)
        if not getattr(made, _BINDS, False):
            setattr(QueueWorker, name, _binding(made))


def _binding(made: Callable[[Any, Record], Awaitable[None]]) -> Callable[[Any, Record], Awaitable[None]]:
    @functools.wraps(made)
    async def done(self: Any, job: Record) -> None:
        if not isinstance(job, TenantsJob):
            await made(self, job)
            return
        with working_for(job.tenant):
            await made(self, job)

    setattr(done, _BINDS, True)
    return done
