"""Answers to the ops that write, over the rows in memory. The caller holds the transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dbrouter.backends.kernel.completing import changed, check_changes, check_columns, completed, key_in
from dbrouter.backends.kernel.duplicates import duplicate
from dbrouter.backends.kernel.errors import Conflict, StoreError
from dbrouter.backends.kernel.filters import Field, Filter, In, IsNull, all_of
from dbrouter.backends.kernel.merging import Next, Record, merged
from dbrouter.backends.kernel.ops import (
    ABSENT,
    Change,
    Check,
    Choice,
    Claim,
    Commit,
    Delete,
    Insert,
    Put,
    Remove,
    Require,
    Stored,
    Update,
    Upsert,
    Version,
)
from dbrouter.backends.kernel.stored_form import as_stored, decoded, encoded
from dbrouter.backends.memory.reads import sorted_rows, stored
from dbrouter.backends.memory.rows import Row
from dbrouter.backends.memory.state import MemoryState


def commit(state: MemoryState, op: Commit) -> tuple[Version | None, ...]:
    """Each put's new version."""
    versions: list[Version | None] = []
    for write in op.writes:
        match write:
            case Put():
                versions.append(_put(state, write))
            case Remove(table=table, key=key, expect=expect):
                if expect is not None:
                    _expect(state, table, key, expect)
                state.remove(table, [key])
                versions.append(None)
            case Check(table=table, key=key, expect=expect):
                _expect(state, table, key, expect)
                versions.append(None)
            case Change(table=table, key=key, where=where, changes=changes):
                _change(state, table, _matching(state, table, key, where), _resolved(state, changes))
                versions.append(None)
            case Require(table=table, key=key, where=where):
                _matching(state, table, key, where)
                versions.append(None)
    return tuple(versions)


def insert(state: MemoryState, op: Insert) -> None:
    """Keep new records."""
    for record in op.records:
        _insert(state, op.table, record)


def upsert(state: MemoryState, op: Upsert) -> list[Stored | None]:
    """What is stored now, per record; `None` where the guard or `expect` refused."""
    spec = state.spec(op.table)
    check_columns(spec, op.rules)
    kept = [_upsert(state, op, record) for record in op.records]
    if not op.returning and op.guard is None and op.expect is None:
        return []
    return [None if row is None else stored(state, op.table, row) for row in kept]


def update(state: MemoryState, op: Update) -> list[Record]:
    """The changed records."""
    rows = state.rows(op.table)
    check_changes(rows.spec, op.changes)
    changes = _resolved(state, op.changes)
    found = sorted_rows(state, op.table, state.find(op.table, op.where), ())
    written = [_change(state, op.table, row, changes) for row in found]
    return [decoded(rows.spec, row.values, None if op.returning else rows.spec.key) for row in written]


def claim(state: MemoryState, op: Claim) -> Record | None:
    """The first matching record, changed."""
    rows = state.rows(op.table)
    check_changes(rows.spec, op.changes)
    found = sorted_rows(state, op.table, state.find(op.table, op.where), op.order)
    if not found:
        return None
    return decoded(rows.spec, _change(state, op.table, found[0], _resolved(state, op.changes)).values)


def delete(state: MemoryState, op: Delete) -> int:
    """How many records are gone, children aside."""
    spec = state.spec(op.table)
    return state.remove(op.table, [key_in(spec, row.values) for row in state.find(op.table, op.where)])


def _put(state: MemoryState, write: Put) -> Version:
    spec = state.spec(write.table)
    check_columns(spec, write.record)
    key = key_in(spec, completed(spec, write.record))
    if write.expect is ABSENT:
        if key in state.rows(write.table).by_key:
            raise duplicate(write.table, spec.key)
    elif write.expect is not None:
        _expect(state, write.table, key, write.expect)
    return state.write(write.table, write.record).version


def _expect(state: MemoryState, table: str, key: tuple[Any, ...], expect: object) -> None:
    row = state.rows(table).by_key.get(key)
    if (ABSENT if row is None else row.version) != expect:
        raise Conflict(f"{table} {key}: the stored version is not the expected one; read it again")


def _matching(state: MemoryState, table: str, key: tuple[Any, ...], where: Filter) -> Row:
    row = state.rows(table).by_key.get(key)
    if row is None or row not in state.find(table, where):
        raise Conflict(f"{table} {key}: the record is not there, or not as the commit needs it; nothing was written")
    return row


def _insert(state: MemoryState, table: str, record: Mapping[str, Any]) -> Row:
    spec = state.spec(table)
    if key_in(spec, completed(spec, record)) in state.rows(table).by_key:
        raise duplicate(table, spec.key)
    return state.write(table, record)


def _upsert(state: MemoryState, op: Upsert, record: Record) -> Row | None:
    rows = state.rows(op.table)
    incoming = as_stored(rows.spec, record)
    key = rows.key_where(op.on or rows.spec.key, incoming)
    row = None if key is None else rows.by_key[key]
    if op.expect is not None and op.expect != (ABSENT if row is None else row.version):
        return None
    if row is None:
        return _insert(state, op.table, _positioned(state, op, incoming, None))
    before = decoded(rows.spec, row.values)
    if op.guard is not None and not op.guard.admits(before, incoming):
        return None
    after = merged(before, _positioned(state, op, incoming, before), op.rules)
    if key_in(rows.spec, after) != key:
        raise StoreError(f"{op.table}: an upsert cannot change the key of the record it found")
    return row if encoded(rows.spec, after) == row.values else state.write(op.table, after)


def _positioned(state: MemoryState, op: Upsert, incoming: Record, before: Record | None) -> Record:
    """The incoming record with its positions decided, where the stored record has none yet."""
    for column, rule in op.rules.items():
        if isinstance(rule, Next) and (before is None or before.get(column) is None):
            siblings = state.find(op.table, _siblings(rule, incoming if before is None else before))
            taken = {row.values[column] for row in siblings} - {None}
            if incoming[column] is None or incoming[column] in taken:
                incoming = incoming | {column: max(taken, default=-1) + 1}
    return incoming


def _siblings(rule: Next, record: Record) -> Filter:
    return all_of(
        *(
            IsNull(Field(column)) if record[column] is None else In(Field(column), (record[column],))
            for column in rule.within
        )
    )


def _change(state: MemoryState, table: str, row: Row, changes: Mapping[str, Any]) -> Row:
    rows = state.rows(table)
    return state.write(table, changed(rows.spec, decoded(rows.spec, row.values), changes))


def _resolved(state: MemoryState, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes with the `Related` filters of their choices answered."""
    return {
        column: Choice(where=state.resolved(change.where), then=change.then, otherwise=change.otherwise)
        if isinstance(change, Choice)
        else change
        for column, change in changes.items()
    }
