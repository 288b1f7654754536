"""Records as BSON documents and back: agno's own documents, in which JSON columns are documents and arrays.

What BSON cannot hold as it is (text that is no UTF-8, larger integers, a leading `$` in a key) is escaped as the
kernel's codec escapes what JSON cannot.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, TypeAlias

import bson
import orjson
from bson.codec_options import CodecOptions, TypeDecoder, TypeRegistry
from bson.dbref import DBRef
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.objectid import ObjectId
from bson.raw_bson import RawBSONDocument

from dbrouter.backends.kernel.codec import (
    decode_text,
    encode,
    encode_text,
    escaped_character,
    escaped_integer,
    is_marked,
    restored,
    shown,
)
from dbrouter.backends.kernel.completing import as_date, json_columns
from dbrouter.backends.kernel.errors import TooLarge, Unstorable
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.stored_form import encoded
from dbrouter.backends.kernel.tables import Kind, TableSpec

Document: TypeAlias = dict[str, Any]

LARGEST = 16 * 1024 * 1024
"""Bytes of a document, in every MongoDB."""
SURELY_SMALL = LARGEST // 4
"""Bytes of JSON text that make no document over the limit."""
DEEPEST = 90
"""Levels inside a column: MongoDB ends at 100 in all."""

_INTEGERS = range(-(2**63), 2**63)
_LONG_NUMBER = re.compile(r"\d{19}")


class _Plain(TypeDecoder):
    """What the client makes of a BSON type, made into what records hold."""

    def __init__(self, bson_type: type, transform: Any) -> None:
        self._type = bson_type
        self._transform = transform

    @property
    def bson_type(self) -> Any:
        """The client's type."""
        return self._type

    def transform_bson(self, value: Any) -> Any:
        """The record's value."""
        return self._transform(value)


def _as_written(reference: DBRef) -> dict[str, Any]:
    """A document that the client took for a reference, because it has a `$ref` and a `$id`."""
    written: Any = reference.as_doc()
    return dict(written)


_READING: CodecOptions[dict[str, Any]] = CodecOptions(
    document_class=dict,
    tz_aware=True,
    type_registry=TypeRegistry(
        [
            _Plain(Int64, int),
            # Only agno's own class writes these: it hands over what an agent's state holds as it is.
            _Plain(datetime, datetime.isoformat),
            _Plain(Decimal128, Decimal128.to_decimal),
            _Plain(ObjectId, str),
            _Plain(DBRef, _as_written),
        ]
    ),
)

RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
"""Reads documents as the bytes they came in."""


def document_of(spec: TableSpec, record: Mapping[str, Any]) -> Document:
    """The whole record as a document. Raises, naming the column, if it does not fit."""
    kept = encoded(spec, record)
    in_json = json_columns(spec)
    document = {
        column: value if value is None else _field(f"{spec.name}.{column}", value, column in in_json)
        for column, value in kept.items()
    }
    if sum(len(kept[column] or "") for column in in_json) + _texts(kept, in_json) > SURELY_SMALL:
        refuse_if_large(spec.name, document)
    return document


def field_of(spec: TableSpec, column: str, value: Any) -> Any:
    """One column's value as a document holds it. Raises, naming the column, if it does not fit."""
    what = f"{spec.name}.{column}"
    kind = spec.column(column).kind
    if value is None:
        return None
    if kind is Kind.JSON:
        return _field(what, encode(value, what=what), in_json=True)
    return _field(what, as_date(spec, column, value) if kind is Kind.DATE else value, in_json=False)


def operand(value: Any) -> Any:
    """A value that a filter compares plain columns with, as documents hold it."""
    match value:
        case str():
            return encode_text(value)
        case date():
            return value.isoformat()
        case int() if not -(2**63) <= value < 2**63:
            # No document holds so large a number, nor does a query: it is further than all that they hold.
            return math.copysign(math.inf, value)
        case _:
            return value


def refuse_if_large(table: str, document: Mapping[str, Any]) -> None:
    """Raise `TooLarge` for a document that MongoDB does not take."""
    size = len(bson.encode(document))
    if size > LARGEST:
        raise TooLarge(
            f"{table}: the record takes {size / 2**20:.1f} MiB and MongoDB takes 16 a document; nothing was written: "
            "store less in it (media elsewhere), or send its family to a database without that limit"
        )


def bytes_of(document: Any) -> bytes:
    """A document's bytes. pymongo gives those of a large answer as a view of it."""
    return bytes(document.raw)


def record_of(
    spec: TableSpec, raw: bytes, columns: Iterable[str] | None = None, texts: frozenset[str] = frozenset()
) -> Record:
    """The record in a document: these columns (all if `None`), JSON ones in `texts` as the codec's text."""
    document = bson.decode(raw, _READING)
    escaped = is_marked(raw)
    record: Record = {}
    for name in spec.column_names if columns is None else columns:
        value = document.get(name)
        if value is not None:
            kind = spec.column(name).kind
            if kind is Kind.DATE:
                value = as_date(spec, name, value)
            elif kind is not Kind.JSON:
                value = decode_text(value) if escaped and isinstance(value, str) else value
            else:
                value = restored(value) if escaped else value
                value = encode(value) if name in texts else value
        record[name] = value
    return record


def plain_value(value: Any) -> Any:
    """A value that an aggregation answered, as records hold it."""
    return decode_text(value) if isinstance(value, str) else restored(value)


def _texts(kept: Record, in_json: frozenset[str]) -> int:
    return sum(len(value) * 3 for column, value in kept.items() if isinstance(value, str) and column not in in_json)


def _field(what: str, value: Any, in_json: bool) -> Any:  # the column's kind, not an option
    if in_json:
        return _tree(what, value)
    if isinstance(value, str):
        return encode_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | dict):
        raise Unstorable(f"{what} holds plain values, not a {type(value).__name__}")
    if isinstance(value, int) and value not in _INTEGERS:
        raise Unstorable(
            f"{what}: {shown(value)} needs more than the 64 bits of MongoDB's integers; nothing was written"
        )
    return value


def _tree(what: str, text: str) -> Any:
    """The codec's text as BSON values."""
    tree = orjson.loads(text)
    if '"$' in text or _LONG_NUMBER.search(text) or text.count("[") + text.count("{") > DEEPEST:
        return _fitting(what, tree, 1)
    return tree


def _fitting(what: str, value: Any, depth: int) -> Any:
    kind = type(value)
    if kind is int:
        return value if value in _INTEGERS else escaped_integer(value)
    if kind is not dict and kind is not list:
        return value
    if depth > DEEPEST:
        raise Unstorable(
            f"{what} is nested more than {DEEPEST} deep; MongoDB does not take that, store a flatter value"
        )
    if kind is list:
        return [_fitting(what, each, depth + 1) for each in value]
    return {
        escaped_character("$") + key[1:] if key[:1] == "$" else key: _fitting(what, each, depth + 1)
        for key, each in value.items()
    }
