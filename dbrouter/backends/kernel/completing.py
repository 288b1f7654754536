"""Whole records: what a table makes of the columns a caller gave, and of the changes an update asks for."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from dbrouter.backends.kernel.codec import encode
from dbrouter.backends.kernel.errors import StoreError
from dbrouter.backends.kernel.matching import matches
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import KEEP_VALUE, Choice, Key
from dbrouter.backends.kernel.tables import Kind, TableSpec


def completed(spec: TableSpec, record: Mapping[str, Any]) -> Record:
    """The record with every column of its table: given, else the column's default, else null.

    Raises `StoreError` for a column the table does not have and for a null where none is allowed.
    """
    check_columns(spec, record)
    whole = {
        column.name: record[column.name] if column.name in record else copy.copy(column.default)
        for column in spec.columns
    }
    for column in spec.columns:
        if column.kind is Kind.DATE:
            whole[column.name] = as_date(spec, column.name, whole[column.name])
    missing = [column.name for column in spec.columns if not column.nullable and whole[column.name] is None]
    if missing:
        raise StoreError(f"{spec.name}: {', '.join(missing)} must not be null")
    return whole


def changed(spec: TableSpec, record: Record, changes: Mapping[str, Any]) -> Record:
    """The record after an update's changes; each `Choice` looks at the record as it was before."""
    check_changes(spec, changes)
    result = dict(record)
    for column, change in changes.items():
        value = change
        if isinstance(change, Choice):
            value = change.then if matches(change.where, record) else change.otherwise
        if value is not KEEP_VALUE:
            result[column] = value
    return completed(spec, result)


def check_columns(spec: TableSpec, columns: Iterable[str]) -> None:
    """Raise `StoreError` if one of these is not a column of the table."""
    known = spec.column_names
    unknown = [column for column in columns if column not in known]
    if unknown:
        raise StoreError(f"{spec.name} has no column {', '.join(map(repr, unknown))}; it has {', '.join(known)}")


def check_changes(spec: TableSpec, changes: Iterable[str]) -> None:
    """Raise `StoreError` if an update names an unknown column or one of the key: records do not change their key."""
    check_columns(spec, changes)
    if fixed := [column for column in changes if column in spec.key]:
        raise StoreError(
            f"{spec.name}: the key ({', '.join(fixed)}) of a record cannot change; remove it and put another"
        )


def as_date(spec: TableSpec, column: str, value: Any) -> date | None:
    """A date column's value, which may be given as a date, a point in time or ISO text."""
    match value:
        case datetime():
            return value.date()
        case None | date():
            return value
        case str():
            try:
                return date.fromisoformat(value[:10])
            except ValueError as error:
                raise StoreError(f"{spec.name}.{column}: {value!r} is not an ISO date") from error
        case _:
            raise StoreError(f"{spec.name}.{column}: {value!r} is not a date")


def key_in(spec: TableSpec, record: Mapping[str, Any]) -> Key:
    """The record's key."""
    return tuple(record[column] for column in spec.key)


def projected(record: Record, columns: Sequence[str] | None) -> Record:
    """The record with only these columns (all if `None`), in the order asked for."""
    return record if columns is None else {column: record[column] for column in columns}


def with_text(record: Record, raw: Iterable[str]) -> Record:
    """The record with these JSON columns as the codec's text; a null stays null."""
    return record | {column: encode(record[column]) for column in raw if record.get(column) is not None}


def json_columns(spec: TableSpec) -> frozenset[str]:
    """The columns whose values the codec writes."""
    return spec.json_columns
