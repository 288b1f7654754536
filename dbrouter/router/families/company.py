"""What products, sources, projects and tasks of a company have in common.

Whatever changes takes the turn of its product, so that a product cannot be archived while work is added to it, and what
a change was decided from is still so when it is written.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dbrouter.backends.kernel.filters import EVERYTHING, Field, Filter, Related, all_of, any_of, eq, is_null
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import ABSENT, Get, Order, Put, Scan, Stored, Write
from dbrouter.router.families.context import Context
from dbrouter.router.families.turns import Plan, Turns

PRODUCTS = "products"
SOURCES = "sources"
PROJECTS = "projects"
TASKS = "tasks"

ACTIVE = is_null("deleted_at")
WITHIN_ACTIVE_PRODUCT = Related("product_id", PRODUCTS, "id", ACTIVE)
WITHIN_ACTIVE_PROJECT = any_of(is_null("project_id"), Related("project_id", PROJECTS, "id", ACTIVE))
"""What is archived hides what belongs to it."""

CLOSED = ("done", "cancelled")


@dataclass(frozen=True, slots=True)
class Changed:
    """The columns a record changes, and what is written beside it."""

    columns: dict[str, Any]
    beside: Sequence[Write] = field(default=())


Decide = Callable[[Record], Awaitable["Changed | None"]]
"""Decides from a record how it changes; `None` leaves it. Asked again when another writer came first."""


class Company:
    """Reads and changes the records of a company."""

    def __init__(self, context: Context) -> None:
        self.store = context.store
        self.now = context.now
        self._turns = Turns(context.store, "company")

    async def stored(self, table: str, id_: str) -> Stored | None:
        """The record and its version."""
        return await self.store.execute(Get(table=table, key=(id_,), versioned=True))

    async def get(self, table: str, id_: str, user_id: str | None, *, include_deleted: bool) -> Record | None:
        """The record, or `None` if there is none that the user owns and that is not archived."""
        where = all_of(owned_by(user_id), EVERYTHING if include_deleted else ACTIVE)
        found = await self.store.execute(Get(table=table, key=(id_,), where=where))
        return None if found is None else found.record

    async def page(
        self, table: str, where: Filter, *, limit: int, page: int, sort_by: str = "created_at", sort_order: str = "desc"
    ) -> tuple[list[Record], int]:
        """One page of the records that match, and how many do in all."""
        if limit < 1 or page < 1:
            raise ValueError("limit and page must be positive")
        fallback = "created_at" if sort_by == "updated_at" else None
        found = await self.store.execute(
            Scan(
                table=table,
                where=where,
                order=(Order(Field(sort_by), descending=sort_order != "asc", fallback=fallback),),
                limit=limit,
                offset=(page - 1) * limit,
                total=True,
            )
        )
        return found.records, found.total or 0

    async def add(self, table: str, record: Record, met: Callable[[], Awaitable[Record | None]]) -> Record:
        """The new record, or the one that `met` answers in its place. `ValueError` if its product is archived."""

        async def added() -> Plan[str | Record]:
            await self.require_product(record["product_id"])
            found = await met()
            if found is not None:
                return Plan(found)
            return Plan(record["id"], (Put(table=table, record=record, expect=ABSENT),))

        answer = await self._turns.take(record["product_id"], added)
        if not isinstance(answer, str):
            return answer
        stored = await self.stored(table, answer)
        return record if stored is None else stored.record

    async def change(self, table: str, id_: str, decide: Decide, *, also: Sequence[str] = ()) -> Record | None:
        """The record as it is after the change, or `None` if there is none or it stays as it is.

        also: further turns to take, of what the decision reads beyond the product.
        """
        first = await self.stored(table, id_)
        if first is None:
            return None

        async def changed() -> Plan[Record | None]:
            stored = await self.stored(table, id_)
            decided = None if stored is None else await decide(stored.record)
            if stored is None or decided is None:
                return Plan(None)
            after = stored.record | decided.columns
            return Plan(after, (Put(table=table, record=after, expect=stored.version), *decided.beside))

        return await self._turns.take(id_ if table == PRODUCTS else first.record["product_id"], changed, also=also)

    async def require_product(self, product_id: str) -> Record:
        """The product, if it is there and not archived, else `ValueError`."""
        product = await self.get(PRODUCTS, product_id, None, include_deleted=False)
        if product is None:
            raise ValueError("Product is missing or archived")
        return product

    async def require_project(self, project_id: str | None, product_id: str, task_status: str | None = None) -> None:
        """Raise `ValueError` unless a task of this product and status may belong to the project."""
        if project_id is None:
            return
        project = await self.get(PROJECTS, project_id, None, include_deleted=False)
        if project is None:
            raise ValueError("Project is missing or archived")
        if project["product_id"] != product_id:
            raise ValueError("Task and Project must belong to the same Product")
        if task_status is not None and task_status not in CLOSED and project["status"] in CLOSED:
            raise ValueError("Cannot add open work to a completed or cancelled Project")

    async def require_parents(self, record: Record) -> None:
        """Raise `ValueError` unless what the record belongs to is there and not archived."""
        await self.require_product(record["product_id"])
        await self.require_project(record.get("project_id"), record["product_id"])

    async def every(self, table: str, where: Filter) -> list[Stored]:
        """All records that match, with their versions."""
        found = await self.store.execute(Scan(table=table, where=where, columns=("id",)))
        stored = [await self.stored(table, record["id"]) for record in found.records]
        return [each for each in stored if each is not None]


def owned_by(user_id: str | None) -> Filter:
    """Records of the user, all if there is none."""
    return EVERYTHING if user_id is None else eq("user_id", user_id)


def is_owned(record: Record, user_id: str | None) -> bool:
    """Whether the record is the user's."""
    return user_id is None or record["user_id"] == user_id
