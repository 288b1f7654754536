"""A record and its children as two results of one packet, for databases where a union of both is slow. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dbrouter.backends.kernel.filters import all_of
from dbrouter.backends.kernel.loading import parent_is
from dbrouter.backends.kernel.ops import Get, Load, Loaded, Order
from dbrouter.backends.kernel.tables import Kind
from dbrouter.backends.sql.conditions import Conditions
from dbrouter.backends.sql.reading import LAST, Relations, get
from dbrouter.backends.sql.relation import in_order
from dbrouter.backends.sql.statements import Outcome, Statement


def load(op: Load, relations: Relations) -> tuple[Statement, Statement]:
    """The record with its version, and its children in order."""
    own = get(Get(table=op.table, key=op.key, where=op.where, versioned=True), relations)
    children = relations[op.children.table]
    params: list[Any] = []
    below = Conditions(children, relations, params)
    where = below.where(all_of(*parent_is(op.children.on, op.key), op.children.where))
    key = children.spec.key
    if op.children.limit is None:
        text = f"SELECT {children.selection(op.children.columns)} FROM {children.table} WHERE {where}"
        return own, Statement(f"{text} ORDER BY {below.order_terms(op.children.order, key)}", tuple(params))
    # The last ones of the order: taken from the reversed end along an index, before any body is read.
    needed = in_order({*op.children.columns, *key, *(each.field.column for each in op.children.order)}, children)
    reverse = tuple(Order(each.field, not each.descending, each.fallback) for each in op.children.order)
    inner = f"SELECT {', '.join(map(children.quoted, needed))} FROM {children.table} WHERE {where}"
    inner += f" ORDER BY {below.order_terms(reverse, key)}"
    inner += f" LIMIT {below.bind(min(op.children.limit, LAST), Kind.BIGINT)}"
    outer = Conditions(children, relations, params, lambda column: f"dbr_child.{children.quoted(column)}")
    selected = children.selection(op.children.columns, "dbr_child")
    text = f"SELECT {selected} FROM ({inner}) AS dbr_child ORDER BY {outer.order_terms(op.children.order, key)}"
    return own, Statement(text, tuple(params))


def loaded(op: Load, relations: Relations, outcomes: Sequence[Outcome]) -> Loaded | None:
    """The answer to a load from both results. Children without their record are dropped: the caller may not see it."""
    own, below = outcomes
    if not own.rows:
        return None
    relation, children = relations[op.table], relations[op.children.table]
    row = own.rows[0]
    version = row[-1] if relation.version is not None else tuple(row)
    read = children.reader(op.children.columns, op.children.raw)
    return Loaded(relation.reader(tuple(relation.kinds), op.raw)(row), version, [read(each) for each in below.rows])
