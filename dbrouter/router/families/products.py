"""The products of a company."""

from __future__ import annotations

from typing import Any

from dbrouter.backends.kernel.filters import EVERYTHING, Field, all_of, eq, one_of
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Aggregate, Computed, Insert, Measure
from dbrouter.router.agno_types import (
    TASK_TRANSITIONS,
    company_sort,
    product_metadata,
    validate_product_fields,
)
from dbrouter.router.families.company import (
    ACTIVE,
    PRODUCTS,
    PROJECTS,
    TASKS,
    WITHIN_ACTIVE_PRODUCT,
    WITHIN_ACTIVE_PROJECT,
    Changed,
    Company,
    is_owned,
    owned_by,
)
from dbrouter.router.families.company_archive import archived, refuse_open_tasks, restored
from dbrouter.router.families.context import Context

UNFINISHED = ("proposed", "active")
COUNT = (Computed(name="count", measure=Measure.COUNT),)


class Products:
    """Creates, lists, changes and archives products."""

    def __init__(self, context: Context) -> None:
        self._company = Company(context)
        self._store = context.store

    async def add_product_routine(self, product_id: str, schedule_id: str) -> Record:
        """The product, with this schedule among its routines. Raises `ValueError` if it is missing or archived."""

        async def linked(product: Record) -> Changed | None:
            if product["deleted_at"] is not None:
                raise ValueError("Product is missing or archived")
            metadata = product_metadata(dict(product["metadata"] or {}))
            ids = list(metadata.get("routine_ids") or [])
            if schedule_id in ids:
                return None
            metadata["routine_ids"] = [*ids, schedule_id]
            return Changed({"metadata": metadata, "updated_at": self._company.now()})

        changed = await self._company.change(PRODUCTS, product_id, linked)
        return await self._company.require_product(product_id) if changed is None else changed

    async def create_product(self, product_data: Record) -> Record:
        """The stored product."""
        record: Record = {**product_data, "metadata": product_metadata(product_data.get("metadata"))}
        await self._store.execute(Insert(table=PRODUCTS, records=(record,)))
        stored = await self._company.stored(PRODUCTS, record["id"])
        return record if stored is None else stored.record

    async def get_product(
        self, product_id: str, user_id: str | None = None, include_deleted: bool = False
    ) -> Record | None:
        """The product, or `None` if there is none that the user owns and that is not archived."""
        return await self._company.get(PRODUCTS, product_id, user_id, include_deleted=include_deleted)

    async def get_products(
        self,
        user_id: str | None = None,
        limit: int = 20,
        page: int = 1,
        include_deleted: bool = False,
        sort_by: str | None = None,
        sort_order: str | None = None,
    ) -> tuple[list[Record], int]:
        """One page of the products, newest first unless asked otherwise, and how many there are in all."""
        column, direction = company_sort(sort_by, sort_order)
        where = all_of(owned_by(user_id), EVERYTHING if include_deleted else ACTIVE)
        return await self._company.page(PRODUCTS, where, limit=limit, page=page, sort_by=column, sort_order=direction)

    async def update_product(self, product_id: str, user_id: str | None = None, **fields: Any) -> Record | None:
        """The changed product, or `None` if there is none that the user owns and that is not archived.

        Metadata is replaced, but for the routines that are linked to the product.
        """
        validate_product_fields(fields)
        if "metadata" in fields:
            fields["metadata"] = product_metadata(fields["metadata"])

        async def updated(product: Record) -> Changed | None:
            if product["deleted_at"] is not None or not is_owned(product, user_id):
                return None
            columns = dict(fields)
            linked = (product["metadata"] or {}).get("routine_ids")
            if linked and "metadata" in columns and "routine_ids" not in columns["metadata"]:
                columns["metadata"] = {**columns["metadata"], "routine_ids": linked}
            return Changed({**columns, "updated_at": self._company.now()})

        return await self._company.change(PRODUCTS, product_id, updated)

    async def get_product_counts(self, product_ids: list[str]) -> dict[str, dict[str, Any]]:
        """Product -> `projects` that are unfinished, and `tasks`: status -> how many; archived ones aside."""
        if not product_ids:
            return {}
        counts: dict[str, dict[str, Any]] = {
            each: {"projects": 0, "tasks": dict.fromkeys(TASK_TRANSITIONS, 0)} for each in product_ids
        }
        shown = all_of(one_of("product_id", product_ids), ACTIVE, WITHIN_ACTIVE_PRODUCT)
        projects = await self._store.execute(
            Aggregate(
                table=PROJECTS,
                by={"product_id": Field("product_id")},
                measures=COUNT,
                where=all_of(shown, one_of("status", UNFINISHED)),
            )
        )
        for each in projects.records:
            counts[each["product_id"]]["projects"] = each["count"]
        tasks = await self._store.execute(
            Aggregate(
                table=TASKS,
                by={"product_id": Field("product_id"), "status": Field("status")},
                measures=COUNT,
                where=all_of(shown, WITHIN_ACTIVE_PROJECT),
            )
        )
        for each in tasks.records:
            counts[each["product_id"]]["tasks"][each["status"]] = each["count"]
        return counts

    async def delete_product(self, product_id: str, user_id: str | None = None) -> bool:
        """Whether the product was archived, with its projects and tasks. Raises `ValueError` while tasks are open."""
        now = self._company.now()
        parent = {"type": "product", "id": product_id}
        within = eq("product_id", product_id)

        async def gone(product: Record) -> Changed | None:
            if product["deleted_at"] is not None or not is_owned(product, user_id):
                return None
            await refuse_open_tasks(self._company, within)
            beside = [
                *await archived(self._company, PROJECTS, within, parent, now),
                *await archived(self._company, TASKS, within, parent, now),
            ]
            return Changed({"deleted_at": now, "updated_at": now}, beside)

        return await self._company.change(PRODUCTS, product_id, gone) is not None

    async def restore_product(self, product_id: str, user_id: str | None = None) -> Record | None:
        """The product, back with all that was archived with it; `None` if it is not archived or not the user's."""
        now = self._company.now()
        parent = {"type": "product", "id": product_id}
        within = eq("product_id", product_id)

        async def back(product: Record) -> Changed | None:
            if product["deleted_at"] is None or not is_owned(product, user_id):
                return None
            beside = [
                *await restored(self._company, PROJECTS, within, parent, now),
                *await restored(self._company, TASKS, within, parent, now),
            ]
            return Changed({"deleted_at": None, "updated_at": now}, beside)

        return await self._company.change(PRODUCTS, product_id, back)
