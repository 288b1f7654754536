"""Insert, Upsert, Update, Claim, Delete and single conditional writes as SQL. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from dbrouter.backends.kernel.completing import check_changes
from dbrouter.backends.kernel.errors import StoreError
from dbrouter.backends.kernel.filters import EVERYTHING, Filter, all_of, eq
from dbrouter.backends.kernel.merging import Elapsed, Keep, Next, Record
from dbrouter.backends.kernel.ops import (
    ABSENT,
    Change,
    Check,
    Claim,
    Delete,
    Insert,
    Key,
    Put,
    Remove,
    Require,
    Update,
    Upsert,
    Version,
)
from dbrouter.backends.kernel.tenant_tables import children_of
from dbrouter.backends.sql.conditions import Conditions, Merging, row_of
from dbrouter.backends.sql.reading import Relations, by_key
from dbrouter.backends.sql.relation import Relation, in_order
from dbrouter.backends.sql.statements import Statement


def insert(op: Insert, relations: Relations) -> list[Statement]:
    """New rows; as many statements as the parameter limit asks for."""
    relation = relations[op.table]
    records = [relation.completed(record) for record in op.records]
    columns = in_order({column for record in records for column in record}, relation)
    statements: list[Statement] = []
    for chunk in chunked(records, relation.dialect.max_params // max(1, len(columns))):
        params: list[Any] = []
        values = ", ".join(_row(Conditions(relation, relations, params), columns, record) for record in chunk)
        statements.append(
            Statement(
                f"INSERT INTO {relation.table} ({_names(relation, columns)}) VALUES {values}",
                tuple(params),
                True,
                False,
            )
        )
    return statements


def answered(op: Upsert, relation: Relation) -> tuple[str, ...]:
    """The columns an upsert gives back."""
    rows_are_versions = relation.dialect.version(relation.table) is None
    if op.returning or (op.expect is not None and rows_are_versions):
        return tuple(relation.kinds)
    return (op.on or relation.spec.key) if op.guard is not None or op.expect is not None else ()


def upsert(op: Upsert, relations: Relations) -> list[Statement]:
    """Upserts of records with distinct keys; with positions, preceded by the lock for their parents."""
    relation = relations[op.table]
    records = [relation.completed(record) for record in op.records]
    columns = in_order({*op.rules, *(column for record in records for column in record)}, relation)
    statements: list[Statement] = []
    positions = {column: rule for column, rule in op.rules.items() if isinstance(rule, Next)}
    for column, rule in positions.items():
        lock = relation.dialect.lock_position(column, len(rule.within))
        if lock is not None:
            parents = sorted({tuple(relation.param(each, record[each]) for each in rule.within) for record in records})
            lists = tuple(map(list, zip(*parents, strict=True)))
            statements.append(Statement(lock, lists, writes=True, answers=False))
    if positions:
        # One record a statement: each must see the positions the one before it took.
        statements.extend(_upsert_chunk(op, relations, [record], columns, positions) for record in records)
        return statements
    for chunk in chunked(records, relation.dialect.max_params // max(1, len(columns))):
        statements.append(_upsert_chunk(op, relations, chunk, columns, positions))
    return statements


def _upsert_chunk(
    op: Upsert,
    relations: Relations,
    records: Sequence[Record],
    columns: tuple[str, ...],
    positions: Mapping[str, Next],
) -> Statement:
    relation = relations[op.table]
    params: list[Any] = []
    conditions = Conditions(relation, relations, params)
    values = ", ".join(_row(conditions, columns, record, positions) for record in records)
    text = f"INSERT INTO {relation.table} ({_names(relation, columns)}) VALUES {values}"
    target, returned = op.on or relation.spec.key, answered(op, relation)
    merging = Merging(conditions, lambda column: f"excluded.{relation.quoted(column)}")
    rules = {column: rule for column, rule in op.rules.items() if column in relation.kinds}
    changes = any(not isinstance(rule, Keep) for rule in rules.values())
    if op.expect is ABSENT or not (changes or returned):
        text += f" ON CONFLICT {_target(conditions, target)} DO NOTHING"
    else:
        # With nothing to change, a change to itself still lets the row be returned.
        itself = f"{relation.quoted(target[0])} = {relation.of_table(target[0])}"
        assignments = merging.assignments(rules) if changes else itself
        text += f" ON CONFLICT {_target(conditions, target)} DO UPDATE SET {assignments}"
        if op.guard is not None:
            text += f" WHERE {merging.admitted(op.guard)}"
    if returned:
        text += f" RETURNING {_returned(relation, returned)}"
    return Statement(text, tuple(params), True, bool(returned))


def expected_update(op: Upsert, record: Record, relations: Relations) -> Statement:
    """An upsert that expects a version: an update, since a missing row must stay missing."""
    relation = relations[op.table]
    if any(isinstance(rule, Elapsed) for rule in op.rules.values()):
        raise StoreError(f"an upsert of {op.table} that expects a version cannot compute an elapsed time")
    params: list[Any] = []
    conditions = Conditions(relation, relations, params)
    merging = Merging(conditions, lambda column: conditions.bind_column(column, record.get(column)))
    target = op.on or relation.spec.key
    assignments = merging.assignments(op.rules) or f"{relation.quoted(target[0])} = {relation.of_table(target[0])}"
    text = f"UPDATE {relation.table} SET {assignments}"
    where = conditions.where(all_of(*(eq(column, record[column]) for column in target)))
    where += f" AND {_unchanged(conditions, op.expect)}"
    if op.guard is not None:
        where += f" AND {merging.admitted(op.guard)}"
    return Statement(
        f"{text} WHERE {where} RETURNING {_returned(relation, answered(op, relation))}", tuple(params), True
    )


def update(op: Update, relations: Relations) -> Statement:
    """A conditional change of all rows that match."""
    relation = relations[op.table]
    params: list[Any] = []
    conditions = Conditions(relation, relations, params)
    check_changes(relation.spec, op.changes)
    text = f"UPDATE {relation.table} SET {conditions.assignments(op.changes)} WHERE {conditions.where(op.where)}"
    columns = tuple(relation.kinds) if op.returning else relation.spec.key
    return Statement(f"{text} RETURNING {relation.selection(columns)}", tuple(params), True)


def claim(op: Claim, relations: Relations) -> Statement:
    """A change of the first free row. The filter is asserted again on the row that is changed."""
    relation = relations[op.table]
    key = tuple(map(relation.of_table, relation.spec.key))
    params: list[Any] = []
    conditions = Conditions(relation, relations, params)
    check_changes(relation.spec, op.changes)
    text = f"UPDATE {relation.table} SET {conditions.assignments(op.changes)}"
    inner = f"SELECT {', '.join(key)} FROM {relation.table} WHERE {conditions.where(op.where)}"
    inner += f" ORDER BY {conditions.order_terms(op.order, relation.spec.key)} LIMIT 1{relation.dialect.skip_locked()}"
    text += f" WHERE {row_of(key)} = ({inner}) AND {conditions.where(op.where)}"
    return Statement(f"{text} RETURNING {relation.selection(tuple(relation.kinds))}", tuple(params), True)


def delete(op: Delete, relations: Relations, present: Container[str]) -> list[Statement]:
    """Children first where the database has no cascade of its own for them, then the rows; the last one counts.

    present: the tables that exist.
    """
    relation = relations[op.table]
    statements = [
        statement
        for child in children_of(op.table)
        if child.name in present
        for statement in _child_delete(op.table, op.where, relations[child.name], relations)
    ]
    params: list[Any] = []
    where = Conditions(relation, relations, params).where(op.where)
    statements.append(Statement(f"DELETE FROM {relation.table} WHERE {where}", tuple(params), True, False))
    return statements


def _child_delete(parent: str, where: Filter, child: Relation, relations: Relations) -> Iterable[Statement]:
    for link in child.spec.parents:
        if link.table != parent or not link.cascade:
            continue
        if link.enforced and child.dialect.has_foreign_key(child.spec, parent):
            continue
        params: list[Any] = []
        conditions = Conditions(child, relations, params)
        if where == EVERYTHING:
            text = conditions.where(EVERYTHING)
        else:
            text = conditions.among(link.columns, parent, link.references, where)
        yield Statement(f"DELETE FROM {child.table} WHERE {text}", tuple(params), True, False)


def put(write: Put, relations: Relations) -> Statement:
    """One whole record, conditionally. No row returned means the condition did not hold."""
    relation = relations[write.table]
    record = relation.completed({**dict.fromkeys(relation.kinds), **relation.defaults, **write.record})
    params: list[Any] = []
    conditions = Conditions(relation, relations, params)
    columns = tuple(relation.kinds)
    if write.expect is None or write.expect is ABSENT:
        text = f"INSERT INTO {relation.table} ({_names(relation, columns)}) VALUES {_row(conditions, columns, record)}"
        if write.expect is None:
            merging = ", ".join(f"{relation.quoted(each)} = excluded.{relation.quoted(each)}" for each in columns)
            text += f" ON CONFLICT ({_names(relation, relation.spec.key)}) DO UPDATE SET {merging}"
    else:
        assignments = ", ".join(
            f"{relation.quoted(each)} = {conditions.bind_column(each, record[each])}" for each in columns
        )
        where = conditions.where(by_key(relation, relation.spec.key_of(record)))
        text = f"UPDATE {relation.table} SET {assignments} WHERE {where} AND {_unchanged(conditions, write.expect)}"
    return Statement(f"{text} RETURNING {_returned(relation, tuple(relation.kinds))}", tuple(params), True)


def remove(write: Remove, relations: Relations) -> Statement:
    """One record away, conditionally. No row returned means it was not there, or not that version."""
    relation = relations[write.table]
    params: list[Any] = []
    conditions = Conditions(relation, relations, params)
    where = conditions.where(by_key(relation, write.key))
    if write.expect is not None:
        where += f" AND {_unchanged(conditions, write.expect)}"
    key = ", ".join(relation.quoted(each) for each in relation.spec.key)
    return Statement(f"DELETE FROM {relation.table} WHERE {where} RETURNING {key}", tuple(params), True)


def check(write: Check, relations: Relations) -> Statement:
    """A row if the record still has the version; for `ABSENT`, a row if it is there. Locks it where rows can be."""
    relation = relations[write.table]
    params: list[Any] = []
    conditions = Conditions(relation, relations, params)
    where = conditions.where(by_key(relation, write.key))
    if write.expect is not ABSENT:
        where += f" AND {_unchanged(conditions, write.expect)}"
    lock = " FOR SHARE" if relation.dialect.skip_locked() else ""
    return Statement(f"SELECT 1 FROM {relation.table} WHERE {where}{lock}", tuple(params), True)


def change(write: Change, relations: Relations) -> Statement:
    """One record changed if it matches. No row returned means it did not."""
    by_key_and = all_of(by_key(relations[write.table], write.key), write.where)
    return update(Update(table=write.table, where=by_key_and, changes=write.changes, returning=False), relations)


def require(write: Require, relations: Relations) -> Statement:
    """A row if the record matches, kept from changing until the commit where rows can be locked."""
    relation = relations[write.table]
    params: list[Any] = []
    where = Conditions(relation, relations, params).where(all_of(by_key(relation, write.key), write.where))
    lock = " FOR SHARE" if relation.dialect.skip_locked() else ""
    return Statement(f"SELECT 1 FROM {relation.table} WHERE {where}{lock}", tuple(params), True)


def _unchanged(conditions: Conditions, version: Version) -> str:
    """The condition that the row still has this version."""
    relation = conditions.relation
    if relation.dialect.version(relation.table) is not None:
        conditions.params.append(version)
        return relation.dialect.version_is(relation.table)
    parts: list[str] = []
    for column, value in zip(relation.kinds, version, strict=True):
        conditions.params.append(value)
        parts.append(f"{relation.of_table(column)} IS {relation.dialect.placeholder}")
    return f"({' AND '.join(parts)})"


def _returned(relation: Relation, columns: tuple[str, ...]) -> str:
    """These columns, and the version if it is not the row itself."""
    selected = relation.selection(columns)
    version = relation.dialect.version(relation.table)
    return selected if version is None else f"{selected}, {version}"


def _target(conditions: Conditions, columns: tuple[str, ...]) -> str:
    """The unique set an upsert may meet; a partial one is only found by its own condition."""
    relation = conditions.relation
    named = f"({_names(relation, columns)})"
    partial = next((each.where for each in relation.spec.uniques if each.columns == columns), EVERYTHING)
    if partial == EVERYTHING:
        return named
    return (
        f"{named} WHERE {Conditions(relation, conditions.relations, conditions.params, relation.quoted).where(partial)}"
    )


def _names(relation: Relation, columns: Iterable[str]) -> str:
    return ", ".join(relation.quoted(column) for column in columns)


def _row(
    conditions: Conditions, columns: tuple[str, ...], record: Record, positions: Mapping[str, Next] | None = None
) -> str:
    parts = [
        _next_position(conditions, column, positions[column], record)
        if positions and column in positions
        else conditions.bind_column(column, record.get(column))
        for column in columns
    ]
    return f"({', '.join(parts)})"


def _next_position(conditions: Conditions, column: str, rule: Next, record: Record) -> str:
    """The given position if no other record of the parent has it, else one past the largest."""
    relation = conditions.relation
    inner = f"dbr_next.{relation.quoted(column)}"

    def within() -> str:
        parts = (
            f"dbr_next.{relation.quoted(each)} = {conditions.bind_column(each, record[each])}" for each in rule.within
        )
        return f"FROM {relation.table} AS dbr_next WHERE {' AND '.join(parts)}"

    if record.get(column) is None:
        return f"(SELECT COALESCE(MAX({inner}) + 1, 0) {within()})"
    taken = f"EXISTS (SELECT 1 {within()} AND {inner} = {conditions.bind_column(column, record[column])}"
    key = row_of(f"dbr_next.{relation.quoted(each)}" for each in relation.spec.key)
    taken += f" AND {key} <> {row_of(conditions.bind_column(each, record[each]) for each in relation.spec.key)})"
    free = conditions.bind_column(column, record[column])
    # Parameters are bound in text order, so the pieces are made in the order they are written.
    return f"(CASE WHEN NOT {taken} THEN {free} ELSE (SELECT COALESCE(MAX({inner}) + 1, 0) {within()}) END)"


def chunked(records: Sequence[Record], size: int) -> Iterable[Sequence[Record]]:
    """The records in runs of at most `size`."""
    for start in range(0, len(records), max(1, size)):
        yield records[start : start + max(1, size)]


def as_sent(relation: Relation, columns: tuple[str, ...], record: Record) -> Key:
    """The record's values as the database is given them: a date may be written as text, a kind as an enum."""
    return tuple(relation.param(column, record.get(column, relation.defaults.get(column))) for column in columns)


def waves(relation: Relation, op: Upsert) -> list[list[int]]:
    """Positions of the op's records, grouped so that no group has one key twice, in an order that keeps theirs.

    One statement may not touch a row twice.
    """
    target = op.on or relation.spec.key
    groups: list[list[int]] = []
    seen: dict[Key, int] = {}
    for index, record in enumerate(op.records):
        key = as_sent(relation, target, record)
        wave = seen.get(key, -1) + 1
        seen[key] = wave
        if wave == len(groups):
            groups.append([])
        groups[wave].append(index)
    return groups
