"""Answers to the ops that only read, over the rows in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dbrouter.backends.kernel.aggregating import aggregate
from dbrouter.backends.kernel.completing import check_columns, projected
from dbrouter.backends.kernel.filters import EVERYTHING, Filter, columns_of
from dbrouter.backends.kernel.loading import children_scan, in_order
from dbrouter.backends.kernel.matching import matches
from dbrouter.backends.kernel.ops import Aggregate, Get, Key, Load, Loaded, Order, Page, Scan, Stored
from dbrouter.backends.kernel.ordering import page_of, sort_records
from dbrouter.backends.kernel.stored_form import decoded
from dbrouter.backends.memory.rows import Row
from dbrouter.backends.memory.state import MemoryState


def get(state: MemoryState, op: Get) -> Stored | None:
    """The record with the key, if it matches."""
    row = matching_row(state, op.table, op.key, op.where)
    return None if row is None else stored(state, op.table, row)


def scan(state: MemoryState, op: Scan) -> Page:
    """The page of matching records."""
    rows = state.rows(op.table)
    check_columns(rows.spec, op.columns or ())
    found = sorted_rows(state, op.table, state.find(op.table, op.where), op.order)
    shown = page_of(found, op.offset, op.limit)
    records = [projected(decoded(rows.spec, row.values, op.columns, op.raw), op.columns) for row in shown]
    return Page(records, total=len(found) if op.total else None)


def load(state: MemoryState, op: Load) -> Loaded | None:
    """The record with its children."""
    row = matching_row(state, op.table, op.key, op.where)
    if row is None:
        return None
    children = scan(state, children_scan(op, state.spec(op.children.table).key))
    record = decoded(state.spec(op.table), row.values, raw=op.raw)
    return Loaded(record, row.version, in_order(op, children.records))


def grouped(state: MemoryState, op: Aggregate) -> Page:
    """The page of groups."""
    rows = state.rows(op.table)
    measures = tuple(replace(each, where=state.resolved(each.where)) for each in op.measures)
    read = {field.column for field in op.by.values()} | {each.field.column for each in measures if each.field}
    read.update(*(columns_of(each.where) for each in measures))
    check_columns(rows.spec, read)
    records = [decoded(rows.spec, row.values, read) for row in state.find(op.table, op.where)]
    return aggregate(records, replace(op, where=EVERYTHING, measures=measures))


def matching_row(state: MemoryState, table: str, key: Key, where: Filter) -> Row | None:
    """The row with the key, if it matches."""
    rows = state.rows(table)
    row = rows.by_key.get(key)
    if row is None or not matches(state.resolved(where), decoded(rows.spec, row.values, frozenset(columns_of(where)))):
        return None
    return row


def sorted_rows(state: MemoryState, table: str, found: Sequence[Row], order: Sequence[Order]) -> list[Row]:
    """The rows sorted by `order`, then by key."""
    rows = state.rows(table)
    columns = {column for term in order for column in (term.field.column, term.fallback) if column}
    check_columns(rows.spec, columns)
    columns |= set(rows.spec.key)
    readable = [_Readable(decoded(rows.spec, row.values, columns), row) for row in found]
    return [each.row for each in sort_records(readable, order, rows.spec.key)]


def stored(state: MemoryState, table: str, row: Row) -> Stored:
    """The row as callers know it."""
    return Stored(decoded(state.spec(table), row.values), row.version)


class _Readable(dict[str, object]):
    """The columns of a row that its order reads, and the row."""

    __slots__ = ("row",)

    def __init__(self, columns: dict[str, object], row: Row) -> None:
        super().__init__(columns)
        self.row = row
