"""The tasks of a company: proposed, accepted, worked on, reviewed."""

from __future__ import annotations

from typing import Any

from dbrouter.backends.kernel.filters import (
    EVERYTHING,
    Comparison,
    Field,
    Filter,
    In,
    IsNull,
    Not,
    all_of,
    any_of,
    compare,
    eq,
    equals,
)
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Scan
from dbrouter.router.agno_types import (
    UNSET_UPDATED_AT,
    company_sort,
    task_run_fields,
    task_transition_fields,
    validate_task_fields,
)
from dbrouter.router.families.acceptances import AutoAccept, accepted, require_room, turns_of
from dbrouter.router.families.company import (
    ACTIVE,
    CLOSED,
    TASKS,
    WITHIN_ACTIVE_PRODUCT,
    WITHIN_ACTIVE_PROJECT,
    Changed,
    Company,
    is_owned,
    owned_by,
)
from dbrouter.router.families.company_archive import event
from dbrouter.router.families.context import Context

OUTCOME = Field("result", ("status",))
FAILED = ("ERROR", "CANCELLED")


class Tasks:
    """Creates, lists, changes, moves on, runs and archives tasks."""

    def __init__(self, context: Context) -> None:
        self._company = Company(context)

    async def create_task(self, task_data: Record) -> Record:
        """The stored task, or the one that was proposed with the same `dedupe_key` for the product.

        Raises `ValueError` if its product or project is archived, or the project is closed and the task is not.
        """
        product_id, project_id = task_data["product_id"], task_data.get("project_id")

        async def met() -> Record | None:
            await self._company.require_project(project_id, product_id)
            key = task_data.get("dedupe_key")
            if key is not None:
                same = all_of(eq("product_id", product_id), eq("dedupe_key", key))
                found = await self._company.store.execute(Scan(table=TASKS, where=same, limit=1))
                if found.records:
                    return found.records[0]
            await self._company.require_project(project_id, product_id, task_data.get("status", "backlog"))
            return None

        return await self._company.add(TASKS, task_data, met)

    async def get_task(self, task_id: str, user_id: str | None = None, include_deleted: bool = False) -> Record | None:
        """The task, or `None` if there is none that the user owns and that is not archived."""
        return await self._company.get(TASKS, task_id, user_id, include_deleted=include_deleted)

    async def get_tasks(
        self,
        user_id: str | None = None,
        limit: int = 20,
        page: int = 1,
        include_deleted: bool = False,
        product_id: str | None = None,
        status: str | None = None,
        project_id: str | None = None,
        failed: bool | None = None,
        session_id: str | None = None,
        sort_by: str | None = None,
        sort_order: str | None = None,
    ) -> tuple[list[Record], int]:
        """One page of the tasks of active products and projects, newest first unless asked otherwise, and how many.

        failed: those whose run failed, or those it did not.
        """
        column, direction = company_sort(sort_by, sort_order)
        where = all_of(
            equals(product_id=product_id, status=status, project_id=project_id, session_id=session_id),
            owned_by(user_id),
            _failing(failed),
            WITHIN_ACTIVE_PRODUCT,
            WITHIN_ACTIVE_PROJECT,
            EVERYTHING if include_deleted else ACTIVE,
        )
        return await self._company.page(TASKS, where, limit=limit, page=page, sort_by=column, sort_order=direction)

    async def update_task(self, task_id: str, user_id: str | None = None, **fields: Any) -> Record | None:
        """The changed task, or `None` if there is none that the user owns, is not archived and not yet accepted."""
        validate_task_fields(fields)

        async def updated(task: Record) -> Changed | None:
            await self._company.require_parents(task)
            if fields.get("project_id") is not None:
                await self._company.require_project(fields["project_id"], task["product_id"], "backlog")
            if task["deleted_at"] is not None or task["status"] != "backlog" or not is_owned(task, user_id):
                return None
            return Changed({**fields, "updated_at": self._company.now()})

        return await self._company.change(TASKS, task_id, updated)

    async def delete_task(self, task_id: str, user_id: str | None = None, updated_before: int | None = None) -> bool:
        """Whether the task was archived. updated_before: only if closed and not changed since, in epoch seconds."""
        now = self._company.now()

        async def gone(task: Record) -> Changed | None:
            await self._company.require_parents(task)
            if task["deleted_at"] is not None or not is_owned(task, user_id):
                return None
            changed_at = task["created_at"] if task["updated_at"] is None else task["updated_at"]
            if updated_before is not None and (task["status"] not in CLOSED or changed_at >= updated_before):
                return None
            return Changed({"deleted_at": now, "updated_at": now})

        return await self._company.change(TASKS, task_id, gone) is not None

    async def restore_task(self, task_id: str, user_id: str | None = None) -> Record | None:
        """The task, back; `None` if it is not archived or not the user's."""

        async def back(task: Record) -> Changed | None:
            await self._company.require_parents(task)
            if task["deleted_at"] is None or not is_owned(task, user_id):
                return None
            now = self._company.now()
            columns: Record = {"deleted_at": None, "updated_at": now}
            history = task["transitions"] or []
            # A task archived by itself has no event of that, and gets none: runs are fenced by its history.
            if history and history[-1].get("action") == "archive":
                columns["transitions"] = event(task, "restore", now)
            return Changed(columns)

        return await self._company.change(TASKS, task_id, back)

    async def start_task_run(
        self,
        task_id: str,
        attempt: int,
        expected_transitions: list[dict[str, Any]],
        user_id: str | None = None,
        run_db_id: str | None = None,
        session_user_id: str | None = None,
    ) -> Record | None:
        """The task with its run reserved; `None` if there is none or its history is another by now."""

        async def started(task: Record) -> Changed | None:
            if task["deleted_at"] is not None or task["transitions"] != expected_transitions:
                return None
            return Changed(task_run_fields(task, attempt, user_id, run_db_id, session_user_id))

        return await self._company.change(TASKS, task_id, started)

    async def complete_task_run(
        self,
        task_id: str,
        job_id: str,
        result: dict[str, Any],
        expected_transitions: list[dict[str, Any]] | None = None,
        checkout: dict[str, Any] | None = None,
    ) -> Record | None:
        """The task with the result of its run; `None` if that run is not the task's, or has a result."""

        async def completed(task: Record) -> Changed | None:
            running = task["deleted_at"] is None and task["status"] == "in_progress" and task["result"] is None
            if not running or task["job_id"] != job_id:
                return None
            if expected_transitions is not None and task["transitions"] != expected_transitions:
                return None
            fields: Record = {"updated_at": self._company.now()}
            if result.get("status") == "COMPLETED":
                fields = task_transition_fields(task, "in_review", "Execution completed; human review required")
            if checkout is not None:
                fields["metadata"] = {**(task["metadata"] or {}), "checkout": checkout}
            return Changed({**fields, "result": result})

        return await self._company.change(TASKS, task_id, completed)

    async def count_company_acceptances(
        self, routine_id: str, policy: str, exclude_task_id: str, user_id: str | None = None
    ) -> int:
        """How many tasks and projects the routine accepted under the policy, but for this task; archived ones too."""
        return await accepted(self._company, routine_id, policy, task=exclude_task_id, user_id=user_id)

    async def transition_task(
        self,
        task_id: str,
        target: str,
        reason: str,
        user_id: str | None = None,
        accepted_by: str | None = None,
        executor_type: str | None = None,
        executor_id: str | None = None,
        expected_updated_at: int | None = UNSET_UPDATED_AT,
        auto_accept: AutoAccept | None = None,
    ) -> Record | None:
        """The task in its new status; `None` if there is none, or it changed since `expected_updated_at`.

        Raises `ValueError` for a step that is not allowed and where the routine that accepts has accepted all it may.
        """

        async def moved(task: Record) -> Changed | None:
            if auto_accept is not None:
                await self._company.require_parents(task)
                if expected_updated_at is UNSET_UPDATED_AT:
                    raise ValueError("Automatic acceptance requires expected_updated_at and a Product")
                await require_room(self._company, auto_accept, task=task_id)
            if task["deleted_at"] is not None or not is_owned(task, user_id):
                return None
            fields = task_transition_fields(task, target, reason, accepted_by, executor_type, executor_id)
            if auto_accept is not None:
                fields["transitions"][-1]["auto_accept"] = auto_accept
            else:
                await self._company.require_parents(task)
            if expected_updated_at is not UNSET_UPDATED_AT and task["updated_at"] != expected_updated_at:
                return None
            return Changed(fields)

        return await self._company.change(TASKS, task_id, moved, also=turns_of(auto_accept))


def _failing(failed: bool | None) -> Filter:
    if failed is None:
        return EVERYTHING
    bad = In(OUTCOME, FAILED)
    if failed:
        return all_of(eq("status", "in_progress"), bad)
    return any_of(compare("status", Comparison.NE, "in_progress"), IsNull(OUTCOME), Not(bad))
