"""Records in order: the reference for `Order`, the key as tie-break, and pages.

Nulls count as larger than every value, text sorts by code point, and the table's key breaks ties in the direction
of the first term, so that one index can serve the whole order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from dbrouter.backends.kernel.filters import Field
from dbrouter.backends.kernel.matching import json_text, read
from dbrouter.backends.kernel.ops import Order

R = TypeVar("R", bound=Mapping[str, Any])
T = TypeVar("T")


def sort_records(records: Sequence[R], order: Sequence[Order], key_columns: Sequence[str]) -> list[R]:
    """The records sorted by `order`, then by the key columns."""
    ordered = list(records)
    # Python's sort is stable, so the least significant term goes first.
    for term in reversed(terms(order, key_columns)):
        ordered.sort(key=lambda record, term=term: rank_of(term, record), reverse=term.descending)
    return ordered


def terms(order: Sequence[Order], key_columns: Sequence[str]) -> tuple[Order, ...]:
    """The sort terms including the tie-break: ascending without terms, else as the first term goes."""
    descending = order[0].descending if order else False
    asked = {term.field.column for term in order if not term.field.path and term.fallback is None}
    return (*order, *(Order(Field(column), descending) for column in key_columns if column not in asked))


def backwards(order: Sequence[Order], key_columns: Sequence[str]) -> tuple[Order, ...]:
    """The same order, tie-break included, from its end."""
    return tuple(replace(term, descending=not term.descending) for term in terms(order, key_columns))


def rank_of(term: Order, record: Mapping[str, Any]) -> tuple[bool, Any]:
    """What one term compares: nulls last, then the value."""
    value = read(term.field, record)
    if value is None and term.fallback is not None:
        value = record.get(term.fallback)
    if value is None:
        return (True, 0)
    return (False, json_text(value) if isinstance(value, dict | list) else value)


def page_of(records: list[T], offset: int, limit: int | None) -> list[T]:
    """The part of ordered records that a page shows."""
    return records[offset:] if limit is None else records[offset : offset + limit]
