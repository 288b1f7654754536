"""What a record looks like as a document, and back.

A document has two maps: the columns, of which Firestore need index nothing, and the index entries. JSON columns are the
codec's text. Beside the columns is what no column is called: `_w`, another one for every write, for Firestore takes a
write that changes nothing for none and leaves the version as it was; and, of a record that does not fit one document,
the names of the long columns that lie compressed in documents of their own (`_m`), and how many these are (`_n`). They
are named after `_w`: a record is read whole as one writer wrote it, or read again.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

import orjson

from dbrouter.backends.firestore.index_keys import Entries
from dbrouter.backends.kernel.codec import decode, decode_text, encode, encode_text
from dbrouter.backends.kernel.completing import json_columns
from dbrouter.backends.kernel.errors import Corrupt, TooLarge
from dbrouter.backends.kernel.listings import listings
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Order
from dbrouter.backends.kernel.paths import Path
from dbrouter.backends.kernel.splitting import kept_apart, pieces
from dbrouter.backends.kernel.tables import Kind, TableSpec

Fields: TypeAlias = dict[str, Any]
"""A document's fields: maps, texts, numbers, bytes and nulls."""

COLUMNS, ENTRIES = "d", "i"
"""The two maps."""
WRITTEN, MOVED, COUNT, PART_OF = "_w", "_m", "_n", "_p"

FITS = 800_000
"""Bytes of columns in one document; Firestore ends at 1 MiB with the index entries and all names."""
STAYS = 200_000
"""Bytes of columns that stay in the document when the longest move out of it."""
PART = 900_000
MOST_PARTS = 200
"""So a record ends at 180 MB, compressed."""
_SAFE = range(-(2**63), 2**63)
_TEXTS = (Kind.JSON, Kind.TEXT, Kind.NOTE, Kind.STRING)


@dataclass(frozen=True, slots=True)
class Shape:
    """A record as one document and the parts beside it."""

    columns: Fields
    entries: Fields
    parts: list[bytes]
    size: int


class Layout:
    """How one table's records are kept. collection: the table's."""

    def __init__(self, spec: TableSpec, collection: str) -> None:
        self.spec = spec
        self.collection = collection
        self.entries = tuple(Entries.of(spec, each) for each in listings(spec))
        self._json = json_columns(spec)
        self._texts = frozenset(each.name for each in spec.columns if each.kind in _TEXTS and each.name not in spec.key)

    @property
    def splits(self) -> bool:
        """Whether records may have parts."""
        return bool(self._texts)

    def along(self, path: Path) -> Entries | None:
        """Entries by which the records of a path are found; `None` where it has no listing."""
        return next((each for each in self.entries if path.is_of(each.listing.path)), None)

    def ordered(self, path: Path, order: Order) -> Entries | None:
        """The entries that a walk goes along."""
        found = (each for each in self.entries if path.is_of(each.listing.path))
        return next((each for each in found if each.listing.serves(each.listing.path, order)), None)

    def shaped(self, values: Mapping[str, Any], fits: int = FITS) -> Shape:
        """The encoded record as documents; `_w` is left to the writer. Raises `TooLarge`."""
        columns = {column: self._kept(column, value) for column, value in values.items()}
        entries = {each.name: entry for each in self.entries if (entry := each.of_record(values)) is not None}
        sizes = {column: len(value.encode()) if isinstance(value, str) else 9 for column, value in columns.items()}
        texts = {column for column in self._texts & columns.keys() if isinstance(columns[column], str)}
        moved = kept_apart(sizes, texts, fits=fits, stays=min(STAYS, fits))
        size = sum(sizes.values()) - sum(sizes[column] for column in moved)
        if not moved and size <= fits:
            return Shape(columns, entries, [], size)
        packed = zlib.compress(orjson.dumps({column: columns.pop(column) for column in moved}), 1) if moved else b""
        parts = pieces(packed, PART)
        if len(parts) > MOST_PARTS or size > FITS:
            raise TooLarge(
                f"{self.spec.name}: a record of {sum(sizes.values()):,} bytes ({len(packed):,} compressed) is more "
                "than Firestore can hold for us; nothing was written"
            )
        return Shape(columns | {MOVED: moved, COUNT: len(parts)}, entries, parts, size)

    def needs_parts(self, kept: Mapping[str, Any], columns: Iterable[str] | None) -> bool:
        """Whether a wanted column (all, if `None`) lies in parts."""
        moved = kept.get(MOVED, ())
        return bool(moved) if columns is None else not set(columns).isdisjoint(moved)

    def record(
        self,
        kept: Mapping[str, Any],
        parts: list[bytes],
        columns: tuple[str, ...] | None = None,
        raw: frozenset[str] = frozenset(),
    ) -> Record:
        """The record, or these columns of it, `raw` ones as text. parts: all of the record's, if it needs them."""
        if parts:
            kept = {**kept} | orjson.loads(zlib.decompress(b"".join(parts)))
        return {column: self._read(column, kept, raw) for column in (columns or self.spec.column_names)}

    def _kept(self, column: str, value: Any) -> Any:
        match value:
            case str():
                return value if column in self._json else encode_text(value)
            case None | bool() | float():
                return value
            case int() if value in _SAFE:
                return value
            case date():
                return b"d" + value.isoformat().encode()
            case _:
                return b"c" + encode(value).encode()

    def _read(self, column: str, kept: Mapping[str, Any], raw: frozenset[str]) -> Any:
        try:
            value = kept[column]
        except KeyError:
            # Written before the table had this column.
            return self._absent(column)
        if isinstance(value, str):
            if column in self._json:
                return value if column in raw else decode(value)
            return decode_text(value)
        if isinstance(value, bytes):
            return date.fromisoformat(value[1:].decode()) if value[:1] == b"d" else decode(value[1:])
        return value

    def _absent(self, column: str) -> Any:
        if self.spec.has(column):
            return self.spec.column(column).default
        raise Corrupt(f"{self.spec.name} has no column {column!r}")
