"""Upserts and changes as updates: merge rules in MongoDB's update language, the guard in the filter. Pure.

The update runs on the stored document in one step, so of two writers none loses what it merged. What only replaces
columns is a plain `$set`; where the stored value decides, it is a pipeline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import bson

from dbrouter.backends.kernel.completing import check_columns
from dbrouter.backends.kernel.duplicates import unique_values, uniques_of
from dbrouter.backends.kernel.errors import StoreError
from dbrouter.backends.kernel.filters import Filter, columns_of
from dbrouter.backends.kernel.merging import (
    Elapsed,
    Fill,
    Greatest,
    Keep,
    Least,
    Next,
    OwnerGuard,
    Present,
    Ranked,
    Replace,
    Rule,
    SetTo,
    rank,
)
from dbrouter.backends.kernel.ops import KEEP_VALUE, Choice, Key, Upsert, Version
from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.backends.mongo.conditions import Query, query_of, together
from dbrouter.backends.mongo.documents import Document, field_of, operand
from dbrouter.backends.mongo.expressions import constant, is_known, is_true

Changes: TypeAlias = "Document | list[Document]"
"""An update: operators, or the stages of a pipeline."""

_MOMENT: Final = r"^(.{19})(?:\.(\d{1,6}))?\d*(Z|[+-]\d\d:?\d\d)?$"
"""An ISO-8601 time: to the second, its fraction, its offset."""


def with_key(spec: TableSpec, key: Key) -> Query:
    """The query for the document with this key."""
    return {column: operand(value) for column, value in zip(spec.key, key, strict=True)}


def at_version(version: Version) -> Query:
    """The query for a document that is still exactly this one, whoever wrote it."""
    return {"$expr": {"$eq": ["$$ROOT", {"$literal": bson.decode(version)}]}}


def version_of(raw: bytes) -> Version:
    """The version of a document: all of it. agno's class writes documents too, and keeps no counter in them."""
    return raw


def same_identity(spec: TableSpec, on: tuple[str, ...], document: Document) -> Query | None:
    """The query for the document that an incoming one is merged into; `None` if there can be none."""
    if not on or on == spec.key:
        return {column: document[column] for column in spec.key}
    for unique in uniques_of(spec):
        if unique.columns == on:
            values = unique_values(unique, document)
            if values is None:
                return None
            return together(dict(zip(on, values, strict=True)), query_of(unique.where))
    raise StoreError(f"{spec.name}: {', '.join(on)} identify no record: they are neither its key nor a unique set")


def admitting(guard: OwnerGuard | None, document: Document) -> Query:
    """The query for documents that the incoming one may change."""
    if guard is None:
        return {}
    writer = document[guard.column]
    if writer is None:
        return {} if guard.unscoped else {guard.column: None}
    return {guard.column: {"$in": [writer, None]} if guard.claim else writer}


@dataclass(frozen=True, slots=True)
class Merge:
    """One record of an upsert: what it is merged into, who may, what then happens, and what is inserted else."""

    same: Query | None
    admitted: Query
    update: Changes
    document: Document

    @property
    def query(self) -> Query:
        """The document to change."""
        return together(self.same or {}, self.admitted)

    @property
    def identity(self) -> str:
        """Equal for records that are merged into the same one."""
        return repr(self.document if self.same is None else self.same)


def merge(spec: TableSpec, op: Upsert, document: Document) -> Merge:
    """How an incoming document meets the stored one."""
    same = same_identity(spec, op.on, document)
    # What identifies it is equal already: that is how it was found.
    rules = {column: rule for column, rule in op.rules.items() if column not in (same or {})}
    update = _plainly(rules, document, same or {}) or _by_pipeline(spec, rules, document, same or {})
    return Merge(same, admitting(op.guard, document), update, document)


def _plainly(rules: Mapping[str, Rule], document: Document, same: Query) -> Document | None:
    """The update in operators, if no rule looks at what is stored."""
    set_: Document = {}
    for column, rule in rules.items():
        match rule:
            case Replace():
                set_[column] = document[column]
            case Present() if document[column] is not None:
                set_[column] = document[column]
            case Keep() | Present():
                continue
            case _:
                return None
    # The columns that identify it come from the query when it is inserted.
    once = {column: value for column, value in document.items() if column not in set_ and column not in same}
    return ({"$set": set_} if set_ else {}) | ({"$setOnInsert": once} if once else {})


def _by_pipeline(spec: TableSpec, rules: Mapping[str, Rule], document: Document, same: Query) -> list[Document]:
    """The update as a pipeline. Inserted, a document has only the columns of the query before it runs."""
    required = [column.name for column in spec.columns if not column.nullable and column.name not in same]
    is_new = {"$and": [{"$eq": [{"$type": f"${column}"}, "missing"]} for column in required]}
    first: Document = {}
    then: Document = {}
    for column, value in document.items():
        if column in same:
            continue
        stored, given = f"${column}", constant(value)
        if_there = {"$cond": [is_new, given, stored]}
        match rules.get(column):
            case Replace():
                first[column] = given
            case Fill() | Next():
                first[column] = {"$ifNull": [stored, given]}
            case Present() if value is not None:
                first[column] = given
            case Least() | Greatest() as rule if value is not None:
                beats = {"$lt" if isinstance(rule, Least) else "$gt": [given, stored]}
                first[column] = {"$cond": [{"$or": [{"$not": [is_known(stored)]}, beats]}, given, stored]}
            case SetTo(value=wanted):
                first[column] = {"$cond": [is_new, given, constant(field_of(spec, column, wanted))]}
            case Ranked(cases=cases):
                wins = {"$gt": [rank(document, cases), _ranked(cases)]}
                first[column] = {"$cond": [{"$or": [is_new, wins]}, given, stored]}
            case Elapsed(start=start, end=end):
                first[column] = if_there
                then[column] = {"$cond": [{"$eq": ["$dbr_new", True]}, stored, _elapsed(f"${start}", f"${end}")]}
            case _:
                first[column] = if_there
    if not then:
        return [{"$set": first}]
    return [{"$set": first | {"dbr_new": is_new}}, {"$set": then}, {"$unset": "dbr_new"}]


def changes_of(spec: TableSpec, changes: Mapping[str, Any]) -> Changes:
    """The update that makes these changes; each `Choice` looks at the document as it was before."""
    for column, change in changes.items():
        if change is None and not spec.column(column).nullable:
            raise StoreError(f"{spec.name}: {column} must not be null")
    if not any(isinstance(change, Choice) for change in changes.values()):
        return {"$set": {column: field_of(spec, column, each) for column, each in changes.items() if _sets(each)}}
    stage: Document = {}
    for column, change in changes.items():
        if isinstance(change, Choice):
            check_columns(spec, columns_of(change.where))
            branches = [_chosen(spec, column, each) for each in (change.then, change.otherwise)]
            stage[column] = {"$cond": [is_true(change.where), *branches]}
        elif _sets(change):
            stage[column] = constant(field_of(spec, column, change))
    return [{"$set": stage}]


def _sets(change: Any) -> bool:
    return change is not KEEP_VALUE


def _chosen(spec: TableSpec, column: str, value: Any) -> Any:
    if value is None and not spec.column(column).nullable:
        raise StoreError(f"{spec.name}: {column} must not be null")
    return constant(field_of(spec, column, value)) if _sets(value) else {"$ifNull": [f"${column}", None]}


def _ranked(cases: tuple[tuple[Filter, int], ...]) -> Any:
    """The rank of the stored document."""
    branches = [{"case": is_true(where), "then": value} for where, value in cases]
    return {"$switch": {"branches": branches, "default": 0}} if branches else 0


def _elapsed(start: Any, end: Any) -> Any:
    """Whole milliseconds between two times, rounded down. MongoDB's own times end at the millisecond."""
    micros = {"$subtract": [_micros(end), _micros(start)]}
    return {"$toLong": {"$floor": {"$divide": [micros, 1000]}}}


def _micros(moment: Any) -> Any:
    second = {"$arrayElemAt": ["$$parts.captures", 0]}
    fraction = {"$concat": [{"$ifNull": [{"$arrayElemAt": ["$$parts.captures", 1]}, ""]}, "000000"]}
    offset = {"$ifNull": [{"$arrayElemAt": ["$$parts.captures", 2]}, "Z"]}
    whole = {"$toLong": {"$dateFromString": {"dateString": {"$concat": [second, offset]}}}}
    micros = {"$add": [{"$multiply": [whole, 1000]}, {"$toLong": {"$substrBytes": [fraction, 0, 6]}}]}
    return {"$let": {"vars": {"parts": {"$regexFind": {"input": moment, "regex": _MOMENT}}}, "in": micros}}
