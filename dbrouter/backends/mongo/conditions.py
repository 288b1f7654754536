"""Filters in MongoDB's query language, which can use indexes. Pure; paths into JSON go by expression."""

from __future__ import annotations

from typing import Any, TypeAlias, assert_never

from dbrouter.backends.kernel.codec import encode_text
from dbrouter.backends.kernel.filters import (
    And,
    Compare,
    Comparison,
    Contains,
    Everything,
    Filter,
    HasItem,
    In,
    IsNull,
    Like,
    Not,
    Or,
    Related,
    StartsWith,
)
from dbrouter.backends.mongo.documents import operand
from dbrouter.backends.mongo.expressions import JSON_COLUMNS, NEGATED, OPERATORS, is_true, pattern

Query: TypeAlias = dict[str, Any]

NOTHING: Query = {"$nor": [{}]}
"""Matches no document."""


def query_of(where: Filter) -> Query:
    """The query for the documents that the filter is true for."""
    return _decided(where, wanted=True)


def together(*queries: Query) -> Query:
    """The query for documents that match all of these."""
    some = [each for each in queries if each]
    names = [name for each in some for name in each]
    if len(set(names)) == len(names):
        return {name: asked for each in some for name, asked in each.items()}
    return {"$and": some}


def _decided(where: Filter, *, wanted: bool) -> Query:
    match where:
        case Everything():
            return {} if wanted else NOTHING
        case In(values=()):
            return NOTHING if wanted else {}
        case Compare(field=field) | In(field=field) | IsNull(field=field) | Contains(field=field) if field.path:
            return {"$expr": is_true(where if wanted else Not(where))}
        case StartsWith(field=field) if field.path:
            return {"$expr": is_true(where if wanted else Not(where))}
        case Compare(field=field, comparison=comparison, value=value):
            return {field.column: _compared(comparison if wanted else NEGATED[comparison], operand(value))}
        case In(field=field, values=values):
            among = [operand(value) for value in values]
            return {field.column: {"$in": among} if wanted else {"$nin": [*among, None]}}
        case IsNull(field=field) if field.column in JSON_COLUMNS:
            # Asked of an array, the query language asks each of its items.
            return {"$expr": is_true(where if wanted else Not(where))}
        case IsNull(field=field):
            return {field.column: None if wanted else {"$ne": None}}
        case Contains(field=field, text=text):
            return {field.column: _regex(pattern(text), wanted)}
        case StartsWith(field=field, text=text):
            return {field.column: _regex(f"^{pattern(text)}", wanted)}
        case HasItem() if not wanted:
            return {"$expr": is_true(Not(where))}
        case HasItem(column=column, item=item):
            return {column: {"$elemMatch": {"$eq": encode_text(item)}}}
        case And(filters=filters) | Or(filters=filters):
            return _combined(filters, wanted=wanted, every=isinstance(where, And) is wanted)
        case Not(filter=inner):
            return _decided(inner, wanted=not wanted)
        case Related() | Like():
            raise TypeError(f"MongoDB does not run {type(where).__name__}; the kernel does")
        case _:
            assert_never(where)


def _combined(filters: tuple[Filter, ...], *, wanted: bool, every: bool) -> Query:
    parts = [_decided(each, wanted=wanted) for each in filters]
    if every:
        return together(*parts)
    return {"$or": parts} if parts else NOTHING


def _compared(comparison: Comparison, value: Any) -> Any:
    if comparison is Comparison.EQ:
        return {"$eq": value}
    if comparison is Comparison.NE:
        return {"$nin": [value, None]}
    return {OPERATORS[comparison]: value}


def _regex(regex: str, wanted: bool) -> Any:  # the way it shall come out, not an option
    condition = {"$regex": regex, "$options": "s"}
    return condition if wanted else {"$ne": None, "$not": condition}
