"""Pauses that wait for a decision.

agno reads "no pending approval" as permission to continue, so nothing here answers empty for a failure.
"""

from __future__ import annotations

from typing import Any

from dbrouter.backends.kernel.filters import Field, all_of, eq, equals
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Delete, Get, Insert, Order, Scan, Update
from dbrouter.router.agno_types import RunStatus
from dbrouter.router.families.context import Context
from dbrouter.router.families.paging import offset_of

APPROVALS = "approvals"
PENDING = "pending"
NEWEST_FIRST = (Order(Field("created_at"), descending=True),)


class Approvals:
    """Creates, lists and decides approvals."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._now = context.now

    async def create_approval(self, approval_data: Record) -> Record:
        """The stored approval: the given columns, and the current time where it names none.

        A taken id raises `Duplicate`.
        """
        now = self._now()
        approval = {"created_at": now, "updated_at": now, **approval_data}
        await self._store.execute(Insert(table=APPROVALS, records=(approval,)))
        return approval

    async def get_approval(self, approval_id: str) -> Record | None:
        """The approval, or `None` if there is none with this id."""
        stored = await self._store.execute(Get(table=APPROVALS, key=(approval_id,)))
        return None if stored is None else stored.record

    async def get_approvals(
        self,
        status: str | None = None,
        source_type: str | None = None,
        approval_type: str | None = None,
        pause_type: str | None = None,
        agent_id: str | None = None,
        team_id: str | None = None,
        workflow_id: str | None = None,
        user_id: str | None = None,
        schedule_id: str | None = None,
        run_id: str | None = None,
        limit: int = 100,
        page: int = 1,
    ) -> tuple[list[Record], int]:
        """One page of the approvals that match, newest first, and how many match in all."""
        where = equals(
            status=status,
            source_type=source_type,
            approval_type=approval_type,
            pause_type=pause_type,
            agent_id=agent_id,
            team_id=team_id,
            workflow_id=workflow_id,
            user_id=user_id,
            schedule_id=schedule_id,
            run_id=run_id,
        )
        found = await self._store.execute(
            Scan(
                table=APPROVALS,
                where=where,
                order=NEWEST_FIRST,
                limit=limit,
                offset=offset_of(limit, page),
                total=True,
            )
        )
        return found.records, found.total or 0

    async def update_approval(
        self, approval_id: str, expected_status: str | None = None, **kwargs: Any
    ) -> Record | None:
        """The changed approval, or `None` if it is not there or its status is no longer `expected_status`.

        Of several concurrent decisions that expect the same status, one wins.
        """
        changed = await self._store.execute(
            Update(
                table=APPROVALS,
                where=all_of(eq("id", approval_id), equals(status=expected_status)),
                changes={**kwargs, "updated_at": self._now()},
            )
        )
        return changed[0] if changed else None

    async def delete_approval(self, approval_id: str) -> bool:
        """Whether there was such an approval to delete."""
        return await self._store.execute(Delete(table=APPROVALS, where=eq("id", approval_id))) > 0

    async def get_pending_approval_count(self, user_id: str | None = None) -> int:
        """How many approvals, of this user if one is given, wait for a decision."""
        counted = await self._store.execute(
            Scan(table=APPROVALS, where=equals(status=PENDING, user_id=user_id), limit=0, total=True)
        )
        return counted.total or 0

    async def update_approval_run_status(self, run_id: str, run_status: RunStatus) -> int:
        """How many approvals of this run now carry the status."""
        changed = await self._store.execute(
            Update(
                table=APPROVALS,
                where=eq("run_id", run_id),
                changes={"run_status": run_status.value, "updated_at": self._now()},
                returning=False,
            )
        )
        return len(changed)
