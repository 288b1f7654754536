"""Runs: one row a turn, saved on its own, kept in order within its session."""

from __future__ import annotations

from typing import Any

from dbrouter.backends.kernel.agno_tables.sessions import RUNS
from dbrouter.backends.kernel.errors import Conflict, ForeignOwner
from dbrouter.backends.kernel.filters import Field, eq, equals, one_of
from dbrouter.backends.kernel.merging import Next, OwnerGuard, Present, Record, Replace
from dbrouter.backends.kernel.ops import Commit, Delete, Get, Order, Put, Scan, Upsert
from dbrouter.backends.kernel.racing import Attempts
from dbrouter.router.agno_types import (
    RunOutput,
    RunStatus,
    TeamRunOutput,
    WorkflowRunOutput,
    build_single_run_row,
    deserialize_run,
)
from dbrouter.router.families.context import Context
from dbrouter.router.families.paging import offset_of, sorting

Run = RunOutput | TeamRunOutput | WorkflowRunOutput

SAVE = {
    **dict.fromkeys(("status", "run_data", "parent_run_id", "updated_at"), Replace()),
    "user_id": Present(),
    "run_index": Next("session_id"),
}
"""What a save changes; session, kind, components and creation stay as first written."""
SAME_SESSION = OwnerGuard("session_id", claim=False)
"""A run never moves to, and is never overwritten from, another session."""
CANCELLABLE = ("PENDING", "RUNNING")


class Runs:
    """agno's run methods."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._now = context.now

    async def get_run(self, run_id: str, deserialize: bool | None = True) -> Run | Record | None:
        """The run as an object, or with `deserialize` false its row; `None` if there is none."""
        stored = await self._store.execute(Get(table="runs", key=(run_id,)))
        if stored is None:
            return None
        return _run_object(stored.record) if deserialize else stored.record

    async def get_runs(
        self,
        session_id: str | None = None,
        user_id: str | None = None,
        agent_id: str | None = None,
        team_id: str | None = None,
        workflow_id: str | None = None,
        status: RunStatus | None = None,
        limit: int | None = None,
        page: int | None = None,
        sort_by: str | None = None,
        sort_order: str | None = None,
        deserialize: bool | None = True,
    ) -> list[Run] | tuple[list[Record], int]:
        """A page of runs in the order of their sessions; with `deserialize` false, (rows, how many match in all)."""
        where = equals(
            session_id=session_id,
            user_id=user_id,
            agent_id=agent_id,
            team_id=team_id,
            workflow_id=workflow_id,
            status=status.value if isinstance(status, RunStatus) else status,
        )
        found = await self._store.execute(
            Scan(
                table="runs",
                where=where,
                order=sorting(RUNS, sort_by, sort_order, (Order(Field("run_index")), Order(Field("created_at")))),
                limit=limit,
                offset=offset_of(limit, page),
                total=not deserialize,
            )
        )
        if not deserialize:
            return found.records, found.total or 0
        return [_run_object(row) for row in found.records]

    async def upsert_run(
        self, run: Run | dict[str, Any], session_id: str, user_id: str | None = None, run_index: int | None = None
    ) -> None:
        """Save one run. One request.

        run_index: where the caller believes the run stands. It is kept if free, else the run goes to the end; a run
        that is already stored keeps its place. Raises `MissingParent` if the session is not stored, `ForeignOwner` if
        the run id belongs to another session.
        """
        row = build_single_run_row(run, session_id, user_id, run_index)
        upsert = Upsert(table="runs", records=(row,), rules=SAVE, guard=SAME_SESSION, returning=False)
        (written,) = await self._store.execute(upsert)
        if written is None:
            raise ForeignOwner(
                f"run {row['run_id']!r} belongs to another session than {session_id!r}; it was not changed"
            )

    async def delete_run(self, run_id: str) -> bool:
        """Whether the run was there."""
        return await self._store.execute(Delete(table="runs", where=eq("run_id", run_id))) > 0

    async def delete_runs(self, run_ids: list[str]) -> None:
        """Delete these runs."""
        if run_ids:
            await self._store.execute(Delete(table="runs", where=one_of("run_id", run_ids)))

    async def cancel_pending_run(
        self,
        run_id: str,
        *,
        session_id: str,
        reason: str,
        user_id: str | None = None,
        expected_status: str = "PENDING",
    ) -> bool:
        """Whether the run was cancelled: only from `expected_status`, only in this session, only by its owner.

        Concurrent changes of the status win. A run without content gets the reason as its content.
        """
        if expected_status not in CANCELLABLE:
            raise ValueError("Only Pending or Running runs can be cancelled by recovery")
        attempts = Attempts(self._store.runtime, f"run {run_id!r}")
        while True:
            stored = await self._store.execute(Get(table="runs", key=(run_id,), versioned=True))
            if stored is None:
                return False
            row = stored.record
            owned = row["user_id"] is None or row["user_id"] == user_id
            if not owned or row["session_id"] != session_id or row["status"] != expected_status:
                return False
            data = {**row["run_data"], "status": "CANCELLED"}
            if data.get("content") in (None, ""):
                data["content"] = reason
            cancelled = {**row, "status": "CANCELLED", "run_data": data, "updated_at": self._now()}
            try:
                await self._store.execute(Commit(writes=(Put(table="runs", record=cancelled, expect=stored.version),)))
            except Conflict:
                await attempts.again()
            else:
                return True


def _run_object(row: Record) -> Run:
    run: Run = deserialize_run(row.get("run_type"), row["run_data"])
    return run
