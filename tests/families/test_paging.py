"""Pages and sort orders."""

from __future__ import annotations

import pytest

from dbrouter.backends.kernel.agno_tables.approvals import APPROVALS
from dbrouter.backends.kernel.agno_tables.memories import MEMORIES
from dbrouter.backends.kernel.agno_tables.traces import TRACES
from dbrouter.backends.kernel.filters import Field
from dbrouter.backends.kernel.ops import Order
from dbrouter.router.families.paging import offset_of, sorting

NEWEST = (Order(Field("created_at"), descending=True),)


@pytest.mark.parametrize(
    ("limit", "page", "offset"), [(None, None, 0), (10, None, 0), (10, 1, 0), (10, 3, 20), (0, 2, 0)]
)
def test_a_page_starts_after_the_pages_before_it(limit: int | None, page: int | None, offset: int) -> None:
    assert offset_of(limit, page) == offset


@pytest.mark.parametrize(("limit", "page"), [(None, 1), (None, 5), (10, 0), (10, -1)])
def test_a_page_without_a_limit_or_below_one_is_refused(limit: int | None, page: int) -> None:
    with pytest.raises(ValueError, match="page"):
        offset_of(limit, page)


def test_no_sort_column_gives_the_default_order() -> None:
    assert sorting(MEMORIES, None, "asc", default=NEWEST) == NEWEST
    assert sorting(MEMORIES, None, None) == ()


def test_an_unknown_sort_column_gives_no_order_not_the_default() -> None:
    assert sorting(MEMORIES, "nonsense", "asc", default=NEWEST) == ()


@pytest.mark.parametrize(("sort_order", "descending"), [("asc", False), ("desc", True), (None, True), ("up", True)])
def test_everything_but_asc_is_descending(sort_order: str | None, descending: bool) -> None:
    assert sorting(APPROVALS, "status", sort_order) == (Order(Field("status"), descending=descending),)


def test_a_record_that_was_never_updated_sorts_by_its_creation() -> None:
    assert sorting(MEMORIES, "updated_at", "asc") == (Order(Field("updated_at"), fallback="created_at"),)


def test_a_table_without_that_column_ignores_it() -> None:
    assert sorting(TRACES, "updated_at", "asc") == ()
