"""A record as the content of its object: a line of what the driver keeps, and the record as the codec's text."""

from __future__ import annotations

import secrets
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from dbrouter.backends.kernel.codec import decode, encode
from dbrouter.backends.kernel.completing import as_date, json_columns
from dbrouter.backends.kernel.errors import Corrupt
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.tables import Kind, TableSpec

COMPRESS_OVER = 4096
"""Bytes of a record above which it is compressed."""

_TOMBSTONE = b"gone "
_SEALED = b"seal "
MARKER = 5 + 16
"""Bytes of a tombstone: no record is as short, so a listing tells which objects are none."""


@dataclass(frozen=True, slots=True)
class Body:
    """What an object holds. stamp: of the write that made it. entries: listing -> the token in the entry's name."""

    stamp: str
    entries: Mapping[str, str]
    record: Record


def new_token() -> str:
    """Sixteen digits that no other write has."""
    return secrets.token_hex(8)


def written(spec: TableSpec, values: Mapping[str, Any], entries: Mapping[str, str], stamp: str) -> bytes:
    """The content of an object. values: the record in its stored form, JSON columns as the codec's text."""
    in_json = json_columns(spec)
    columns = (
        f'"{column}":{value if column in in_json and value is not None else encode(value)}'
        for column, value in values.items()
    )
    payload = f"{{{','.join(columns)}}}".encode()
    packed = len(payload) > COMPRESS_OVER
    head = orjson.dumps({"stamp": stamp, "entries": dict(entries), "zlib": packed})
    return head + b"\n" + (zlib.compress(payload, 3) if packed else payload)


def read(spec: TableSpec, content: bytes, what: str) -> Body | None:
    """What the object holds; `None` for a tombstone. Raises `Corrupt` if it is neither."""
    if is_tombstone(content):
        return None
    head, _, payload = content.partition(b"\n")
    try:
        kept: dict[str, Any] = orjson.loads(head)
        values: dict[str, Any] = decode(zlib.decompress(payload) if kept["zlib"] else payload)
        entries: dict[str, str] = kept["entries"]
        stamp: str = kept["stamp"]
    except (ValueError, KeyError, TypeError, zlib.error) as error:
        raise Corrupt(f"{what} is not a record of {spec.name}: {error}") from error
    # A column that the table has since this record was written reads as its default, one that it lost is left out.
    record = {column.name: values.get(column.name, column.default) for column in spec.columns}
    for column in spec.columns:
        if column.kind is Kind.DATE:
            record[column.name] = as_date(spec, column.name, record[column.name])
    return Body(stamp, entries, record)


def tombstone(stamp: str) -> bytes:
    """The content of the object of a record that was removed."""
    return _TOMBSTONE + stamp.encode()


def seal() -> bytes:
    """The content of a tombstone that is about to be removed: nothing may be written over it for a while."""
    return _SEALED + f"{time.time_ns():016x}".encode()


def is_tombstone(content: bytes) -> bool:
    """Whether the object stands for a record that is not there."""
    return len(content) == MARKER and content.startswith((_TOMBSTONE, _SEALED))


def sealed_for(content: bytes) -> float | None:
    """For how many seconds the object has been a tombstone that is about to be removed; `None` if it is none."""
    if len(content) != MARKER or not content.startswith(_SEALED):
        return None
    return (time.time_ns() - int(content[-16:], 16)) / 1e9


def stamp_of(content: bytes) -> str:
    """The stamp of the write that made the object."""
    if is_tombstone(content):
        return content[-16:].decode()
    try:
        return str(orjson.loads(content.partition(b"\n")[0])["stamp"])
    except (ValueError, KeyError, TypeError) as error:
        raise Corrupt(f"an object does not begin as those of dbrouter do: {error}") from error
