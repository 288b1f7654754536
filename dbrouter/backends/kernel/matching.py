"""The reference evaluator of filters, and `split`: the part a driver runs and the part the kernel applies.

Drivers are tested against `matches`; stores that cannot filter get it for free.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias, assert_never

from dbrouter.backends.kernel.filters import (
    EVERYTHING,
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
    StartsWith,
    all_of,
)

Truth: TypeAlias = bool | None
"""True, false, or unknown (a null took part)."""


def matches(where: Filter, record: Mapping[str, Any]) -> bool:
    """Whether the filter is true for the record. `Related` must have been resolved to `In` before."""
    return truth(where, record) is True


def truth(where: Filter, record: Mapping[str, Any]) -> Truth:
    """The filter's three-valued result for the record."""
    match where:
        case Everything():
            return True
        case Compare(field=field, comparison=comparison, value=value):
            return compared(read(field, record), comparison, value)
        case In(field=field, values=values):
            found = read(field, record)
            return None if found is None and values else any(compared(found, Comparison.EQ, each) for each in values)
        case IsNull(field=field):
            return read(field, record) is None
        case Contains(field=field, text=text):
            found = read(field, record)
            return None if found is None else fold(text) in fold(as_text(found))
        case StartsWith(field=field, text=text):
            found = read(field, record)
            return None if found is None else fold(as_text(found)).startswith(fold(text))
        case Like(column=column, pattern=pattern):
            found = record.get(column)
            return None if found is None else like(pattern, json_text(found))
        case HasItem(column=column, item=item):
            found = record.get(column)
            return None if found is None else isinstance(found, list) and item in found
        case Related():
            raise TypeError(f"{where} reads another table: resolve it to In before matching")
        case And(filters=filters):
            return _all(truth(each, record) for each in filters)
        case Or(filters=filters):
            return _negated(_all(_negated(truth(each, record)) for each in filters))
        case Not(filter=inner):
            return _negated(truth(inner, record))
        case _:
            assert_never(where)


def read(field: Field, record: Mapping[str, Any]) -> Any:
    """The field's value; along a path, the text of a JSON scalar or `None` (for a null, an object, a miss)."""
    value = record.get(field.column)
    if not field.path:
        return value
    for step in field.path:
        value = value.get(step) if isinstance(value, dict) else None
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def compared(found: Any, comparison: Comparison, value: Any) -> Truth:
    """One comparison; unknown if the stored side is null."""
    if found is None:
        return None
    match comparison:
        case Comparison.EQ:
            return bool(found == value)
        case Comparison.NE:
            return bool(found != value)
        case Comparison.LT:
            return bool(found < value)
        case Comparison.LE:
            return bool(found <= value)
        case Comparison.GT:
            return bool(found > value)
        case Comparison.GE:
            return bool(found >= value)
        case _:
            assert_never(comparison)


def fold(text: str) -> str:
    """The form under which `Contains` and `StartsWith` compare: lower case."""
    return text.lower()


def as_text(value: Any) -> str:
    """A column's value as the text that text filters read."""
    return value if isinstance(value, str) else json_text(value)


def json_text(value: Any) -> str:
    """A JSON value as the text that `Like` reads: separators with a blank, real characters."""
    return json.dumps(value, ensure_ascii=False)


def like(pattern: str, text: str) -> bool:
    """Whether the whole text matches a LIKE pattern, escaped by a backslash, ignoring case."""
    return _like_expression(pattern).search(text) is not None


@lru_cache(maxsize=512)
def _like_expression(pattern: str) -> re.Pattern[str]:
    pieces: list[str] = []
    characters = iter(pattern)
    for character in characters:
        if character == "\\":
            pieces.append(re.escape(next(characters, "\\")))
        else:
            pieces.append({"%": ".*", "_": "."}.get(character) or re.escape(character))
    # Searching from anywhere is what a wildcard at either end means, and far cheaper than trying every length of it.
    if pieces[:1] == [".*"]:
        pieces[0] = ""
    else:
        pieces.insert(0, r"\A")
    if pieces[-1] == ".*":
        pieces.pop()
    else:
        pieces.append(r"\Z")
    return re.compile("".join(pieces), re.IGNORECASE | re.DOTALL)


def split(where: Filter, native: Callable[[Filter], bool]) -> tuple[Filter, Filter]:
    """The filter as (native, residual): records of the first that match the second match the whole.

    native: says whether the driver runs this one filter, itself without its parts (for `And`, `Or` and `Not`,
    whether it can combine at all). A conjunction is split; anything else goes whole to one side.
    """
    if _wholly(where, native):
        return where, EVERYTHING
    match where:
        case And(filters=filters):
            parts = [split(each, native) for each in filters]
            return all_of(*(part for part, _ in parts)), all_of(*(part for _, part in parts))
        case _:
            return EVERYTHING, where


def _wholly(where: Filter, native: Callable[[Filter], bool]) -> bool:
    match where:
        case And(filters=filters) | Or(filters=filters):
            return native(where) and all(_wholly(each, native) for each in filters)
        case Not(filter=inner):
            return native(where) and _wholly(inner, native)
        case _:
            return native(where)


def _all(truths: Any) -> Truth:
    unknown = False
    for each in truths:
        if each is False:
            return False
        unknown = unknown or each is None
    return None if unknown else True


def _negated(each: Truth) -> Truth:
    return None if each is None else not each
