"""Get, Scan, Load and Aggregate as SQL. Pure: an op in, statements and the making of its answer out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dbrouter.backends.kernel.codec import decode_text
from dbrouter.backends.kernel.errors import StoreError
from dbrouter.backends.kernel.filters import EVERYTHING, Field, all_of, eq
from dbrouter.backends.kernel.loading import parent_is
from dbrouter.backends.kernel.ops import Aggregate, Computed, Get, Load, Loaded, Measure, Order, Page, Scan, Stored
from dbrouter.backends.kernel.tables import Kind
from dbrouter.backends.sql.conditions import Conditions
from dbrouter.backends.sql.relation import TEXTUAL, Relation, in_order
from dbrouter.backends.sql.statements import Outcome, Statement

Relations = Mapping[str, Relation]

LAST = 2**62
"""Further than any row: the databases take no number beyond 64 bits here."""


def by_key(relation: Relation, key: tuple[Any, ...]) -> Any:
    """The filter for one key."""
    return all_of(*(eq(column, value) for column, value in zip(relation.spec.key, key, strict=True)))


def get(op: Get, relations: Relations) -> Statement:
    """One record by key; its version, if wanted, is the last column."""
    relation = relations[op.table]
    params: list[Any] = []
    conditions = Conditions(relation, relations, params)
    selected = relation.selection(tuple(relation.kinds))
    version = relation.version if op.versioned else None
    if version is not None:
        selected = f"{selected}, {version}"
    where = conditions.where(all_of(by_key(relation, op.key), op.where))
    return Statement(f"SELECT {selected} FROM {relation.table} WHERE {where}", tuple(params))


def stored(relation: Relation, row: Any, *, versioned: bool) -> Stored:
    """A full row, its version last if the dialect has one."""
    record = relation.reader(tuple(relation.kinds))(row)
    if not versioned:
        return Stored(record, None)
    if relation.version is not None:
        return Stored(record, row[-1])
    return Stored(record, tuple(row))


@dataclass(frozen=True, slots=True)
class ScanPlan:
    """A page and, if asked for, the count of all that match. Both may go in one round trip."""

    page: Statement
    count: Statement | None
    columns: tuple[str, ...]


def scan(op: Scan, relations: Relations) -> ScanPlan:
    """The statements of a scan."""
    relation = relations[op.table]
    columns = op.columns or tuple(relation.kinds)
    params: list[Any] = []
    conditions = Conditions(relation, relations, params)
    text = f"SELECT {relation.selection(columns)} FROM {relation.table}"
    if op.where != EVERYTHING:
        text += f" WHERE {conditions.where(op.where)}"
    counted = tuple(params)
    text += f" ORDER BY {conditions.order_terms(op.order, relation.spec.key)}"
    text += limited(op.limit, op.offset, conditions)
    page = Statement(text, tuple(params))
    return ScanPlan(page, count(op, relations, counted) if op.total else None, columns)


def count(op: Scan, relations: Relations, params: tuple[Any, ...] | None = None) -> Statement:
    """How many records match."""
    relation = relations[op.table]
    bound: list[Any] = []
    where = Conditions(relation, relations, bound).where(op.where)
    return Statement(f"SELECT COUNT(*) FROM {relation.table} WHERE {where}", tuple(bound) if params is None else params)


def limited(limit: int | None, offset: int, conditions: Conditions) -> str:
    """LIMIT and OFFSET."""
    text = ""
    if limit is not None:
        text = f" LIMIT {conditions.bind(min(limit, LAST), Kind.BIGINT)}"
    elif offset:
        # SQLite and MySQL want a LIMIT before an OFFSET.
        text = f" LIMIT {conditions.bind(LAST, Kind.BIGINT)}"
    return f"{text} OFFSET {conditions.bind(min(offset, LAST), Kind.BIGINT)}" if offset else text


def load(op: Load, relations: Relations) -> Statement:
    """The record and its children as one result: its own row first, then a row for each child.

    A join would repeat the record beside every child; two statements would be two round trips.
    """
    relation, children = relations[op.table], relations[op.children.table]
    dialect = relation.dialect
    own, theirs = tuple(relation.kinds), op.children.columns
    version = relation.version
    params: list[Any] = []
    conditions = Conditions(relation, relations, params)
    own_parts = [dialect.output(relation.of_table(each), relation.kinds[each]) for each in own]
    own_parts.append(version or "NULL")
    own_parts.extend("NULL" for _ in theirs)
    where = conditions.where(all_of(by_key(relation, op.key), op.where))
    own_sql = f"SELECT 0 AS dbr_kind, 0 AS dbr_at, {', '.join(own_parts)} FROM {relation.table} WHERE {where}"

    below = Conditions(children, relations, params)
    child_where = below.where(all_of(*parent_is(op.children.on, op.key), op.children.where))
    needed = in_order({*theirs, *children.spec.key, *(each.field.column for each in op.children.order)}, children)
    inner = f"SELECT {', '.join(children.quoted(each) for each in needed)} FROM {children.table} WHERE {child_where}"
    if op.children.limit is not None:
        # The last ones of the order: taken from the reversed end along an index, before any body is read.
        reverse = tuple(Order(each.field, not each.descending, each.fallback) for each in op.children.order)
        inner += f" ORDER BY {below.order_terms(reverse, children.spec.key)}"
        inner += f" LIMIT {below.bind(min(op.children.limit, LAST), Kind.BIGINT)}"
    outer = Conditions(children, relations, params, lambda column: f"dbr_child.{children.quoted(column)}")
    position = f"ROW_NUMBER() OVER (ORDER BY {outer.order_terms(op.children.order, children.spec.key)})"
    child_parts = ["NULL"] * (len(own) + 1)
    child_parts.extend(dialect.output(outer.column(each), children.kinds[each]) for each in theirs)
    child_sql = f"SELECT 1, {position}, {', '.join(child_parts)} FROM ({inner}) AS dbr_child"
    return Statement(f"{own_sql} UNION ALL {child_sql} ORDER BY 1, 2", tuple(params))


def loaded(op: Load, relations: Relations, rows: list[Any]) -> Loaded | None:
    """The answer to a load from its rows. Children without their record are dropped: the caller may not see it."""
    if not rows or rows[0][0] != 0:
        return None
    relation, children = relations[op.table], relations[op.children.table]
    width = 2 + len(relation.kinds)
    first = rows[0]
    own = first[2:width]
    record = relation.reader(tuple(relation.kinds), op.raw)(own)
    read = children.reader(op.children.columns, op.children.raw)
    version = first[width] if relation.version is not None else tuple(own)
    return Loaded(record, version, [read(row[width + 1 :]) for row in rows[1:]])


def aggregate(op: Aggregate, relations: Relations) -> tuple[Statement, Statement | None]:
    """The groups, and their number if asked for."""
    relation = relations[op.table]
    params: list[Any] = []
    conditions = Conditions(relation, relations, params)
    groups = {
        name: conditions.read(field) if field.path else conditions.exactly(conditions.read(field), field.column)
        for name, field in op.by.items()
    }
    parts = [
        f"{_grouped(relation, op.by[name], text)} AS {relation.dialect.quoted(name)}" for name, text in groups.items()
    ]
    parts.extend(f"{_measured(each, conditions)} AS {relation.dialect.quoted(each.name)}" for each in op.measures)
    text = f"SELECT {', '.join(parts)} FROM {relation.table} WHERE {conditions.where(op.where)}"
    if groups:
        text += f" GROUP BY {', '.join(groups.values())}"
    counted = Statement(f"SELECT COUNT(*) FROM ({text}) AS dbr_groups", tuple(params)) if op.total else None
    outer = f"SELECT * FROM ({text}) AS dbr_groups"
    terms = [_result_term(op, relation, each) for each in op.order]
    named = {each.field.column for each in op.order}
    # Ties go the way of the first term, as those of records do.
    backwards = bool(op.order) and op.order[0].descending
    terms.extend(_result_term(op, relation, Order(Field(name), backwards)) for name in op.by if name not in named)
    if terms:
        outer += f" ORDER BY {', '.join(terms)}"
    outer += limited(op.limit, op.offset, conditions)
    return Statement(outer, tuple(params)), counted


def _grouped(relation: Relation, field: Field, text: str) -> str:
    return text if field.path else relation.dialect.output(text, relation.kinds[field.column])


def _result_term(op: Aggregate, relation: Relation, order: Order) -> str:
    name = order.field.column
    expression = relation.dialect.quoted(name)
    if _is_text(op, relation, name):
        expression = relation.dialect.code_points(expression)
    return relation.dialect.ordered(expression, descending=order.descending, nullable=True)


def _is_text(op: Aggregate, relation: Relation, name: str) -> bool:
    field = op.by.get(name)
    if field is None:
        measure = next((each for each in op.measures if each.name == name), None)
        if measure is None:
            raise StoreError(f"cannot order groups of {op.table} by {name!r}: it is neither grouped by nor computed")
        if measure.measure not in (Measure.MIN, Measure.MAX) or measure.field is None:
            return False
        field = measure.field
    return bool(field.path) or relation.kinds[field.column] in TEXTUAL


def _measured(computed: Computed, conditions: Conditions) -> str:
    dialect = conditions.dialect
    field = computed.field
    value = conditions.read(field) if field is not None else "1"
    if computed.where != EVERYTHING:
        value = f"CASE WHEN {conditions.where(computed.where)} THEN {value} END"
    match computed.measure:
        case Measure.COUNT:
            return f"COUNT({value})"
        case Measure.DISTINCT:
            exact = value if field is None or field.path else conditions.exactly(value, field.column)
            return f"COUNT(DISTINCT {exact})"
        case Measure.MIN | Measure.MAX:
            if field is not None and (field.path or conditions.relation.kinds[field.column] in TEXTUAL):
                value = conditions.in_code_points(value, field)
            return f"{computed.measure.value.upper()}({value})"
        case Measure.MEAN:
            return dialect.mean(value)
        case Measure.BYTES:
            return f"SUM({dialect.kept_size(value)})"
        case Measure.P95:
            text = dialect.p95(value)
            if text is None:
                raise StoreError(f"{dialect.name} has no percentile; the kernel computes it")
            return text


def groups(op: Aggregate, relation: Relation, outcome: Outcome, total: int | None) -> Page:
    """The answer to an aggregate from its rows."""
    names = (*op.by, *(each.name for each in op.measures))
    decoders = [_group_decoder(op, relation, name) for name in names]
    records = [
        {
            name: (value if value is None or decode is None else decode(value))
            for name, decode, value in zip(names, decoders, row, strict=True)
        }
        for row in outcome.rows
    ]
    return Page(records, total)


def _group_decoder(op: Aggregate, relation: Relation, name: str) -> Any:
    if name in op.by or _is_text(op, relation, name):
        field = op.by.get(name) or next(each.field for each in op.measures if each.name == name and each.field)
        kind = relation.kinds[field.column]
        if field.path or kind in TEXTUAL:
            return decode_text
        return relation.dialect.from_database(kind)
    measure = next(each for each in op.measures if each.name == name)
    if measure.measure in (Measure.MEAN, Measure.P95):
        return float
    if measure.measure is Measure.BYTES:
        return int  # Postgres adds big integers up to a decimal
    if measure.field is not None and measure.measure in (Measure.MIN, Measure.MAX):
        return relation.dialect.from_database(relation.kinds[measure.field.column])
    return None
