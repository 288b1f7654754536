"""Scans and aggregates as queries and pipelines. Pure.

Nulls count as larger than every value, and MongoDB sorts them first: an order by a column that may be null sorts by
whether it is null before it sorts by the column. Where a page is asked for, the known and the null ones are two
streams that indexes serve, of which only so many are sorted as the page needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, assert_never

from dbrouter.backends.kernel.completing import as_date, check_columns
from dbrouter.backends.kernel.filters import (
    EVERYTHING,
    And,
    Compare,
    Field,
    Filter,
    In,
    IsNull,
    Not,
    all_of,
    columns_of,
    is_null,
    not_null,
)
from dbrouter.backends.kernel.matching import json_text
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Aggregate, Computed, Measure, Order, Scan
from dbrouter.backends.kernel.ordering import terms
from dbrouter.backends.kernel.tables import Kind, TableSpec
from dbrouter.backends.mongo.conditions import Query, query_of
from dbrouter.backends.mongo.documents import plain_value
from dbrouter.backends.mongo.expressions import inside, is_known, is_true, value_at

Stage: TypeAlias = dict[str, Any]
Sort: TypeAlias = list[tuple[str, int]]

LAST: Final = 2**62
"""Further than any document: MongoDB takes no number beyond 64 bits as a limit."""
_OVERHEAD: Final = 8
"""Bytes of a document with one field of one letter, its value aside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """A query with a plain sort, which an index can serve."""

    query: Query
    projection: dict[str, int]
    sort: Sort
    skip: int = 0
    limit: int = 0


def scan(spec: TableSpec, collection: str, op: Scan) -> Find | list[Stage]:
    """What finds the page of records."""
    check_columns(spec, columns_of(op.where))
    check_columns(spec, op.columns or ())
    check_columns(spec, (column for term in op.order for column in (term.field.column, term.fallback) if column))
    order = terms(op.order, spec.key)
    projection = projected(op.columns)
    if all(_is_plain(spec, term) for term in order):
        query, limit = query_of(op.where), min(op.limit or 0, LAST)
        return Find(query=query, projection=projection, sort=_plain(order), skip=min(op.offset, LAST), limit=limit)
    asked = op.order[0]
    if op.limit is not None and not asked.field.path and all(_is_plain(spec, term) for term in order[1:]):
        return _page_of_two_streams(spec, collection, op, order, projection)
    matching = {"$match": query_of(op.where)}
    return [matching, *_sorted(spec, order), *_page(op.offset, op.limit), {"$project": projection}]


def projected(columns: Iterable[str] | None) -> dict[str, int]:
    """What asks for these columns only (all if `None`)."""
    return {"_id": 0} if columns is None else {"_id": 0} | dict.fromkeys(columns, 1)


def plain_sort(spec: TableSpec, order: Sequence[Order]) -> Sort | None:
    """The sort that says this order, key included, if a plain one does."""
    every = terms(order, spec.key)
    return _plain(every) if all(_is_plain(spec, term) for term in every) else None


def known_in(where: Filter) -> frozenset[str]:
    """Columns that are null in no record that matches."""
    match where:
        case Compare(field=Field(column=column, path=())) | Not(filter=IsNull(field=Field(column=column, path=()))):
            return frozenset({column})
        case In(field=Field(column=column, path=()), values=values) if values:
            return frozenset({column})
        case And(filters=filters):
            return frozenset().union(*map(known_in, filters))
        case _:
            return frozenset()


def _page_of_two_streams(
    spec: TableSpec, collection: str, op: Scan, order: Sequence[Order], projection: dict[str, int]
) -> list[Stage]:
    asked, ties = order[0], order[1:]
    most = {"$limit": max(1, min(op.offset + (op.limit or 0), LAST))}
    column = asked.field.column
    in_its_place = (Order(Field(asked.fallback), asked.descending),) if asked.fallback else ()
    with_null = [
        {"$match": query_of(all_of(op.where, is_null(column)))},
        {"$sort": dict(_plain(terms((*in_its_place, *ties), ())))},
        most,
    ]
    return [
        {"$match": query_of(all_of(op.where, not_null(column)))},
        {"$sort": dict(_plain(order))},
        most,
        {"$unionWith": {"coll": collection, "pipeline": with_null}},
        *_sorted(spec, order),
        *_page(op.offset, op.limit),
        {"$project": projection},
    ]


def _is_plain(spec: TableSpec, term: Order) -> bool:
    return not term.field.path and term.fallback is None and not spec.column(term.field.column).nullable


def _plain(order: Sequence[Order]) -> Sort:
    return [(term.field.column, _way(term)) for term in order]


def _way(term: Order) -> int:
    return -1 if term.descending else 1


def _sorted(spec: TableSpec, order: Sequence[Order]) -> list[Stage]:
    """The stages that sort by terms which may be null."""
    made: Stage = {}
    by: dict[str, int] = {}
    for index, term in enumerate(order):
        if _is_plain(spec, term):
            by[term.field.column] = _way(term)
            continue
        value = value_at(term.field)
        if term.fallback is not None:
            value = {"$ifNull": [value, f"${term.fallback}"]}
        made |= _null_and_value(index, value)
        by |= {f"dbr_null{index}": _way(term), f"dbr_value{index}": _way(term)}
    return [{"$set": made}, {"$sort": by}]


def _null_and_value(index: int, value: Any) -> Stage:
    return {f"dbr_null{index}": {"$cond": [is_known(value), 0, 1]}, f"dbr_value{index}": value}


def _page(offset: int, limit: int | None) -> list[Stage]:
    stages: list[Stage] = [{"$skip": min(offset, LAST)}] if offset else []
    return stages if limit is None else [*stages, {"$limit": max(1, min(limit, LAST))}]


def aggregate(spec: TableSpec, op: Aggregate) -> list[Stage]:
    """The pipeline that groups. With a total it answers one document: `rows` and `total`."""
    for where in (op.where, *(each.where for each in op.measures)):
        check_columns(spec, columns_of(where))
    fields = (*op.by.values(), *(each.field for each in op.measures if each.field is not None))
    check_columns(spec, (field.column for field in fields))
    identity = {f"g{index}": {"$ifNull": [_grouped(field), None]} for index, field in enumerate(op.by.values())}
    group: Stage = {"_id": identity or None}
    shown: Stage = {"_id": 0} | {name: f"$_id.{name}" for name in identity}
    for index, each in enumerate(op.measures):
        accumulated, answer = _measure(each, f"m{index}")
        group |= accumulated
        shown[f"m{index}"] = answer
    stages: list[Stage] = [{"$match": query_of(op.where)}, {"$group": group}, {"$project": shown}]
    places = {name: f"g{index}" for index, name in enumerate(op.by)}
    places |= {each.name: f"m{index}" for index, each in enumerate(op.measures)}
    order = terms(op.order, tuple(op.by))
    if order:
        made: Stage = {}
        for index, term in enumerate(order):
            made |= _null_and_value(index, f"${places[term.field.column]}")
        by = {f"dbr_{what}{index}": _way(term) for index, term in enumerate(order) for what in ("null", "value")}
        stages += [{"$set": made}, {"$sort": by}, {"$unset": list(made)}]
    page = _page(op.offset, op.limit)
    if op.total:
        return [*stages, {"$facet": {"rows": page or [{"$skip": 0}], "total": [{"$count": "n"}]}}]
    return [*stages, *page]


def groups(spec: TableSpec, op: Aggregate, rows: Iterable[dict[str, Any]]) -> list[Record]:
    """The records in what the pipeline answered."""
    readers: list[tuple[str, str, Callable[[Any], Any]]] = [
        (name, f"g{index}", _reader(spec, field)) for index, (name, field) in enumerate(op.by.items())
    ]
    for index, each in enumerate(op.measures):
        measured = each.measure in (Measure.MIN, Measure.MAX) and each.field is not None
        reader = _reader(spec, each.field) if measured and each.field else plain_value
        readers.append((each.name, f"m{index}", reader))
    return [{name: read(row.get(place)) for name, place, read in readers} for row in rows]


def nothing_grouped(op: Aggregate) -> Record:
    """The one group over no records."""
    counts = (Measure.COUNT, Measure.DISTINCT)
    return {each.name: 0 if each.measure in counts else None for each in op.measures}


def _reader(spec: TableSpec, field: Field) -> Callable[[Any], Any]:
    if field.path:
        return lambda value: json_text(plain_value(value)) if isinstance(value, dict | list) else plain_value(value)
    if spec.column(field.column).kind is Kind.DATE:
        return lambda value: as_date(spec, field.column, value)
    return plain_value


def _grouped(field: Field) -> Any:
    """What a group is made of: at a path text, and whole what has no text in MongoDB."""
    if not field.path:
        return f"${field.column}"
    found = inside(field)
    return {"$cond": [{"$in": [{"$type": found}, ["object", "array"]]}, found, value_at(field)]}


def _measure(asked: Computed, name: str) -> tuple[Stage, Any]:
    """What the group accumulates for a measure, and the expression that makes the answer of it."""
    chosen = is_true(asked.where) if asked.where != EVERYTHING else True
    if asked.field is None:
        if asked.measure is not Measure.COUNT:
            raise TypeError(f"{asked.name}: {asked.measure.value} needs a field; only a count goes without")
        return {name: {"$sum": {"$cond": [chosen, 1, 0]}}}, f"${name}"
    field = asked.field
    value = _grouped(field)
    counted = {"$and": [chosen, is_known(value)]}
    number = {"$convert": {"input": value, "to": "double", "onError": None, "onNull": None}} if field.path else value
    some = {"$cond": [counted, value, "$$REMOVE"]}
    match asked.measure:
        case Measure.COUNT:
            return {name: {"$sum": {"$cond": [counted, 1, 0]}}}, f"${name}"
        case Measure.DISTINCT:
            return {name: {"$addToSet": some}}, {"$size": f"${name}"}
        case Measure.MIN:
            return {name: {"$min": {"$cond": [counted, value, None]}}}, f"${name}"
        case Measure.MAX:
            return {name: {"$max": {"$cond": [counted, value, None]}}}, f"${name}"
        case Measure.MEAN:
            return {name: {"$avg": {"$cond": [counted, number, None]}}}, f"${name}"
        case Measure.P95:
            return {name: {"$push": {"$cond": [counted, number, "$$REMOVE"]}}}, _percentile(f"${name}", 0.95)
        case Measure.BYTES:
            size = {"$subtract": [{"$bsonSize": {"v": value}}, _OVERHEAD]}
            known = f"{name}n"
            return (
                {name: {"$sum": {"$cond": [counted, size, 0]}}, known: {"$sum": {"$cond": [counted, 1, 0]}}},
                {"$cond": [{"$gt": [f"${known}", 0]}, f"${name}", None]},
            )
        case _:
            assert_never(asked.measure)


def _percentile(values: str, fraction: float) -> Any:
    """Between the two nearest ranks. MongoDB's own `$percentile` is an estimate."""
    place = {"$multiply": [fraction, {"$subtract": [{"$size": "$$sorted"}, 1]}]}
    below = {"$arrayElemAt": ["$$sorted", {"$toInt": {"$floor": "$$place"}}]}
    above = {"$arrayElemAt": ["$$sorted", {"$toInt": {"$ceil": "$$place"}}]}
    beyond = {"$subtract": ["$$place", {"$floor": "$$place"}]}
    between = {"$add": [below, {"$multiply": [{"$subtract": [above, below]}, beyond]}]}
    in_order = {"$sortArray": {"input": values, "sortBy": 1}}
    computed = {"$let": {"vars": {"sorted": in_order}, "in": {"$let": {"vars": {"place": place}, "in": between}}}}
    return {"$cond": [{"$gt": [{"$size": values}, 0]}, computed, None]}
