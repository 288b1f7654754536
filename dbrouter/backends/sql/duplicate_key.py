"""Upserts as `INSERT ... ON DUPLICATE KEY UPDATE`: MySQL's and its relatives' form. Pure.

It differs from `ON CONFLICT` in three ways. It meets every unique set, so whether the record found is the one meant is
asked of it first. It has no condition of its own, so an owner guard stands in each assignment. And an assignment sees
those before it, so columns that others read go last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dbrouter.backends.kernel.errors import StoreError
from dbrouter.backends.kernel.filters import all_of, eq
from dbrouter.backends.kernel.merging import Elapsed, Keep, Next, Record, SetTo
from dbrouter.backends.kernel.ops import ABSENT, Upsert
from dbrouter.backends.sql.conditions import Conditions, Merging
from dbrouter.backends.sql.pieces import names_of, returned, values_of
from dbrouter.backends.sql.reading import Relations
from dbrouter.backends.sql.relation import Relation
from dbrouter.backends.sql.statements import Refusal, Statement
from dbrouter.backends.sql.without_returning import REFUSES, answering


def upsert(
    op: Upsert,
    relations: Relations,
    records: Sequence[Record],
    columns: tuple[str, ...],
    positions: Mapping[str, Next],
    wanted: tuple[str, ...],
) -> Statement:
    """One statement for records with distinct keys; for one record where it expects that there is none."""
    relation = relations[op.table]
    target = op.on or relation.spec.key
    params: list[Any] = []
    conditions = Conditions(relation, relations, params)
    text = f"INSERT INTO {relation.table} ({names_of(relation, columns)})"
    if op.expect is ABSENT:
        (record,) = records
        text += f" SELECT {values_of(conditions, columns, record, positions)} FROM DUAL"
        same = Conditions(relation, relations, params, lambda column: f"dbr_same.{relation.quoted(column)}")
        taken = same.where(all_of(*(eq(column, record[column]) for column in target)))
        text += f" WHERE NOT EXISTS (SELECT 1 FROM {relation.table} AS dbr_same WHERE {taken})"
    else:
        values = ", ".join(f"({values_of(conditions, columns, record, positions)})" for record in records)
        text += f" VALUES {values}{relation.dialect.incoming_alias()} ON DUPLICATE KEY UPDATE "
        text += ", ".join(_assigned(op, conditions, target, columns))
    statement = Statement(text, tuple(params), True, False, refusal=Refusal.TAKEN)
    if not wanted:
        return statement
    return answering(statement, returned(relation, wanted), relations, relation, target, records, inserts=True)


def replacing(insert: str, conditions: Conditions, columns: tuple[str, ...]) -> str:
    """The insert, made to replace a whole record that is there already."""
    relation = conditions.relation
    incoming = relation.dialect.incoming
    changing = [each for each in columns if each not in relation.spec.key] or [relation.spec.key[0]]
    assigned = [f"{relation.quoted(each)} = {incoming(relation.quoted(each))}" for each in changing]
    first = _only_the_same(relation, relation.spec.key, conditions)
    return f"{insert}{relation.dialect.incoming_alias()} ON DUPLICATE KEY UPDATE {', '.join([*first, *assigned])}"


def _assigned(op: Upsert, conditions: Conditions, target: Sequence[str], columns: tuple[str, ...]) -> list[str]:
    relation = conditions.relation

    def incoming(column: str) -> str:
        # A row that is given a name has only the columns that are listed for it.
        return relation.dialect.incoming(relation.quoted(column)) if column in columns else "NULL"

    rules = {column: rule for column, rule in op.rules.items() if column in relation.kinds}
    if op.guard is not None and isinstance(rules.get(op.guard.column), SetTo | Elapsed):
        raise StoreError(f"an upsert of {op.table} cannot both guard and set {op.guard.column} on this database")
    terms = _only_the_same(relation, target, conditions)
    if any(not isinstance(rule, Keep) for rule in rules.values()):
        terms.append(Merging(conditions, incoming).assignments(rules, op.guard))
    # With nothing to change, a change to itself leaves the record as it is.
    beside = next((each for each in relation.kinds if each not in relation.spec.key), target[0])
    return terms or [f"{relation.quoted(beside)} = {relation.of_table(beside)}"]


def _only_the_same(relation: Relation, target: Sequence[str], conditions: Conditions) -> list[str]:
    """An assignment that changes nothing, and fails if the record found has other values in the target columns."""
    if not relation.uniques and not relation.loose and tuple(target) == relation.spec.key:
        return []

    def compared(column: str) -> str:
        stored, incoming = relation.of_table(column), relation.dialect.incoming(relation.quoted(column))
        return f"{conditions.exactly(stored, column)} = {conditions.exactly(incoming, column)}"

    same = " AND ".join(map(compared, target))
    first = relation.spec.key[0]
    return [f"{relation.quoted(first)} = CASE WHEN {same} THEN {relation.of_table(first)} ELSE {REFUSES} END"]
