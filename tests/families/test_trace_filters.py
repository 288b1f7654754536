"""Filter expressions over traces mean what agno's mean, and are refused where agno refuses them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dbrouter.backends.kernel.filters import EVERYTHING
from dbrouter.backends.kernel.matching import matches
from dbrouter.router.families.trace_filters import trace_filter

RECORD = {
    "trace_id": "t1",
    "name": "Support_Bot.run",
    "status": "OK",
    "start_time": "2026-01-01T12:00:00+00:00",
    "duration_ms": 1500,
    "user_id": None,
}


def single(operator: str, key: Any, value: Any) -> dict[str, Any]:
    return {"op": operator, "key": key, "value": value}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (single("EQ", "status", "OK"), True),
        (single("NEQ", "status", "OK"), False),
        (single("NEQ", "user_id", "u"), False),
        ({"op": "NOT", "condition": single("EQ", "user_id", "u")}, False),
        (single("GT", "duration_ms", 1499), True),
        (single("GT", "duration_ms", "1499.5"), True),
        (single("GTE", "duration_ms", 1500), True),
        (single("LT", "duration_ms", 1500), False),
        (single("LTE", "duration_ms", 1500.0), True),
        (single("CONTAINS", "name", "support_bot"), True),
        (single("CONTAINS", "name", "support%bot"), False),
        (single("CONTAINS", "duration_ms", 50), True),
        (single("STARTSWITH", "name", "SUPPORT"), True),
        (single("STARTSWITH", "name", "bot"), False),
        (single("EQ", "start_time", "2026-01-01T17:30:00+05:30"), True),
        (single("EQ", "start_time", "2026-01-01T12:00:00Z"), True),
        (single("EQ", "start_time", "2026-01-01T12:00:00"), True),
        (single("GTE", "start_time", datetime(2026, 1, 1, tzinfo=UTC)), True),
        (single("GTE", "start_time", "not a time"), False),
        ({"op": "IN", "key": "status", "values": ["ERROR", "OK"]}, True),
        ({"op": "IN", "key": "status", "values": []}, False),
        ({"op": "IN", "key": "start_time", "values": ["2026-01-01T12:00:00Z"]}, True),
        ({"op": "AND", "conditions": [single("EQ", "status", "OK"), single("EQ", "name", "x")]}, False),
        ({"op": "OR", "conditions": [single("EQ", "status", "OK"), single("EQ", "name", "x")]}, True),
        ({"op": "NOT", "condition": single("EQ", "status", "OK")}, False),
    ],
)
def test_an_expression_means_what_agno_means(expression: dict[str, Any], expected: bool) -> None:
    assert matches(trace_filter(expression), RECORD) is expected


@pytest.mark.parametrize("expression", [None, {}])
def test_no_expression_means_every_trace(expression: dict[str, Any] | None) -> None:
    assert trace_filter(expression) == EVERYTHING


@pytest.mark.parametrize(
    ("expression", "refusal"),
    [
        ({"key": "status"}, "must be a dict with 'op' key"),
        (["EQ"], "must be a dict with 'op' key"),
        ({"op": "LIKE"}, "Unknown filter operator: LIKE"),
        ({"op": ["EQ"]}, "Unknown filter operator"),
        (single("EQ", None, "x"), "EQ filter requires 'key' and 'value'"),
        (single("EQ", "status", None), "EQ filter requires 'key' and 'value'"),
        (single("EQ", "attributes", "x"), "Invalid filter field: 'attributes'"),
        (single("EQ", ["status"], "x"), "Invalid filter expression"),
        (single("EQ", "status", {"x": 1}), "Invalid filter value"),
        (single("GT", "duration_ms", "long"), "not a number"),
        (single("GT", "duration_ms", "nan"), "not a number"),
        ({"op": "IN", "key": "status"}, "IN filter requires 'key' and 'values'"),
        ({"op": "IN", "key": "status", "values": "OK"}, "requires a list"),
        ({"op": "IN", "key": "status", "values": [None]}, "Invalid filter value"),
        ({"op": "IN", "key": "secret", "values": ["OK"]}, "Invalid filter field"),
        ({"op": "AND", "conditions": []}, "AND filter requires 'conditions'"),
        ({"op": "OR"}, "OR filter requires 'conditions'"),
        ({"op": "AND", "conditions": 5}, "Invalid filter expression"),
        ({"op": "NOT"}, "NOT filter requires 'condition'"),
    ],
)
def test_a_malformed_expression_is_refused(expression: Any, refusal: str) -> None:
    with pytest.raises(ValueError, match=refusal):
        trace_filter(expression)


def test_ten_levels_are_taken_and_eleven_refused() -> None:
    expression: dict[str, Any] = single("EQ", "status", "OK")
    for _ in range(10):
        expression = {"op": "NOT", "condition": expression}
    assert matches(trace_filter(expression), RECORD)
    with pytest.raises(ValueError, match="maximum nesting depth of 10"):
        trace_filter({"op": "NOT", "condition": expression})
