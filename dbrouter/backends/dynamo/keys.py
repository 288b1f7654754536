"""The two parts of an item's key: a text that tells partitions apart, and bytes that sort as the values do.

A partition key is the JSON text of a list, so no two lists give the same one, and it can be read in a console. A sort
key is made of values that each end by themselves, so it needs no separators that a value could hold.
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Iterable
from datetime import date
from typing import Any

from dbrouter.backends.kernel.codec import encode

LONGEST_PARTITION = 2048
"""Bytes of a partition key that DynamoDB takes."""
LONGEST_SORT = 1024
"""Bytes of a sort key that DynamoDB takes."""
_DIGEST = 32

_NEGATIVE, _ZERO_OR_MORE, _INFINITE, _TEXT = (bytes((code,)) for code in (2, 3, 4, 5))
_NULL = b"\xfe"
"""After every value: nulls count as largest."""


def partition(*parts: Any) -> str:
    """The partition key of these parts; one that is too long keeps its beginning and a digest of the whole."""
    text = encode([as_key_part(part) for part in parts])
    data = text.encode()
    if len(data) <= LONGEST_PARTITION:
        return text
    beginning = data[: LONGEST_PARTITION - 2 * _DIGEST - 1].decode("utf-8", "ignore")
    return f"{beginning}#{hashlib.sha256(data).hexdigest()}"


def sorting(values: Iterable[Any]) -> bytes:
    """The sort key of these values: bytes that compare as the values do, one after the other.

    What is too long keeps its beginning and a digest: so it differs still, and is in order as far as it was kept.
    """
    data = b"".join(map(_sorted, values))
    if len(data) <= LONGEST_SORT:
        return data
    return data[: LONGEST_SORT - _DIGEST] + hashlib.sha256(data).digest()


def as_key_part(value: Any) -> Any:
    """The value in the one form that all values equal to it share: `1`, `1.0` and `True` are one key."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, date):
        return value.isoformat()
    return value


def _sorted(value: Any) -> bytes:
    plain = as_key_part(value)
    match plain:
        case None:
            return _NULL
        case int() | float():
            return _number(plain)
        case str():
            # A zero byte inside is followed by 0xFF, which is larger than all that can follow the one at the end.
            return _TEXT + plain.encode("utf-8", "surrogatepass").replace(b"\0", b"\0\xff") + b"\0"
        case _:
            return _sorted(encode(plain))


def _number(value: float) -> bytes:
    if isinstance(value, float) and not math.isfinite(value):
        return _NEGATIVE + b"\0" if value < 0 else _INFINITE
    whole = abs(int(value))
    fraction = abs(math.modf(value)[0]) if isinstance(value, float) else 0.0
    digits = whole.to_bytes((whole.bit_length() + 7) // 8, "big")
    # The count of bytes first: more bytes are a larger number.
    size = bytes((len(digits) + 1,)) if len(digits) < 0xFE else b"\xff" + struct.pack(">I", len(digits))
    data = size + digits + struct.pack(">d", fraction)
    if value < 0:
        return _NEGATIVE + bytes(0xFF - byte for byte in data)
    return _ZERO_OR_MORE + data
