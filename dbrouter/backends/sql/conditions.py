"""Filters, orders and changes as SQL text. Pure: text out, parameters appended in the order of their placeholders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, assert_never

from dbrouter.backends.kernel.codec import encode_text
from dbrouter.backends.kernel.filters import (
    And,
    Compare,
    Comparison,
    Contains,
    Everything,
    Field,
    Filter,
    HasItem,
    In,
    IsNull,
    Like,
    Not,
    Or,
    Related,
    Scalar,
    StartsWith,
)
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
)
from dbrouter.backends.kernel.ops import KEEP_VALUE, Choice, Order
from dbrouter.backends.kernel.tables import Kind
from dbrouter.backends.sql.relation import TEXTUAL, Relation

ORDERED_COMPARISONS = frozenset({Comparison.LT, Comparison.LE, Comparison.GT, Comparison.GE})

Expression = Callable[[str], str]
"""A column name to the SQL expression that holds its value."""


class Conditions:
    """Compiles against one relation; `column` says where a column's value is read (the table, `excluded` ...)."""

    def __init__(
        self, relation: Relation, relations: Mapping[str, Relation], params: list[Any], column: Expression | None = None
    ) -> None:
        self.relation = relation
        self.relations = relations
        self.params = params
        self.dialect = relation.dialect
        self.column = column or relation.of_table

    def bind(self, value: Any, kind: Kind = Kind.STRING) -> str:
        """A placeholder, its value appended."""
        self.params.append(value)
        return self.dialect.bound(kind)

    def bind_column(self, column: str, value: Any) -> str:
        """A placeholder for a value of this column."""
        return self.bind(self.relation.param(column, value), self.relation.kinds[column])

    def where(self, condition: Filter) -> str:
        """The filter as a condition."""
        match condition:
            case Everything():
                return "1 = 1"
            case Compare(field=field, comparison=comparison, value=value):
                return self._compared(field, comparison, value)
            case In(field=field, values=()):
                return "1 = 0"
            case In(field=field, values=values):
                text = self.dialect.member(self.read(field), len(values))
                self.params.extend(self.dialect.member_params(tuple(self._operand(field, each) for each in values)))
                return text
            case IsNull(field=field):
                return f"{self.read(field)} IS NULL"
            case Contains(field=field, text=text):
                condition_text = self.dialect.contains(self.read(field))
                self.params.append(f"%{escaped_like(encode_text(text))}%")
                return condition_text
            case StartsWith(field=field, text=text):
                condition_text = self.dialect.contains(self.read(field))
                self.params.append(f"{escaped_like(encode_text(text))}%")
                return condition_text
            case Like(column=column, pattern=pattern):
                condition_text = self.dialect.like(self.column(column))
                self.params.append(encode_text(pattern))
                return condition_text
            case HasItem(column=column, item=item):
                condition_text = self.dialect.has_item(self.column(column))
                self.params.append(encode_text(item))
                return condition_text
            case Related(column=column, table=table, key=key, where=inner):
                return self.among((column,), table, (key,), inner)
            case And(filters=()):
                return "1 = 1"
            case Or(filters=()):
                return "1 = 0"
            case And(filters=filters):
                return f"({' AND '.join(self.where(each) for each in filters)})"
            case Or(filters=filters):
                return f"({' OR '.join(self.where(each) for each in filters)})"
            case Not(filter=IsNull(field=field)):
                return f"{self.read(field)} IS NOT NULL"
            case Not(filter=inner):
                return f"NOT ({self.where(inner)})"
            case _:
                assert_never(condition)

    def among(self, columns: tuple[str, ...], table: str, keys: tuple[str, ...], inner: Filter) -> str:
        """The condition that the columns equal the `keys` of a record of another table that matches."""
        other = self.relations[table]
        nested = Conditions(other, self.relations, self.params)
        selected = ", ".join(other.quoted(key) for key in keys)
        found = f"SELECT {selected} FROM {other.table} WHERE {nested.where(inner)}"
        return f"{row_of(map(self.column, columns))} IN ({found})"

    def read(self, field: Field) -> str:
        """The field as an expression."""
        expression = self.column(field.column)
        self.relation.quoted(field.column)
        return self.dialect.json_at(expression, field.path) if field.path else expression

    def _compared(self, field: Field, comparison: Comparison, value: Scalar) -> str:
        expression = self.read(field)
        textual = bool(field.path) or self.relation.kinds[field.column] in TEXTUAL
        if textual and comparison in ORDERED_COMPARISONS:
            expression = self.dialect.code_points(expression)
        kind = Kind.STRING if field.path else self.relation.kinds[field.column]
        return f"{expression} {comparison.value} {self.bind(self._operand(field, value), kind)}"

    def _operand(self, field: Field, value: Scalar) -> Any:
        if field.path:
            return encode_text(value) if isinstance(value, str) else value
        return self.relation.param(field.column, value)

    def order_terms(self, order: tuple[Order, ...], key: tuple[str, ...]) -> str:
        """ORDER BY terms, the key last so that no two records tie."""
        terms = [self._term(each) for each in order]
        direction = bool(order) and order[0].descending
        named = {each.field.column for each in order if not each.field.path and each.fallback is None}
        terms.extend(self._term(Order(Field(column), direction)) for column in key if column not in named)
        return ", ".join(terms)

    def _term(self, order: Order) -> str:
        column = order.field.column
        expression = self.read(order.field)
        nullable = bool(order.field.path) or column in self.relation.nullable
        if order.fallback is not None:
            expression = f"COALESCE({expression}, {self.column(order.fallback)})"
            nullable = nullable and order.fallback in self.relation.nullable
        if order.field.path or self.relation.kinds[column] in TEXTUAL:
            expression = self.dialect.code_points(expression)
        return self.dialect.ordered(expression, descending=order.descending, nullable=nullable)

    def assignments(self, changes: Mapping[str, Any]) -> str:
        """SET terms of an update."""
        return ", ".join(
            f"{self.relation.quoted(column)} = {self._changed(column, value)}" for column, value in changes.items()
        )

    def _changed(self, column: str, value: Any) -> str:
        if value is KEEP_VALUE:
            return self.column(column)
        if isinstance(value, Choice):
            condition = self.where(value.where)
            then = self._changed(column, value.then)
            otherwise = self._changed(column, value.otherwise)
            return f"CASE WHEN {condition} THEN {then} ELSE {otherwise} END"
        return self.bind_column(column, value)


class Merging:
    """Merge rules and owner guards as SQL, given where the stored and the incoming values are."""

    def __init__(self, stored: Conditions, incoming: Expression) -> None:
        self.stored = stored
        self.incoming = incoming
        self.dialect = stored.dialect

    def assignments(self, rules: Mapping[str, Rule]) -> str:
        """SET terms. Columns that keep their value are left out."""
        quoted = self.stored.relation.quoted
        return ", ".join(
            f"{quoted(column)} = {self._ruled(column, rule, rules)}"
            for column, rule in rules.items()
            if not isinstance(rule, Keep)
        )

    def _ruled(self, column: str, rule: Rule, rules: Mapping[str, Rule]) -> str:
        old = self.stored.column(column)
        match rule:
            case Keep():
                return old
            case Replace():
                return self.incoming(column)
            case SetTo(value=value):
                return self.stored.bind_column(column, value)
            case Fill() | Next():
                return f"COALESCE({old}, {self.incoming(column)})"
            case Present():
                return f"COALESCE({self.incoming(column)}, {old})"
            case Least():
                return self.dialect.least(*self._comparable(column))
            case Greatest():
                return self.dialect.greatest(*self._comparable(column))
            case Ranked(cases=cases):
                new_rank, old_rank = self._rank(cases, self.incoming), self._rank(cases, self.stored.column)
                return f"CASE WHEN {new_rank} > {old_rank} THEN {self.incoming(column)} ELSE {old} END"
            case Elapsed(start=start, end=end):
                return self.dialect.elapsed_ms(
                    self._ruled(start, rules.get(start, Keep()), rules), self._ruled(end, rules.get(end, Keep()), rules)
                )
            case _:
                assert_never(rule)

    def _comparable(self, column: str) -> tuple[str, str]:
        old, new = self.stored.column(column), self.incoming(column)
        if self.stored.relation.kinds[column] in TEXTUAL:
            return self.dialect.code_points(old), self.dialect.code_points(new)
        return old, new

    def _rank(self, cases: tuple[tuple[Filter, int], ...], column: Expression) -> str:
        reader = Conditions(self.stored.relation, self.stored.relations, self.stored.params, column)
        whens = " ".join(f"WHEN {reader.where(where)} THEN {int(value)}" for where, value in cases)
        return f"CASE {whens} ELSE 0 END"

    def admitted(self, guard: OwnerGuard) -> str:
        """The condition under which the guard lets the change through."""
        # `incoming` may append a parameter each time it is written, so it is called where its text stands.
        old = self.stored.column(guard.column)
        ways = [f"{old} = {self.incoming(guard.column)}"]
        ways.append(f"{old} IS NULL" if guard.claim else f"({old} IS NULL AND {self.incoming(guard.column)} IS NULL)")
        if guard.unscoped:
            ways.append(f"{self.incoming(guard.column)} IS NULL")
        return f"({' OR '.join(ways)})"


def row_of(expressions: Iterable[str]) -> str:
    """The expressions as one value to compare: itself if it is one, else a row."""
    each = tuple(expressions)
    return each[0] if len(each) == 1 else f"({', '.join(each)})"


def escaped_like(text: str) -> str:
    """The text with LIKE's own characters escaped by a backslash."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
