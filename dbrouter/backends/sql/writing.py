"""Insert, Upsert, Update, Claim, Delete and single conditional writes as SQL. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
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
from dbrouter.backends.sql import duplicate_key
from dbrouter.backends.sql.conditions import Conditions, Merging, row_of
from dbrouter.backends.sql.pieces import names_of, returned, value_of, values_of
from dbrouter.backends.sql.reading import Relations, by_key
from dbrouter.backends.sql.relation import Relation, in_order
from dbrouter.backends.sql.statements import Refusal, Statement
from dbrouter.backends.sql.without_returning import answering, claim_apart, read_first


def insert(op: Insert, relations: Relations) -> list[Statement]:
    """New rows; as many statements as the parameter limit asks for."""
    relation = relations[op.table]
    records = [relation.completed(record) for record in op.records]
    columns = in_order({column for record in records for column in record}, relation)
    statements: list[Statement] = []
    for chunk in chunked(records, relation.dialect.max_params // max(1, len(columns))):
        params: list[Any] = []
        values = ", ".join(
            f"({values_of(Conditions(relation, relations, params), columns, record)})" for record in chunk
        )
        statements.append(
            Statement(
                f"INSERT INTO {relation.table} ({names_of(relation, columns)}) VALUES {values}",
                tuple(params),
                True,
                False,
            )
        )
    return statements


def answered(op: Upsert, relation: Relation) -> tuple[str, ...]:
    """The columns an upsert gives back."""
    if op.returning or (op.expect is not None and relation.version is None):
        return tuple(relation.kinds)
    if op.guard is None and op.expect is None:
        return ()
    target = op.on or relation.spec.key
    # Where a refused upsert answers its row all the same, the owner in it tells.
    tells = (
        ()
        if op.guard is None or not relation.dialect.on_duplicate_key or op.guard.column in target
        else (op.guard.column,)
    )
    return (*target, *tells)


def positions_in(op: Upsert) -> dict[str, Next]:
    """The columns whose values the database decides."""
    return {column: rule for column, rule in op.rules.items() if isinstance(rule, Next)}


def locks_for(op: Upsert, records: Sequence[Record], relation: Relation) -> list[Statement]:
    """What keeps others from the positions of these records' parents."""
    statements: list[Statement] = []
    for column, rule in positions_in(op).items():
        parents = sorted({tuple(relation.param(each, record[each]) for each in rule.within) for record in records})
        statements.extend(relation.dialect.lock_positions(column, parents))
    return statements


def upsert(op: Upsert, relations: Relations) -> list[Statement]:
    """Upserts of records with distinct keys; with positions, preceded by the lock for their parents."""
    relation = relations[op.table]
    records = [relation.completed(record) for record in op.records]
    columns = in_order({*op.rules, *(column for record in records for column in record)}, relation)
    positions = positions_in(op)
    statements = locks_for(op, records, relation)
    if positions:
        # One record a statement: each must see the positions the one before it took.
        statements.extend(_upsert_chunk(op, relations, [record], columns, positions) for record in records)
        return statements
    # A condition on the record's absence is written beside its values, so each has a statement.
    at_once = 1 if op.expect is ABSENT and relation.dialect.on_duplicate_key else relation.dialect.max_params
    for chunk in chunked(records, at_once // max(1, len(columns))):
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
    if relation.dialect.on_duplicate_key:
        return duplicate_key.upsert(op, relations, records, columns, positions, answered(op, relation))
    params: list[Any] = []
    conditions = Conditions(relation, relations, params)
    values = ", ".join(f"({values_of(conditions, columns, record, positions)})" for record in records)
    text = f"INSERT INTO {relation.table} ({names_of(relation, columns)}) VALUES {values}"
    target, wanted = op.on or relation.spec.key, answered(op, relation)
    merging = Merging(conditions, lambda column: relation.dialect.incoming(relation.quoted(column)))
    rules = {column: rule for column, rule in op.rules.items() if column in relation.kinds}
    changes = any(not isinstance(rule, Keep) for rule in rules.values())
    if op.expect is ABSENT or not (changes or wanted):
        text += f" ON CONFLICT {_target(conditions, target)} DO NOTHING"
    else:
        # With nothing to change, a change to itself still lets the row be returned.
        itself = f"{relation.quoted(target[0])} = {relation.of_table(target[0])}"
        assignments = merging.assignments(rules) if changes else itself
        text += f" ON CONFLICT {_target(conditions, target)} DO UPDATE SET {assignments}"
        if op.guard is not None:
            text += f" WHERE {merging.admitted(op.guard)}"
    if wanted:
        text += f" RETURNING {returned(relation, wanted)}"
    return Statement(text, tuple(params), True, bool(wanted))


def expected_update(op: Upsert, record: Record, relations: Relations) -> Statement:
    """An upsert that expects a version: an update, since a missing row must stay missing."""
    relation = relations[op.table]
    if any(isinstance(rule, Elapsed) for rule in op.rules.values()):
        raise StoreError(f"an upsert of {op.table} that expects a version cannot compute an elapsed time")
    params: list[Any] = []
    conditions = Conditions(relation, relations, params)
    merging = Merging(conditions, lambda column: value_of(conditions, column, record, positions_in(op)))
    target = op.on or relation.spec.key
    assignments = merging.assignments(op.rules) or f"{relation.quoted(target[0])} = {relation.of_table(target[0])}"
    text = f"UPDATE {relation.table} SET {assignments}"
    where = conditions.where(all_of(*(eq(column, record[column]) for column in target)))
    where += f" AND {_unchanged(conditions, op.expect)}"
    if op.guard is not None:
        where += f" AND {merging.admitted(op.guard)}"
    statement = Statement(f"{text} WHERE {where}", tuple(params), True)
    return answering(statement, returned(relation, answered(op, relation)), relations, relation, target, [record])


def update(op: Update, relations: Relations) -> Statement:
    """A conditional change of all rows that match."""
    relation = relations[op.table]
    params: list[Any] = []
    conditions = Conditions(relation, relations, params)
    check_changes(relation.spec, op.changes)
    text = f"UPDATE {relation.table} SET {conditions.assignments(op.changes)} WHERE {conditions.where(op.where)}"
    columns = tuple(relation.kinds) if op.returning else relation.spec.key
    if not relation.dialect.returning:
        return read_first(Statement(text, tuple(params), True, False), op, relations, columns)
    return Statement(f"{text} RETURNING {relation.selection(columns)}", tuple(params), True)


def claim(op: Claim, relations: Relations) -> Statement:
    """A change of the first free row. The filter is asserted again on the row that is changed."""
    relation = relations[op.table]
    key = tuple(map(relation.of_table, relation.spec.key))
    params: list[Any] = []
    conditions = Conditions(relation, relations, params)
    check_changes(relation.spec, op.changes)
    if not relation.dialect.returning:
        return claim_apart(op, relations)
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
        values = values_of(conditions, columns, record)
        text = f"INSERT INTO {relation.table} ({names_of(relation, columns)}) VALUES ({values})"
        if write.expect is None and relation.dialect.on_duplicate_key:
            text = duplicate_key.replacing(text, conditions, columns)
        elif write.expect is None:
            merging = ", ".join(
                f"{relation.quoted(each)} = {relation.dialect.incoming(relation.quoted(each))}" for each in columns
            )
            text += f" ON CONFLICT ({names_of(relation, relation.spec.key)}) DO UPDATE SET {merging}"
    else:
        changing = [each for each in columns if each not in relation.spec.key] or columns
        assignments = ", ".join(
            f"{relation.quoted(each)} = {conditions.bind_column(each, record[each])}" for each in changing
        )
        where = conditions.where(by_key(relation, relation.spec.key_of(record)))
        text = f"UPDATE {relation.table} SET {assignments} WHERE {where} AND {_unchanged(conditions, write.expect)}"
    # A version that is not the row itself is all that the caller is told.
    answer = relation.version or relation.selection(columns)
    inserts = write.expect is None or write.expect is ABSENT
    return answering(
        Statement(text, tuple(params), True, refusal=Refusal.TAKEN),
        answer,
        relations,
        relation,
        relation.spec.key,
        [record],
        inserts=inserts,
    )


def remove(write: Remove, relations: Relations) -> Statement:
    """One record away, conditionally. No row returned means it was not there, or not that version."""
    relation = relations[write.table]
    params: list[Any] = []
    conditions = Conditions(relation, relations, params)
    where = conditions.where(by_key(relation, write.key))
    if write.expect is not None:
        where += f" AND {_unchanged(conditions, write.expect)}"
    text = f"DELETE FROM {relation.table} WHERE {where}"
    if not relation.dialect.returning:
        return Statement(text, tuple(params), True, False)
    return Statement(f"{text} RETURNING {names_of(relation, relation.spec.key)}", tuple(params), True)


def check(write: Check, relations: Relations) -> Statement:
    """A row if the record still has the version; for `ABSENT`, a row if it is there. Locks it where rows can be."""
    relation = relations[write.table]
    params: list[Any] = []
    conditions = Conditions(relation, relations, params)
    where = conditions.where(by_key(relation, write.key))
    if write.expect is not ABSENT:
        where += f" AND {_unchanged(conditions, write.expect)}"
    lock = relation.dialect.share_lock()
    return Statement(f"SELECT 1 FROM {relation.table} WHERE {where}{lock}", tuple(params), True)


def change(write: Change, relations: Relations) -> Statement:
    """One record changed if it matches. No row returned means it did not."""
    by_key_and = all_of(by_key(relations[write.table], write.key), write.where)
    statement = update(Update(table=write.table, where=by_key_and, changes=write.changes, returning=False), relations)
    # That it changed a row is all that counts.
    return statement if statement.returns else replace(statement, ahead=(), behind=())


def require(write: Require, relations: Relations) -> Statement:
    """A row if the record matches, kept from changing until the commit where rows can be locked."""
    relation = relations[write.table]
    params: list[Any] = []
    where = Conditions(relation, relations, params).where(all_of(by_key(relation, write.key), write.where))
    lock = relation.dialect.share_lock()
    return Statement(f"SELECT 1 FROM {relation.table} WHERE {where}{lock}", tuple(params), True)


def _unchanged(conditions: Conditions, version: Version) -> str:
    """The condition that the row still has this version."""
    relation = conditions.relation
    if relation.version is not None:
        conditions.params.append(version)
        return relation.version_is
    parts: list[str] = []
    for column, value in zip(relation.kinds, version, strict=True):
        conditions.params.append(value)
        parts.append(f"{relation.of_table(column)} IS {relation.dialect.placeholder}")
    return f"({' AND '.join(parts)})"


def _target(conditions: Conditions, columns: tuple[str, ...]) -> str:
    """The unique set an upsert may meet; a partial one is only found by its own condition."""
    relation = conditions.relation
    named = f"({names_of(relation, columns)})"
    partial = next((each.where for each in relation.spec.uniques if each.columns == columns), EVERYTHING)
    if partial == EVERYTHING:
        return named
    return (
        f"{named} WHERE {Conditions(relation, conditions.relations, conditions.params, relation.quoted).where(partial)}"
    )


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
