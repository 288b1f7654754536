"""The projects of a company's products."""

from __future__ import annotations

from typing import Any

from dbrouter.backends.kernel.filters import EVERYTHING, Field, Not, all_of, eq, equals, one_of
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Aggregate, Scan
from dbrouter.router.agno_types import (
    TASK_TRANSITIONS,
    UNSET_UPDATED_AT,
    company_sort,
    project_transition_fields,
    validate_project_fields,
)
from dbrouter.router.families.acceptances import AutoAccept, require_room, turns_of
from dbrouter.router.families.company import (
    ACTIVE,
    CLOSED,
    PROJECTS,
    TASKS,
    WITHIN_ACTIVE_PRODUCT,
    WITHIN_ACTIVE_PROJECT,
    Changed,
    Company,
    is_owned,
    owned_by,
)
from dbrouter.router.families.company_archive import archived, event, refuse_open_tasks, restored
from dbrouter.router.families.context import Context
from dbrouter.router.families.products import COUNT

STILL_OPEN = Not(one_of("status", CLOSED))


class Projects:
    """Creates, lists, changes, moves on and archives projects."""

    def __init__(self, context: Context) -> None:
        self._company = Company(context)
        self._store = context.store

    async def create_project(self, project_data: Record, reuse: bool = False) -> Record:
        """The stored project. reuse: or the one of this id, if there is one.

        Raises `ValueError` if its product is archived, or another product has a project of this id.
        """

        async def met() -> Record | None:
            existing = await self._company.stored(PROJECTS, project_data["id"]) if reuse else None
            if existing is None:
                return None
            if existing.record["product_id"] != project_data["product_id"]:
                raise ValueError("Project identity belongs to another Product")
            return existing.record

        return await self._company.add(PROJECTS, project_data, met)

    async def get_project(
        self, project_id: str, user_id: str | None = None, include_deleted: bool = False
    ) -> Record | None:
        """The project, or `None` if there is none that the user owns and that is not archived."""
        return await self._company.get(PROJECTS, project_id, user_id, include_deleted=include_deleted)

    async def get_projects(
        self,
        user_id: str | None = None,
        limit: int = 20,
        page: int = 1,
        include_deleted: bool = False,
        product_id: str | None = None,
        status: str | None = None,
        sort_by: str | None = None,
        sort_order: str | None = None,
    ) -> tuple[list[Record], int]:
        """One page of the projects of active products, newest first unless asked otherwise, and how many in all."""
        column, direction = company_sort(sort_by, sort_order)
        where = all_of(
            equals(product_id=product_id, status=status),
            owned_by(user_id),
            WITHIN_ACTIVE_PRODUCT,
            EVERYTHING if include_deleted else ACTIVE,
        )
        return await self._company.page(PROJECTS, where, limit=limit, page=page, sort_by=column, sort_order=direction)

    async def update_project(
        self, project_id: str, user_id: str | None = None, expected_status: str | None = None, **fields: Any
    ) -> Record | None:
        """The changed project, or `None` if there is none that the user owns, is not archived and has this status."""
        validate_project_fields(fields)

        async def updated(project: Record) -> Changed | None:
            await self._company.require_product(project["product_id"])
            if project["deleted_at"] is not None or not is_owned(project, user_id):
                return None
            if expected_status is not None and project["status"] != expected_status:
                return None
            return Changed({**fields, "updated_at": self._company.now()})

        return await self._company.change(PROJECTS, project_id, updated)

    async def get_project_counts(self, project_ids: list[str]) -> dict[str, dict[str, Any]]:
        """Project -> `tasks`: status -> how many; archived ones aside."""
        if not project_ids:
            return {}
        counts: dict[str, dict[str, Any]] = {
            each: {"tasks": dict.fromkeys(TASK_TRANSITIONS, 0)} for each in project_ids
        }
        tasks = await self._store.execute(
            Aggregate(
                table=TASKS,
                by={"project_id": Field("project_id"), "status": Field("status")},
                measures=COUNT,
                where=all_of(one_of("project_id", project_ids), ACTIVE, WITHIN_ACTIVE_PRODUCT, WITHIN_ACTIVE_PROJECT),
            )
        )
        for each in tasks.records:
            counts[each["project_id"]]["tasks"][each["status"]] = each["count"]
        return counts

    async def delete_project(
        self, project_id: str, user_id: str | None = None, updated_before: int | None = None
    ) -> bool:
        """Whether the project was archived, with its tasks. Raises `ValueError` while tasks are being worked on.

        updated_before: only if it and all of its tasks are closed and it has not changed since, in epoch seconds.
        """
        now = self._company.now()
        within = eq("project_id", project_id)

        async def gone(project: Record) -> Changed | None:
            await self._company.require_product(project["product_id"])
            if project["deleted_at"] is not None or not is_owned(project, user_id):
                return None
            if updated_before is not None and not _rests(project, updated_before):
                return None
            await refuse_open_tasks(self._company, within)
            if updated_before is not None and await self._has_open(within):
                return None
            parent = {"type": "project", "id": project_id}
            tasks = await archived(self._company, TASKS, within, parent, now)
            history = event(project, "archive", now)
            return Changed({"deleted_at": now, "updated_at": now, "transitions": history}, tasks)

        return await self._company.change(PROJECTS, project_id, gone) is not None

    async def restore_project(self, project_id: str, user_id: str | None = None) -> Record | None:
        """The project, back with the tasks archived with it; `None` if it is not archived or not the user's."""
        now = self._company.now()

        async def back(project: Record) -> Changed | None:
            await self._company.require_product(project["product_id"])
            if project["deleted_at"] is None or not is_owned(project, user_id):
                return None
            parent = {"type": "project", "id": project_id}
            tasks = await restored(self._company, TASKS, eq("project_id", project_id), parent, now)
            history = event(project, "restore", now)
            return Changed({"deleted_at": None, "updated_at": now, "transitions": history}, tasks)

        return await self._company.change(PROJECTS, project_id, back)

    async def transition_project(
        self,
        project_id: str,
        target: str,
        reason: str,
        user_id: str | None = None,
        accepted_by: str | None = None,
        expected_updated_at: int | None = UNSET_UPDATED_AT,
        auto_accept: AutoAccept | None = None,
    ) -> Record | None:
        """The project in its new status; `None` if there is none, or it changed since `expected_updated_at`.

        Raises `ValueError` for a step that is not allowed, for open tasks of a project that shall be done, and where
        the routine that accepts has accepted all it may.
        """

        async def moved(project: Record) -> Changed | None:
            await self._company.require_product(project["product_id"])
            if auto_accept is not None:
                if target != "done" or expected_updated_at is UNSET_UPDATED_AT:
                    raise ValueError("Automatic completion requires expected_updated_at and a Project with Tasks")
                await require_room(self._company, auto_accept, project=project_id)
            if project["deleted_at"] is not None or not is_owned(project, user_id):
                return None
            waiting: list[Record] = []
            if target == "done":
                open_ = all_of(eq("project_id", project_id), STILL_OPEN)
                waiting = (await self._store.execute(Scan(table=TASKS, where=open_))).records
            fields = project_transition_fields(project, target, reason, accepted_by, tasks=waiting)
            if expected_updated_at is not UNSET_UPDATED_AT and project["updated_at"] != expected_updated_at:
                return None
            if auto_accept is not None:
                fields["transitions"][-1]["auto_accept"] = auto_accept
            return None if waiting else Changed(fields)

        return await self._company.change(PROJECTS, project_id, moved, also=turns_of(auto_accept))

    async def _has_open(self, within: Any) -> bool:
        found = await self._store.execute(Scan(table=TASKS, where=all_of(within, STILL_OPEN), limit=1, columns=("id",)))
        return bool(found.records)


def _rests(project: Record, updated_before: int) -> bool:
    changed_at = project["created_at"] if project["updated_at"] is None else project["updated_at"]
    return project["status"] in CLOSED and changed_at < updated_before
