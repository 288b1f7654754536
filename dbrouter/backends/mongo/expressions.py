"""Fields and filters in MongoDB's expression language, as pipelines need them. Pure.

A filter becomes two expressions: where it is true, and where it is false; unknown (a null took part) is neither. So a
`Not` never has to negate an unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, assert_never

from dbrouter.backends.kernel.codec import MARK, encode_text, escaped_character
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
from dbrouter.backends.kernel.matching import fold
from dbrouter.backends.kernel.tables import Kind
from dbrouter.backends.kernel.tenant_tables import ALL_TABLES
from dbrouter.backends.mongo.documents import operand

JSON_COLUMNS: Final = frozenset(
    column.name for spec in ALL_TABLES.values() for column in spec.columns if column.kind is Kind.JSON
)
"""Columns that are JSON in some table: what is asked of them by that name alone is asked of a JSON value."""

OPERATORS: Final = {
    Comparison.EQ: "$eq",
    Comparison.NE: "$ne",
    Comparison.LT: "$lt",
    Comparison.LE: "$lte",
    Comparison.GT: "$gt",
    Comparison.GE: "$gte",
}
NEGATED: Final = {
    Comparison.EQ: Comparison.NE,
    Comparison.NE: Comparison.EQ,
    Comparison.LT: Comparison.GE,
    Comparison.LE: Comparison.GT,
    Comparison.GT: Comparison.LE,
    Comparison.GE: Comparison.LT,
}
_WHOLE: Final = 1e16
"""From here on Python writes a whole float with an exponent."""
_NO_TEXT: Final = f"{MARK}json"
"""Stands for the text of an object or array inside JSON: equal to nothing, and not null."""


def runs_natively(where: Filter) -> bool:
    """Whether MongoDB evaluates this filter, its parts aside, as the reference does."""
    match where:
        case Related() | Like():
            return False
        case Contains(field=field, text=text) | StartsWith(field=field, text=text):
            # Which letters MongoDB takes for the same in other scripts is not what Python does.
            return text.isascii() and not _is_json(field)
        case Compare(field=field, value=value):
            return not _is_json(field) and not _is_json_text(field, value)
        case In(field=field, values=values):
            return not _is_json(field) and not any(_is_json_text(field, value) for value in values)
        case _:
            return True


def constant(value: Any) -> Any:
    """A value as an expression: never read as a field or an operator."""
    return value if value is None or isinstance(value, bool | int | float) else {"$literal": value}


def value_at(field: Field) -> Any:
    """The expression for a column, or for the text at a path inside one."""
    column = f"${field.column}"
    return _text(inside(field)) if field.path else column


def inside(field: Field) -> Any:
    """The expression for what is at a path, `null` where there is no such path. Arrays have no paths into them."""
    found: Any = {"$ifNull": [f"${field.column}", None]}
    for step in field.path:
        found = {"$ifNull": [{"$getField": {"field": {"$literal": _key(step)}, "input": found}}, None]}
    return found


def is_known(value: Any) -> Any:
    """Whether an expression is neither null nor missing: both sort before all else."""
    return {"$gt": [value, None]}


def is_true(where: Filter) -> Any:
    """The expression that says whether the filter is true for the document."""
    return _decided(where, wanted=True)


def _decided(where: Filter, *, wanted: bool) -> Any:
    match where:
        case Everything():
            return wanted
        case Compare(field=field, comparison=comparison, value=value):
            operator = OPERATORS[comparison if wanted else NEGATED[comparison]]
            return _about(field, lambda at: {operator: [at, constant(operand(value))]})
        case In(values=()):
            return not wanted
        case In(field=field, values=values):
            among = {"$literal": [operand(value) for value in values]}
            return _about(field, lambda at: _either({"$in": [at, among]}, wanted))
        case IsNull(field=field):
            found = inside(field)
            return {"$lte": [found, None]} if wanted else is_known(found)
        case Contains(field=field, text=text):
            return _about(field, lambda at: _either(_matches(at, pattern(text)), wanted))
        case StartsWith(field=field, text=text):
            return _about(field, lambda at: _either(_matches(at, f"^{pattern(text)}"), wanted))
        case HasItem(column=column, item=item):
            array = {"$cond": [{"$isArray": [f"${column}"]}, f"${column}", []]}
            has = {"$in": [constant(encode_text(item)), array]}
            return {"$and": [is_known(f"${column}"), _either(has, wanted)]}
        case And(filters=filters) | Or(filters=filters):
            together = "$and" if isinstance(where, And) is wanted else "$or"
            return {together: [_decided(each, wanted=wanted) for each in filters]}
        case Not(filter=inner):
            return _decided(inner, wanted=not wanted)
        case Related() | Like():
            raise TypeError(f"MongoDB does not run {type(where).__name__}; the kernel does")
        case _:
            assert_never(where)


def pattern(text: str) -> str:
    """A regular expression for this text in any case. `text` is ASCII, or an escape of the codec's."""
    return "".join(_letter(character) for character in fold(encode_text(text)))


def _letter(character: str) -> str:
    if character == "k":
        return "[kK\u212a]"  # the Kelvin sign is a K in small letters
    if "a" <= character <= "z":
        return f"[{character}{character.upper()}]"
    return character if character.isalnum() or ord(character) > 127 else f"\\x{ord(character):02x}"


def _about(field: Field, condition: Callable[[Any], Any]) -> Any:
    """A condition on a field that is known."""
    if not field.path:
        column = f"${field.column}"
        return {"$and": [is_known(column), condition(column)]}
    known = {"$and": [is_known("$$at"), condition("$$at")]}
    return {"$let": {"vars": {"at": value_at(field)}, "in": known}}


def _either(condition: Any, wanted: bool) -> Any:  # the way it shall come out, not an option
    return condition if wanted else {"$not": [condition]}


def _matches(value: Any, regex: str) -> Any:
    text = {"$cond": [{"$eq": [{"$type": value}, "string"]}, value, ""]}
    return {"$regexMatch": {"input": text, "regex": {"$literal": regex}, "options": "s"}}


def _text(found: Any) -> Any:
    """The text of a JSON scalar as Python's JSON writer has it."""
    whole = {"$and": [{"$eq": ["$$v", {"$trunc": "$$v"}]}, {"$lt": [{"$abs": "$$v"}, _WHOLE]}]}
    fraction = {"$cond": [whole, {"$concat": [{"$toString": {"$toLong": "$$v"}}, ".0"]}, {"$toString": "$$v"}]}
    kinds: list[tuple[str, Any]] = [
        ("string", "$$v"),
        ("bool", {"$cond": ["$$v", "true", "false"]}),
        ("int", {"$toString": "$$v"}),
        ("long", {"$toString": "$$v"}),
        ("double", fraction),
        ("null", None),
    ]
    branches = [{"case": {"$eq": [{"$type": "$$v"}, kind]}, "then": then} for kind, then in kinds]
    return {"$let": {"vars": {"v": found}, "in": {"$switch": {"branches": branches, "default": _NO_TEXT}}}}


def _key(step: str) -> str:
    """A key as documents hold it."""
    return escaped_character("$") + encode_text(step[1:]) if step[:1] == "$" else encode_text(step)


def _is_json(field: Field) -> bool:
    return not field.path and field.column in JSON_COLUMNS


def _is_json_text(field: Field, value: Scalar) -> bool:
    """Whether an object or array could have this text."""
    return bool(field.path) and isinstance(value, str) and value[:1] in ("[", "{")
