"""agno's filter expressions over traces, as the kernel's filters, with agno's refusals."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, cast

from dbrouter.backends.kernel.filters import (
    EVERYTHING,
    And,
    Compare,
    Comparison,
    Contains,
    Field,
    Filter,
    In,
    Not,
    Or,
    Scalar,
    StartsWith,
)
from dbrouter.router.agno_types import DATETIME_COLUMNS, MAX_FILTER_DEPTH, TRACE_COLUMNS, parse_datetime_utc

_COMPARISONS = {
    "EQ": Comparison.EQ,
    "NEQ": Comparison.NE,
    "GT": Comparison.GT,
    "GTE": Comparison.GE,
    "LT": Comparison.LT,
    "LTE": Comparison.LE,
}
_NUMBER_COLUMNS = frozenset({"duration_ms"})


def trace_filter(expression: Mapping[str, Any] | None) -> Filter:
    """The filter that a serialized agno `FilterExpr` means; no expression means every trace.

    Raises `ValueError` for an unknown operator or column, a missing part, a value that cannot be compared with its
    column, or more than ten levels of nesting: agno's routes answer 400 on it.
    """
    if not expression:
        return EVERYTHING
    try:
        return _filter(expression, 0)
    except (KeyError, TypeError) as error:
        raise ValueError(f"Invalid filter expression: {error}") from error


def _filter(expression: Any, depth: int) -> Filter:
    if depth > MAX_FILTER_DEPTH:
        raise ValueError(f"Filter expression exceeds maximum nesting depth of {MAX_FILTER_DEPTH}")
    if not isinstance(expression, Mapping) or "op" not in expression:
        raise ValueError(f"Invalid filter: must be a dict with 'op' key. Got: {expression}")
    return _operation(cast("Mapping[str, Any]", expression), depth)


def _operation(expression: Mapping[str, Any], depth: int) -> Filter:
    match expression["op"]:
        case "EQ" | "NEQ" | "GT" | "GTE" | "LT" | "LTE" | "CONTAINS" | "STARTSWITH" as operator:
            return _single(operator, expression)
        case "IN":
            return _membership(expression)
        case "AND":
            return And(_conditions("AND", expression, depth))
        case "OR":
            return Or(_conditions("OR", expression, depth))
        case "NOT":
            condition = expression.get("condition")
            if not condition:
                raise ValueError(f"NOT filter requires 'condition' field. Got: {expression}")
            return Not(_filter(condition, depth + 1))
        case operator:
            raise ValueError(f"Unknown filter operator: {operator}")


def _single(operator: str, expression: Mapping[str, Any]) -> Filter:
    key, value = expression.get("key"), expression.get("value")
    if key is None or value is None:
        raise ValueError(f"{operator} filter requires 'key' and 'value' fields. Got: {expression}")
    field = _column(key)
    match operator:
        case "CONTAINS":
            return Contains(field, _text(key, value))
        case "STARTSWITH":
            return StartsWith(field, _text(key, value))
        case _:
            return Compare(field, _COMPARISONS[operator], _comparable(key, value))


def _membership(expression: Mapping[str, Any]) -> Filter:
    key, values = expression.get("key"), expression.get("values")
    if key is None or values is None:
        raise ValueError(f"IN filter requires 'key' and 'values' fields. Got: {expression}")
    field = _column(key)
    if isinstance(values, str | Mapping) or not isinstance(values, Iterable):
        raise ValueError(f"IN filter requires a list of values. Got: {expression}")  # noqa: TRY004  # a 400
    return In(field, tuple(_comparable(key, value) for value in cast("Iterable[Any]", values)))


def _conditions(operator: str, expression: Mapping[str, Any], depth: int) -> tuple[Filter, ...]:
    conditions = expression.get("conditions")
    if not conditions:
        raise ValueError(f"{operator} filter requires 'conditions' field. Got: {expression}")
    return tuple(_filter(condition, depth + 1) for condition in conditions)


def _column(key: Any) -> Field:
    if key not in TRACE_COLUMNS:
        raise ValueError(f"Invalid filter field: '{key}'. Allowed: {sorted(TRACE_COLUMNS)}")
    return Field(key)


def _comparable(key: str, value: Any) -> Scalar:
    """The value in the type of its column: Postgres compares no text with a number, SQLite would convert it."""
    if key not in _NUMBER_COLUMNS:
        return _text(key, value)
    if isinstance(value, int):
        return int(value)
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"Invalid filter value for '{key}': {value!r} is not a number")
    return number


def _text(key: str, value: Any) -> str:
    """The value as a text column holds it; times, where they can be read, as ISO-8601 in UTC."""
    if key in DATETIME_COLUMNS:
        try:
            return parse_datetime_utc(value).isoformat()
        except (TypeError, ValueError):
            return _scalar_text(key, value)
    return _scalar_text(key, value)


def _scalar_text(key: str, value: Any) -> str:
    if not isinstance(value, str | int | float):
        raise ValueError(f"Invalid filter value for '{key}': {value!r} is no text, number or boolean")  # noqa: TRY004  # a 400
    return str(value)
