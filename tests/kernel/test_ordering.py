"""Order: nulls largest, code points, ties by key, and pages that partition the records."""

from __future__ import annotations

from functools import cmp_to_key
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dbrouter.backends.kernel.filters import Field
from dbrouter.backends.kernel.matching import read
from dbrouter.backends.kernel.ops import Order
from dbrouter.backends.kernel.ordering import backwards, page_of, sort_records
from tests.kernel.generated import orders, tables

KEY = ("left", "right")


@given(rows=tables(), order=orders())
def test_records_come_as_one_comparison_after_the_other_says(
    rows: list[dict[str, Any]], order: tuple[Order, ...]
) -> None:
    assert sort_records(rows, order, KEY) == sorted(rows, key=cmp_to_key(lambda a, b: _compared(a, b, order)))


@given(rows=tables(), order=orders(), size=st.integers(1, 6))
def test_pages_partition_the_records(rows: list[dict[str, Any]], order: tuple[Order, ...], size: int) -> None:
    ordered = sort_records(rows, order, KEY)
    pages = [page_of(sort_records(rows[::-1], order, KEY), start, size) for start in range(0, len(rows), size)]
    assert [row for page in pages for row in page] == ordered


@given(rows=tables(), order=orders())
def test_backwards_is_the_same_order_from_its_end(rows: list[dict[str, Any]], order: tuple[Order, ...]) -> None:
    assert sort_records(rows, backwards(order, KEY), KEY) == sort_records(rows, order, KEY)[::-1]


def test_text_sorts_by_code_point() -> None:
    rows = [{"left": text} for text in ["é", "b", "B", "\U0001f600", "\uffff", "a"]]
    assert [row["left"] for row in sort_records(rows, (), ("left",))] == ["B", "a", "b", "é", "\uffff", "\U0001f600"]


def test_ties_go_in_the_direction_of_the_first_term() -> None:
    rows = [{"left": 1, "same": 0}, {"left": 2, "same": 0}]
    assert sort_records(rows, (Order(Field("same")),), ("left",)) == rows
    assert sort_records(rows, (Order(Field("same"), descending=True),), ("left",)) == rows[::-1]
    assert sort_records(rows[::-1], (), ("left",)) == rows


def _compared(left: dict[str, Any], right: dict[str, Any], order: tuple[Order, ...]) -> int:
    descending = bool(order) and order[0].descending
    for term in (*order, *(Order(Field(column), descending) for column in KEY)):
        a, b = _value(left, term), _value(right, term)
        if a == b:
            continue
        smaller = (b is None) if a is None or b is None else a < b
        return -1 if smaller is not term.descending else 1
    return 0


def _value(row: dict[str, Any], term: Order) -> Any:
    value = read(term.field, row)
    return row[term.fallback] if value is None and term.fallback is not None else value
