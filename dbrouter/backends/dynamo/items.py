"""Records as items: one attribute for each column, large texts compressed, what does not fit cut into parts.

Text is a string, a whole number a number, JSON the codec's text, so that a console shows what was written. A compressed
text is binary, and what none of these can say is a map around the codec's text: nothing is ever taken for another.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

from dbrouter.backends.dynamo.layout import Place
from dbrouter.backends.kernel.codec import decode, decode_text, encode, encode_text
from dbrouter.backends.kernel.errors import Corrupt, TooLarge
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.splitting import kept_apart, pieces
from dbrouter.backends.kernel.tables import TableSpec

Item: TypeAlias = dict[str, Any]
"""An item as the client takes it: attribute -> {type: value}."""

PARTITION, SORT = "_p", "_s"
STAMP, PARTS, PACKED = "_v", "_n", "_b"
DATA = "_d"
"""Our own attributes; no column's name begins with an underscore."""

COMPRESSED_FROM = 4096
"""Characters of a value from which it is compressed: DynamoDB bills by KB, and JSON shrinks to a third or less."""
_LEVEL = 3
LARGEST_HEAD = 300_000
"""Bytes of a record's own item: below the 400 KB that DynamoDB takes, attribute names included."""
PART_SIZE = 380_000
MOST_PARTS = 400
"""Parts of one record: 150 MB, after compression."""
_EXACT = range(-(2**63), 2**63)
"""Whole numbers that are numbers in an item too; DynamoDB keeps 38 digits."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A record as it is written: the attributes of its own item, and the data of its parts."""

    attributes: Item
    parts: tuple[bytes, ...]
    size: int


def keyed(place: Place) -> Item:
    """The key attributes of an item."""
    return {PARTITION: {"S": place.partition}, SORT: {"B": place.sort}}


def place_of(item: Mapping[str, Any]) -> Place:
    """Where an item is."""
    return Place(item[PARTITION]["S"], bytes(item[SORT]["B"]))


def part_place(head: Place, stamp: str, number: int) -> Place:
    """Where a part of a record's version is."""
    return Place(head.partition, b"\x01" + stamp.encode() + number.to_bytes(2, "big"))


def shaped(spec: TableSpec, values: Mapping[str, Any], stamp: str, largest: int = LARGEST_HEAD) -> Shape:
    """An encoded record (`stored_form.encoded`) as items, its own of `largest` bytes at most.

    Raises `TooLarge`, by name, if it fits into none.
    """
    attributes = {column: attribute(value) for column, value in values.items() if value is not None}
    sizes = {column: len(column) + _size(each) for column, each in attributes.items()}
    movable = sizes.keys() - set(spec.key)
    packed: list[tuple[str, str, int]] = []
    data = bytearray()
    whole = stays = sum(sizes.values())
    for column in kept_apart(sizes, movable, fits=largest, stays=largest):
        ((kind, value),) = attributes.pop(column).items()
        raw = value if kind == "B" else encode({kind: value}).encode()
        packed.append((column, kind, len(raw)))
        data += raw
        stays -= sizes[column]
    parts = tuple(pieces(bytes(data), PART_SIZE))
    if len(parts) > MOST_PARTS or stays > LARGEST_HEAD:
        raise TooLarge(
            f"{spec.name}: a record of {whole:,} bytes after compression; DynamoDB takes up to "
            f"{MOST_PARTS * PART_SIZE:,} in parts, and {LARGEST_HEAD:,} of a key. Nothing was written"
        )
    attributes[STAMP] = {"S": stamp}
    if parts:
        attributes[PARTS] = {"N": str(len(parts))}
        attributes[PACKED] = {"S": encode(packed)}
    return Shape(attributes, parts, stays)


def attribute(value: Any) -> dict[str, Any]:
    """One value as an attribute."""
    match value:
        case bool():
            return {"BOOL": value}
        case int() if value in _EXACT:
            return {"N": str(value)}
        case str():
            text = encode_text(value)
            if len(text) < COMPRESSED_FROM:
                return {"S": text}
            small = zlib.compress(text.encode(), _LEVEL)
            return {"B": small} if len(small) < len(text) else {"S": text}
        case date():
            return {"M": {"day": {"S": value.isoformat()}}}
        case _:
            return {"M": {"json": {"S": encode(value)}}}


def value_of(given: Mapping[str, Any]) -> Any:
    """The value that `attribute` was given."""
    match given:
        case {"S": text}:
            return decode_text(text)
        case {"N": number}:
            return int(number)
        case {"BOOL": flag}:
            return flag
        case {"B": data}:
            return decode_text(zlib.decompress(bytes(data)).decode())
        case {"M": {"day": {"S": day}}}:
            return date.fromisoformat(day)
        case {"M": {"json": {"S": text}}}:
            return decode(text)
        case _:
            raise Corrupt(f"an attribute of type {', '.join(given)} is none of ours")


def values_of(columns: Iterable[str], item: Mapping[str, Any]) -> Record:
    """These columns of an item; those that it does not have are null."""
    return {column: value_of(item[column]) if column in item else None for column in columns}


def parts_of(item: Mapping[str, Any], columns: Iterable[str]) -> int:
    """How many parts must be read for these columns."""
    if PARTS not in item:
        return 0
    wanted = set(columns)
    return int(item[PARTS]["N"]) if any(column in wanted for column, _, _ in decode(item[PACKED]["S"])) else 0


def completed_with(item: Item, parts: Sequence[bytes]) -> Item:
    """The item with the columns that are in its parts."""
    data = b"".join(parts)
    whole, at = dict(item), 0
    for column, kind, length in decode(item[PACKED]["S"]):
        raw = data[at : at + length]
        whole[column] = {"B": raw} if kind == "B" else decode(raw)
        at += length
    if at != len(data):
        raise Corrupt(f"the parts of a record are {len(data):,} bytes, and its item says {at:,}")
    return whole


def _size(given: Mapping[str, Any]) -> int:
    """Bytes of an attribute as DynamoDB counts them, or more."""
    match given:
        case {"S": text}:
            return len(text.encode())
        case {"B": data}:
            return len(data)
        case {"N": number}:
            return len(number) // 2 + 3
        case {"M": inside}:
            return 3 + sum(len(name) + 1 + _size(each) for name, each in inside.items())
        case _:
            return 1
