"""Answers of several databases in one order."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dbrouter.router.any_agno.call import Call
from dbrouter.router.any_agno.merging import merged


def in_order(column: str, *values: Any) -> list[Any]:
    """The values of a column as they are listed when each is in another database."""
    call = Call(
        table="evals",
        method="get_eval_runs",
        arguments={"sort_by": column, "sort_order": "asc", "deserialize": False},
    )
    rows, total = merged(call, [([{column: each}], 1) for each in values])
    assert total == len(values)
    return [row[column] for row in rows]


@pytest.mark.parametrize(
    "values", [("20240115", "bob"), ("2024-01-15", "a", "z"), ("2024-W01", "20240101", "2023"), ("bob", None)]
)
def test_text_that_looks_like_a_time_is_text(values: tuple[Any, ...]) -> None:
    texts = sorted(each for each in values if each is not None)
    assert in_order("name", *values) == [*texts, *(each for each in values if each is None)]


def test_times_are_compared_however_they_are_written() -> None:
    at = [datetime(2024, 1, 1, tzinfo=UTC), "2024-01-02T00:00:00+00:00", 1704240000]
    assert in_order("created_at", *reversed(at)) == at


def test_a_time_that_nobody_can_read_comes_after_those_that_can_be() -> None:
    assert in_order("created_at", "soon", 1704240000) == [1704240000, "soon"]
