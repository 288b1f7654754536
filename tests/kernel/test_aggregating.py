"""Groups and measures: against Python's own statistics."""

from __future__ import annotations

import statistics
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbrouter.backends.kernel.aggregating import aggregate, percentile
from dbrouter.backends.kernel.filters import Field, eq
from dbrouter.backends.kernel.ops import Aggregate, Computed, Measure, Order
from tests.kernel.generated import tables

EVERY_MEASURE = tuple(Computed(name=each.value, measure=each, field=Field("number")) for each in Measure)


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=50))
def test_p95_is_the_inclusive_quantile(values: list[float]) -> None:
    found = percentile(values, 0.95)
    assert found == pytest.approx(statistics.quantiles(values, n=100, method="inclusive")[94], abs=1e-6)


def test_a_percentile_of_little_is_little() -> None:
    assert percentile([], 0.95) is None
    assert percentile([3], 0.95) == 3
    assert percentile([0, 100], 0.95) == 95


@given(rows=tables())
def test_groups_partition_the_records(rows: list[dict[str, Any]]) -> None:
    count = Computed(name="n", measure=Measure.COUNT)
    page = aggregate(rows, Aggregate(table="t", by={"text": Field("text")}, measures=(count,), total=True))
    assert {row["text"]: row["n"] for row in page.records} == Counter(row["text"] for row in rows)
    assert page.total == len(page.records)


@given(rows=tables())
def test_measures_leave_nulls_out(rows: list[dict[str, Any]]) -> None:
    (found,) = aggregate(rows, Aggregate(table="t", by={}, measures=EVERY_MEASURE)).records
    known = [row["number"] for row in rows if row["number"] is not None]
    assert found["count"] == len(known)
    assert found["distinct"] == len(set(known))
    assert found["min"] == min(known, default=None)
    assert found["max"] == max(known, default=None)
    assert found["mean"] == (pytest.approx(statistics.fmean(known)) if known else None)
    assert (found["p95"] is None) == (not known)


def test_a_measure_may_look_at_some_records_only() -> None:
    rows = [{"status": "ERROR"}, {"status": "OK"}, {"status": None}]
    errors = Computed(name="errors", measure=Measure.COUNT, where=eq("status", "ERROR"))
    assert aggregate(rows, Aggregate(table="t", by={}, measures=(errors,))).records == [{"errors": 1}]


def test_groups_are_ordered_paged_and_tied_by_their_fields() -> None:
    rows = [{"user": user, "n": n} for user, n in [("a", 1), ("b", 3), ("c", 3), (None, 9)]]
    top = Computed(name="top", measure=Measure.MAX, field=Field("n"))
    op = Aggregate(
        table="t",
        by={"user": Field("user")},
        measures=(top,),
        order=(Order(Field("top"), descending=True),),
        limit=2,
        offset=1,
        total=True,
    )
    page = aggregate(rows, op)
    assert [row["user"] for row in page.records] == ["c", "b"]
    assert page.total == 4
