"""Records as the fields of a hash, and back. Null columns are not kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dbrouter.backends.kernel.codec import decode
from dbrouter.backends.kernel.errors import TooLarge
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ordered_form import decoded, encoded
from dbrouter.backends.kernel.stored_form import encoded as stored_values
from dbrouter.backends.redis.layout import VERSION, Table

LARGEST = 512 * 1024 * 1024
"""Bytes that Redis takes as one value; its `proto-max-bulk-len` by default."""


def fields_of(table: Table, record: Mapping[str, Any]) -> dict[str, bytes]:
    """The whole record as fields. Raises before anything is sent if it does not fit the table or Redis."""
    values = stored_values(table.spec, record)
    fields = {
        column: value.encode() if column in table.json else encoded(value)
        for column, value in values.items()
        if value is not None
    }
    for column, data in fields.items():
        if len(data) >= LARGEST:
            raise TooLarge(
                f"{table.spec.name}.{column}: {len(data)} bytes; Redis takes less than {LARGEST} as one value"
            )
    return fields


def record_of(table: Table, columns: Sequence[str], found: Sequence[bytes | None], raw: frozenset[str]) -> Record:
    """The record with these columns, `raw` ones as the codec's text."""
    return {column: _value(table, column, data, raw) for column, data in zip(columns, found, strict=True)}


def flat_record(table: Table, flat: Sequence[bytes]) -> Record:
    """The whole record from its fields and their values in turn."""
    found = dict(zip(flat[::2], flat[1::2], strict=True))
    columns = table.spec.column_names
    return record_of(table, columns, [found.get(column.encode()) for column in columns], frozenset())


def asked(columns: Sequence[str] | None, table: Table) -> tuple[str, ...]:
    """The fields to read for these columns (all if `None`), the version first: it says whether there is a record."""
    return table.fields if columns is None else (VERSION, *dict.fromkeys(columns))


def _value(table: Table, column: str, data: bytes | None, raw: frozenset[str]) -> Any:
    if data is None:
        return None
    if column not in table.json:
        return decoded(data)
    return data.decode() if column in raw else decode(data)
