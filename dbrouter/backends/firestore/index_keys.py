"""Index entries: bytes whose order is the order of a listing, so that one single-field index serves it both ways.

An entry is the values of the listing's path, then what orders it, then the record's key. Firestore compares bytes one
by one and indexes at most 1,500 of a value, silently cutting the rest: entries are kept shorter. A path's long value is
there as its digest (it is only asked for by equality). A long value of the order, or a long key, is cut: such records
are inexact, and who walks into one sorts by the whole values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dbrouter.backends.kernel.listings import Listing
from dbrouter.backends.kernel.ordered_form import behind, canonical, in_a_row
from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.backends.kernel.tenant_tables import TENANT

LONGEST_PATH_VALUE = 120
LONGEST_ORDER = 400
LONGEST_KEY = 720
"""Bytes. Two path values, the order and the key with all their marks stay below 1,500."""

_DIGEST = b"h"
"""What no value in its ordered form begins with."""


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
        order = canonical(self._by(record))
        # What is cut stands behind what ends there.
        return (order if len(order) <= LONGEST_ORDER else behind(order[:LONGEST_ORDER])) + self._key(record)

    def is_exact(self, record: Mapping[str, Any]) -> bool:
        """Whether the entry holds the order and the key whole, so that it sorts as they do."""
        return len(canonical(self._by(record))) <= LONGEST_ORDER and len(self._key(record)) <= LONGEST_KEY

    def _by(self, record: Mapping[str, Any]) -> Any:
        value = record[self.listing.by]
        return record[self.listing.fallback] if value is None and self.listing.fallback else value

    def _key(self, record: Mapping[str, Any]) -> bytes:
        key = in_a_row(record[column] for column in self.key)
        return key if len(key) <= LONGEST_KEY else key[:LONGEST_KEY] + hashlib.sha256(key).digest()


def _exact(value: Any) -> bytes:
    """Bytes that only equal values have."""
    whole = canonical(value)
    return whole if len(whole) <= LONGEST_PATH_VALUE else _DIGEST + hashlib.sha256(whole).digest()
