"""The form in which a store without types keeps records: whole, checked, JSON columns as the codec's text.

What went in comes out the same from every store, and no caller shares a value with the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from dbrouter.backends.kernel.codec import decode, encode
from dbrouter.backends.kernel.completing import completed, json_columns
from dbrouter.backends.kernel.errors import Unstorable
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.tables import TableSpec

_PLAIN = frozenset({str, int, float, bool, date})


def encoded(spec: TableSpec, record: Mapping[str, Any]) -> Record:
    """The whole record as it is kept. Raises if it does not fit the table or a value has no stored form."""
    in_json = json_columns(spec)
    return {
        column: value if value is None else _form(f"{spec.name}.{column}", value, column in in_json)
        for column, value in completed(spec, record).items()
    }


def decoded(
    spec: TableSpec, values: Record, columns: Iterable[str] | None = None, raw: frozenset[str] = frozenset()
) -> Record:
    """The record as callers know it: these columns (all if `None`), `raw` ones still as text."""
    readable = json_columns(spec) - raw
    return {
        column: decode(value) if column in readable and (value := values[column]) is not None else values[column]
        for column in (values if columns is None else columns)
    }


def as_stored(spec: TableSpec, record: Mapping[str, Any]) -> Record:
    """The record as it will come back: what `merged` and filters must be given."""
    return decoded(spec, encoded(spec, record))


def _form(what: str, value: Any, in_json: bool) -> Any:  # the column's kind, not an option
    if in_json:
        return encode(value, what=what)
    if type(value) in _PLAIN:
        return value
    plain = decode(encode(value, what=what))
    if isinstance(plain, dict | list):
        raise Unstorable(f"{what} holds plain values, not a {type(value).__name__}")
    return plain
