"""What a write answers where the database gives no rows back: they are read in the write's own transaction. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dbrouter.backends.kernel.filters import Filter, all_of, any_of, eq, one_of
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Claim, Update
from dbrouter.backends.sql.conditions import Conditions
from dbrouter.backends.sql.reading import Relations
from dbrouter.backends.sql.relation import Relation
from dbrouter.backends.sql.statements import Refusal, Statement

REFUSES = "(SELECT 'a' UNION ALL SELECT 'b')"
"""A value that fails the statement as soon as it is asked for: two rows where there may be one."""
CANDIDATES = 100
"""Records that a claimer looks at: more than there are claimers at work in the same moment."""


def asserting(condition: str, meaning: Refusal) -> Statement:
    """A statement that fails unless the condition holds."""
    return Statement(f"SELECT CASE WHEN {condition} THEN 'a' ELSE {REFUSES} END", returns=False, refusal=meaning)


def answering(
    statement: Statement,
    answer: str,
    relations: Relations,
    relation: Relation,
    target: Sequence[str],
    records: Sequence[Record],
    *,
    inserts: bool = False,
) -> Statement:
    """The statement, answering this of the rows it wrote: those with these records' values in the target columns."""
    if relation.dialect.returning or (inserts and relation.dialect.inserts_return):
        return replace(statement, sql=f"{statement.sql} RETURNING {answer}", returns=True)
    params: list[Any] = []
    where = Conditions(relation, relations, params).where(_these(relation, target, records))
    select = Statement(f"SELECT {answer} FROM {relation.table} WHERE {where}", tuple(params))
    return replace(statement, returns=False, behind=(select,))


def _these(relation: Relation, target: Sequence[str], records: Sequence[Record]) -> Filter:
    # A null is in no unique set: such a record can only be told by its key.
    named = [target if None not in map(each.get, target) else relation.spec.key for each in records]
    if all(len(columns) == 1 and columns == target for columns in named):
        return one_of(target[0], [each[target[0]] for each in records])
    return any_of(
        *(
            all_of(*(eq(column, each[column]) for column in columns))
            for each, columns in zip(records, named, strict=True)
        )
    )


def read_first(statement: Statement, op: Update, relations: Relations, columns: tuple[str, ...]) -> Statement:
    """An update that answers the rows as it leaves them: they are locked, and read as they will be, before it.

    Rows that come to match between the two would be changed unseen, so their number is compared.
    """
    relation = relations[op.table]
    params: list[Any] = []
    conditions = Conditions(relation, relations, params)
    values = ", ".join(
        relation.dialect.output(
            conditions.changed(each, op.changes[each]) if each in op.changes else relation.of_table(each),
            relation.kinds[each],
        )
        for each in columns
    )
    select = f"SELECT {values} FROM {relation.table} WHERE {conditions.where(op.where)} FOR UPDATE"
    return replace(
        statement,
        ahead=(Statement(select, tuple(params), True), Statement("SET @dbr_seen = FOUND_ROWS()", returns=False)),
        behind=(asserting("ROW_COUNT() = @dbr_seen", Refusal.MOVED),),
    )


def claim_apart(op: Claim, relations: Relations) -> Statement:
    """A claim in three steps: lock the first free row, change it, read it.

    The order is worked out over rows that are not locked for it: a sort under a lock would take all that match.
    """
    relation = relations[op.table]
    key = [
        (relation.of_table(each), f"@dbr_key{at}", f"dbr_free.dbr_key{at}") for at, each in enumerate(relation.spec.key)
    ]
    params: list[Any] = []
    conditions = Conditions(relation, relations, params)
    order = conditions.order_terms(op.order, relation.spec.key)
    named = ", ".join(f"{column} AS {alias.partition('.')[2]}" for column, _, alias in key)
    candidates = f"SELECT {named}, ROW_NUMBER() OVER (ORDER BY {order}) AS dbr_at FROM {relation.table}"
    candidates += f" WHERE {conditions.where(op.where)} ORDER BY dbr_at LIMIT {CANDIDATES}"
    found = f"SELECT {', '.join(column for column, _, _ in key)} INTO {', '.join(variable for _, variable, _ in key)}"
    found += f" FROM ({candidates}) AS dbr_free STRAIGHT_JOIN {relation.table}"
    found += f" ON {' AND '.join(f'{column} = {alias}' for column, _, alias in key)}"
    found += f" WHERE {conditions.where(op.where)} ORDER BY dbr_free.dbr_at LIMIT 1{relation.dialect.skip_locked()}"
    values: list[Any] = []
    changes = Conditions(relation, relations, values).assignments(op.changes)
    this = " AND ".join(f"{column} = {variable}" for column, variable, _ in key)
    selected = relation.selection(tuple(relation.kinds))
    return Statement(
        f"UPDATE {relation.table} SET {changes} WHERE {this}",
        tuple(values),
        True,
        False,
        ahead=(
            Statement(f"SET {', '.join(f'{variable} = NULL' for _, variable, _ in key)}", returns=False),
            Statement(found, tuple(params), True, False),
        ),
        behind=(Statement(f"SELECT {selected} FROM {relation.table} WHERE {this}"),),
    )
