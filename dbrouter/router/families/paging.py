"""Pages and sort orders as agno's callers ask for them, in the kernel's words."""

from __future__ import annotations

from dbrouter.backends.kernel.filters import Field
from dbrouter.backends.kernel.ops import Order
from dbrouter.backends.kernel.tables import Kind, TableSpec
from dbrouter.router.agno_types import validate_pagination


def limited(limit: int | None, name: str = "limit") -> int | None:
    """The limit: 0 is nothing, `None` everything. Raises `ValueError` below 0.

    agno sends a limit as it is: to SQLite one below 0 is none, Postgres refuses it. name: what the caller calls it.
    """
    if limit is not None and limit < 0:
        raise ValueError(f"`{name}` must be 0 or more, or None for everything; got {limit}.")
    return limit


def from_offset(offset: int) -> int:
    """The offset. Raises `ValueError` below 0."""
    if offset < 0:
        raise ValueError(f"`offset` must be 0 or more; got {offset}.")
    return offset


def offset_of(limit: int | None, page: int | None) -> int:
    """How many records lie before this page (pages count from 1).

    Raises `ValueError` for a limit below 0, and for a page without a limit and a page below 1, as agno does.
    """
    limited(limit)
    validate_pagination(limit, page)
    return 0 if limit is None or page is None else (page - 1) * limit


def sorting(
    spec: TableSpec,
    sort_by: str | None,
    sort_order: str | None,
    default: tuple[Order, ...] = (),
    *,
    plain_text: str | None = None,
) -> tuple[Order, ...]:
    """The order a caller asks for by column name, or `default` if it asks for none.

    As in agno: an unknown column is ignored, anything but "asc" is descending, and a record that was
    never updated sorts by its creation. A column of JSON is ignored too, for databases differ in which of two
    objects is the larger, and a listing that merges their pages would show a record twice and miss another.

    plain_text: the column of JSON that holds text only, which is in order everywhere.
    """
    if sort_by is None or not spec.has(sort_by):
        return default
    if spec.column(sort_by).kind is Kind.JSON and sort_by != plain_text:
        return default
    fallback = "created_at" if sort_by == "updated_at" and spec.has("created_at") else None
    return (Order(Field(sort_by), descending=sort_order != "asc", fallback=fallback),)
