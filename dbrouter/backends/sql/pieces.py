"""The pieces that statements which write are made of: names, values, positions, what is answered. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dbrouter.backends.kernel.merging import Next, Record
from dbrouter.backends.sql.conditions import Conditions, row_of
from dbrouter.backends.sql.relation import Relation


def returned(relation: Relation, columns: tuple[str, ...]) -> str:
    """These columns, and the version if it is not the row itself."""
    selected = relation.selection(columns)
    return selected if relation.version is None else f"{selected}, {relation.version}"


def names_of(relation: Relation, columns: Iterable[str]) -> str:
    """The columns' names, as a statement lists them."""
    return ", ".join(relation.quoted(column) for column in columns)


def values_of(
    conditions: Conditions, columns: tuple[str, ...], record: Record, positions: Mapping[str, Next] | None = None
) -> str:
    """The record's values, a placeholder each, as a statement lists them. positions: columns that are decided here."""
    return ", ".join(value_of(conditions, column, record, positions or {}) for column in columns)


def value_of(conditions: Conditions, column: str, record: Record, positions: Mapping[str, Next]) -> str:
    """The record's value, or the position that is decided here."""
    if column in positions:
        return _next_position(conditions, column, positions[column], record)
    return conditions.bind_column(column, record.get(column))


def _next_position(conditions: Conditions, column: str, rule: Next, record: Record) -> str:
    """The given position if no other record of the parent has it, else one past the largest."""
    relation = conditions.relation
    apart = conditions.dialect.apart
    inner = f"dbr_next.{relation.quoted(column)}"

    def within() -> str:
        parts = (
            f"dbr_next.{relation.quoted(each)} = {conditions.bind_column(each, record[each])}" for each in rule.within
        )
        return f"FROM {relation.table} AS dbr_next WHERE {' AND '.join(parts)}"

    def past_the_last() -> str:
        return f"({apart(f'SELECT COALESCE(MAX({inner}) + 1, 0) {within()}')})"

    if record.get(column) is None:
        return past_the_last()
    taken = f"SELECT 1 {within()} AND {inner} = {conditions.bind_column(column, record[column])}"
    key = row_of(f"dbr_next.{relation.quoted(each)}" for each in relation.spec.key)
    taken += f" AND {key} <> {row_of(conditions.bind_column(each, record[each]) for each in relation.spec.key)}"
    free = conditions.bind_column(column, record[column])
    # Parameters are bound in text order, so the pieces are made in the order they are written.
    return f"(CASE WHEN NOT EXISTS ({apart(taken)}) THEN {free} ELSE {past_the_last()} END)"
