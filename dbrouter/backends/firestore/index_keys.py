"""Index entries: bytes whose order is the order of a listing, so that one single-field index serves it both ways.

An entry is the values of the listing's path, then what orders it, then the record's key. Firestore compares bytes one
by one and indexes at most 1,500 of a value, silently cutting the rest: entries are kept shorter. A path's long value is
there as its digest (it is only asked for by equality). A long value of the order, or a long key, is cut: such records
are inexact, and who walks into one sorts by the whole values.
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from dbrouter.backends.kernel.codec import encode
from dbrouter.backends.kernel.listings import Listing
from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.backends.kernel.tenant_tables import TENANT

LONGEST_PATH_VALUE = 120
LONGEST_ORDER = 400
LONGEST_KEY = 720
"""Bytes. Two path values, the order and the key with all their marks stay below 1,500."""

_NUMBER, _TEXT, _DATE, _OTHER, _DIGEST, _NULL = b"\x10", b"\x20", b"\x30", b"\x40", b"\x50", b"\xf0"


@dataclass(frozen=True, slots=True)
class Entries:
    """The entries of one listing, kept in the field `name` of each record's index map."""

    listing: Listing
    name: str
    key: tuple[str, ...]

    @classmethod
    def of(cls, spec: TableSpec, listing: Listing) -> Entries:
        """The entries of a table's listing. Within a path that names the tenant, the key need not."""
        name = "__".join(
            (*(listing.path or ("all",)), "by", listing.by, *((listing.fallback,) if listing.fallback else ()))
        )
        key = tuple(column for column in spec.key if not (column == TENANT and TENANT in listing.path))
        return cls(listing, name, key)

    def of_record(self, record: Mapping[str, Any]) -> bytes | None:
        """The record's entry; `None` where a part of the path is null: nobody looks for it there."""
        path = [record[column] for column in self.listing.path]
        if None in path:
            return None
        return self.leading(path) + self.position(record)

    def leading(self, path: Sequence[Any]) -> bytes:
        """What all entries with these values along the path begin with."""
        return b"".join(_exact(value) for value in path)

    def position(self, record: Mapping[str, Any]) -> bytes:
        """The rest of the record's entry: its place among those of its path."""
        return _ordered(self._by(record))[:LONGEST_ORDER] + self._key(record)

    def is_exact(self, record: Mapping[str, Any]) -> bool:
        """Whether the entry holds the order and the key whole, so that it sorts as they do."""
        by = self._by(record)
        number = isinstance(by, int) and abs(by) >= 2**63
        return (
            not number
            and not isinstance(by, Decimal | bytes)
            and len(_ordered(by)) <= LONGEST_ORDER
            and (len(self._key(record)) <= LONGEST_KEY)
        )

    def _by(self, record: Mapping[str, Any]) -> Any:
        value = record[self.listing.by]
        return record[self.listing.fallback] if value is None and self.listing.fallback else value

    def _key(self, record: Mapping[str, Any]) -> bytes:
        key = b"".join(_ordered(record[column]) for column in self.key)
        return key if len(key) <= LONGEST_KEY else key[:LONGEST_KEY] + hashlib.sha256(key).digest()


def after(prefix: bytes) -> bytes:
    """The first bytes behind all that begin with the prefix. No mark of ours is 255."""
    return prefix + b"\xff"


def _ordered(value: Any) -> bytes:
    """Bytes in the order of the values, nulls last. None is the beginning of another, so they may be cut."""
    match value:
        case None:
            return _NULL
        case str():
            return _TEXT + _escaped(value)
        case bool() | int() | float() | Decimal():
            return _NUMBER + _number(value)
        case date():
            return _DATE + value.isoformat().encode()
        case _:
            return _OTHER + _escaped(encode(value))


def _exact(value: Any) -> bytes:
    """Bytes that only equal values have."""
    whole = _ordered(value)
    return whole if len(whole) <= LONGEST_PATH_VALUE else _DIGEST + hashlib.sha256(whole).digest()


def _escaped(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass").replace(b"\x00", b"\x00\xff") + b"\x00\x01"


def _number(value: float | Decimal) -> bytes:
    """Integers and floats in one order: the nearest float, then how far the integer is above it."""
    try:
        near = float(value)
    except OverflowError:
        near = float("inf") if value > 0 else float("-inf")
    rest = value - int(near) if isinstance(value, int) and math.isfinite(near) else 0
    (bits,) = struct.unpack(">Q", struct.pack(">d", near + 0.0))
    # The order of floats is that of their bits, once negative ones are turned round.
    bits = bits ^ 0xFFFFFFFFFFFFFFFF if bits >> 63 else bits | 1 << 63
    far = max(-(2**63), min(2**63 - 1, rest)) + 2**63
    return struct.pack(">QQ", bits, far)
