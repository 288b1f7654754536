"""Filters, orders and changes as SQL text. Pure: text out, parameters appended in the order of their placeholders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, assert_never

from dbrouter.backends.kernel.codec import encode_text
from dbrouter.backends.kernel.errors import StoreError
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
    columns_of,
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
from dbrouter.backends.sql.relation import NUMERIC, TEXTUAL, Relation
from dbrouter.backends.sql.whole_numbers import in_whole_numbers

ORDERED_COMPARISONS = frozenset({Comparison.LT, Comparison.LE, Comparison.GT, Comparison.GE})

BESIDE = 100
"""Up to so many conditions stand beside each other: to SQLite each is one level deeper than the next, and it takes
1,000."""

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
        """A placeholder for a value that is written to this column. Raises `TooLarge` if it does not fit in there."""
        return self.bind(self.relation.written(column, value), self.relation.kinds[column])

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
                return self._member(field, values)
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
                return f"({joined(' AND ', [self.where(each) for each in filters])})"
            case Or(filters=filters):
                return f"({joined(' OR ', [self.where(each) for each in filters])})"
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
        ours = [self.column(each) for each in columns]
        if self.relation.loose or other.loose:
            ours = [self.exactly(each, column) for each, column in zip(ours, columns, strict=True)]
            selected = ", ".join(nested.exactly(other.of_table(key), key) for key in keys)
        found = f"SELECT {selected} FROM {other.table} WHERE {nested.where(inner)}"
        return f"{row_of(ours)} IN ({found})"

    def read(self, field: Field) -> str:
        """The field as an expression."""
        expression = self.column(field.column)
        self.relation.quoted(field.column)
        return self.dialect.json_at(expression, field.path) if field.path else expression

    def exactly(self, expression: str, column: str) -> str:
        """The expression of this column, compared by code point where the column compares otherwise."""
        return self.dialect.code_points(expression) if self._is_loose(column) else expression

    def in_code_points(self, expression: str, field: Field) -> str:
        """The text field's expression in the order of code points."""
        if not field.path and self.dialect.exact_columns and not self.relation.loose:
            return expression
        return self.dialect.code_points(expression)

    def _is_loose(self, column: str) -> bool:
        return self.relation.loose and self.relation.kinds[column] in TEXTUAL

    def _is_whole(self, field: Field) -> bool:
        return not field.path and self.relation.kinds[field.column] in NUMERIC

    def _member(self, field: Field, values: tuple[Scalar, ...]) -> str:
        expression = self.read(field)
        if self._is_whole(field):
            # What no such column can hold equals nothing in it.
            values = tuple(each for each in values if not _is_unlike_any(each))
            if not values:
                return f"{expression} <> {expression}"
        operands = self.dialect.member_params(tuple(self._operand(field, each) for each in values))
        text = self.dialect.member(expression, len(values))
        self.params.extend(operands)
        if field.path or not self._is_loose(field.column):
            return text
        self.params.extend(operands)
        return f"({text} AND {self.dialect.member(self.dialect.code_points(expression), len(values))})"

    def _compared(self, field: Field, comparison: Comparison, value: Scalar) -> str:
        expression = self.read(field)
        kind = Kind.STRING if field.path else self.relation.kinds[field.column]
        if self._is_whole(field) and isinstance(value, int | float):
            same = in_whole_numbers(comparison, value)
            if isinstance(same, bool):
                # Of a null it is unknown all the same.
                return f"{expression} {'=' if same else '<>'} {expression}"
            comparison, value = same
        operand = self._operand(field, value)
        if kind in TEXTUAL and comparison in ORDERED_COMPARISONS:
            expression = self.in_code_points(expression, field)
        elif not field.path and self._is_loose(field.column):
            exact = f"{self.dialect.code_points(expression)} {comparison.value} {self.bind(operand, kind)}"
            # The column's own comparison finds more, but has an index.
            return f"({expression} = {self.bind(operand, kind)} AND {exact})" if comparison is Comparison.EQ else exact
        return f"{expression} {comparison.value} {self.bind(operand, kind)}"

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
            expression = self.in_code_points(expression, order.field)
        return self.dialect.ordered(expression, descending=order.descending, nullable=nullable)

    def assignments(self, changes: Mapping[str, Any]) -> str:
        """SET terms of an update."""
        if self.dialect.on_duplicate_key:
            reads = {column: _read_by(value) for column, value in changes.items()}
            changes = {column: changes[column] for column in before_their_change(reads, self.relation.spec.name)}
        return ", ".join(
            f"{self.relation.quoted(column)} = {self.changed(column, value)}" for column, value in changes.items()
        )

    def changed(self, column: str, value: Any) -> str:
        """What an update makes of the column."""
        if value is KEEP_VALUE:
            return self.column(column)
        if isinstance(value, Choice):
            condition = self.where(value.where)
            then = self.changed(column, value.then)
            otherwise = self.changed(column, value.otherwise)
            return f"CASE WHEN {condition} THEN {then} ELSE {otherwise} END"
        return self.bind_column(column, value)


class Merging:
    """Merge rules and owner guards as SQL, given where the stored and the incoming values are."""

    def __init__(self, stored: Conditions, incoming: Expression) -> None:
        self.stored = stored
        self.incoming = incoming
        self.dialect = stored.dialect

    def assignments(self, rules: Mapping[str, Rule], guard: OwnerGuard | None = None) -> str:
        """SET terms. Columns that keep their value are left out. guard: where it refuses, all keep theirs."""
        quoted = self.stored.relation.quoted
        changing = [column for column, rule in rules.items() if not isinstance(rule, Keep)]
        if self.dialect.on_duplicate_key:
            reads = {column: _read_in(rules[column]) | ({guard.column} if guard else set()) for column in changing}
            changing = before_their_change(reads, self.stored.relation.spec.name)
        return ", ".join(f"{quoted(each)} = {self._guarded(each, rules, guard)}" for each in changing)

    def _guarded(self, column: str, rules: Mapping[str, Rule], guard: OwnerGuard | None) -> str:
        if guard is None:
            return self._ruled(column, rules[column], rules)
        admitted = self.admitted(guard)
        return f"CASE WHEN {admitted} THEN {self._ruled(column, rules[column], rules)} ELSE {self._old(column)} END"

    def _old(self, column: str) -> str:
        return self.stored.column(column)

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

    def _comparable(self, column: str) -> tuple[str, Callable[[], str]]:
        old = self.stored.column(column)
        if self.stored.relation.kinds[column] in TEXTUAL:
            return self.dialect.code_points(old), lambda: self.dialect.code_points(self.incoming(column))
        return old, lambda: self.incoming(column)

    def _rank(self, cases: tuple[tuple[Filter, int], ...], column: Expression) -> str:
        reader = Conditions(self.stored.relation, self.stored.relations, self.stored.params, column)
        whens = " ".join(f"WHEN {reader.where(where)} THEN {int(value)}" for where, value in cases)
        return f"CASE {whens} ELSE 0 END"

    def admitted(self, guard: OwnerGuard) -> str:
        """The condition under which the guard lets the change through."""
        # `incoming` may append a parameter each time it is written, so it is called where its text stands.
        old = self.stored.column(guard.column)
        same = self.stored.exactly(self.incoming(guard.column), guard.column)
        ways = [f"{self.stored.exactly(old, guard.column)} = {same}"]
        ways.append(f"{old} IS NULL" if guard.claim else f"({old} IS NULL AND {self.incoming(guard.column)} IS NULL)")
        if guard.unscoped:
            ways.append(f"{self.incoming(guard.column)} IS NULL")
        return f"({' OR '.join(ways)})"


def before_their_change(reads: Mapping[str, AbstractSet[str]], table: str) -> list[str]:
    """The columns in an order in which each is read by the others before it changes.

    reads: column -> the columns that its new value depends on. For databases where an assignment sees those before it.
    """
    waiting = {column: set(read) - {column} for column, read in reads.items()}
    ordered: list[str] = []
    while waiting:
        # One that nobody waiting still has to read.
        free = [each for each in waiting if not any(each in read for read in waiting.values())]
        if not free:
            raise StoreError(
                f"an update of {table} sets {', '.join(waiting)} from one another, which this database cannot do"
            )
        for each in free:
            del waiting[each]
        ordered.extend(free)
    return ordered


def _read_in(rule: Rule) -> AbstractSet[str]:
    match rule:
        case Ranked(cases=cases):
            return {column for where, _ in cases for column in columns_of(where)}
        case Elapsed(start=start, end=end):
            return {start, end}
        case _:
            return frozenset()


def _read_by(change: Any) -> AbstractSet[str]:
    if not isinstance(change, Choice):
        return frozenset()
    return {*columns_of(change.where), *_read_by(change.then), *_read_by(change.otherwise)}


def _is_unlike_any(value: Scalar) -> bool:
    """Whether no whole-number column can hold just this number."""
    return isinstance(value, int | float) and isinstance(in_whole_numbers(Comparison.EQ, value), bool)


def joined(connective: str, conditions: Sequence[str]) -> str:
    """The conditions with AND or OR between them; of many, as a balanced tree."""
    if len(conditions) <= BESIDE:
        return connective.join(conditions)
    half = len(conditions) // 2
    return f"({joined(connective, conditions[:half])}){connective}({joined(connective, conditions[half:])})"


def row_of(expressions: Iterable[str]) -> str:
    """The expressions as one value to compare: itself if it is one, else a row."""
    each = tuple(expressions)
    return each[0] if len(each) == 1 else f"({', '.join(each)})"


def escaped_like(text: str) -> str:
    """The text with LIKE's own characters escaped by a backslash."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
