"""The two parts of an item's key: a text that tells partitions apart, and bytes that sort as the values do.

A partition key is the JSON text of a list, so no two lists give the same one, and it can be read in a console. A sort
key is values in their ordered form.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date
from typing import Any

from dbrouter.backends.kernel.codec import encode
from dbrouter.backends.kernel.ordered_form import in_a_row

LONGEST_PARTITION = 2048
"""Bytes of a partition key that DynamoDB takes."""
LONGEST_SORT = 1024
"""Bytes of a sort key that DynamoDB takes."""
_DIGEST = 32


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
    data = in_a_row(values)
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
