"""SecantusDB's server in less time: `python -m scripts.servers.secantus_in_haste OPTIONS`, with its own options.

It is written in Python and keeps its rows in WiredTiger, whose wheel makes keys of tuples and tuples of keys letter by
letter of their format: a sixth of its time. As much goes into deep copies of documents for each step of a pipeline.
"""

from __future__ import annotations

import copy
import gc
import sys
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import bson
import wiredtiger
from secantus import cli, transactions
from wiredtiger.intpacking import pack_int, unpack_int

REMEMBERED = 500
"""How many answers SecantusDB keeps for clients that ask once more, which they do at once. It looks through all of them
at each write and, if let, keeps 10,000, after which a write takes it several times as long."""
TEXT, BYTES, INTEGER = "S", "u", "q"
"""The formats of what ends with a zero, of bytes at the end of a key, and of an integer of any size."""
UNCHANGING = frozenset(
    (
        *(type(None), bool, int, float, str, bytes, datetime, UUID),
        *(bson.ObjectId, bson.Int64, bson.Decimal128, bson.Timestamp, bson.Binary, bson.Regex),
    )
)

_copied = copy.deepcopy
_cursors: Any = sys.modules[wiredtiger.Cursor.__module__]
"""What `wiredtiger` takes all its names from: it is there that cursors look for `pack`."""
_pack, _unpack = _cursors.pack, _cursors.unpack


def pack(format_: str, *values: Any) -> Any:
    """What WiredTiger's own `pack` answers."""
    strings, last = _shape(format_)
    if last is None or not all(type(each) is str for each in values[:strings]):
        return _pack(format_, *values)
    made = b"".join([each.partition("\0")[0].encode() + b"\0" for each in values[:strings]])
    if last == INTEGER:
        return made + pack_int(values[strings])
    if last == BYTES:
        return made + values[strings] if type(values[strings]) is bytes else _pack(format_, *values)
    return made


def unpack(format_: str, data: Any) -> Any:
    """What WiredTiger's own `unpack` answers."""
    strings, last = _shape(format_)
    if last is None or type(data) is not bytes:
        return _unpack(format_, data)
    *texts, rest = data.split(b"\0", strings)
    found: list[Any] = [each.decode() for each in texts]
    if last == INTEGER:
        found.append(unpack_int(rest)[0])
    elif last == BYTES:
        found.append(rest)
    return found


@lru_cache
def _shape(format_: str) -> tuple[int, str | None]:
    """How many texts, and what comes after them: nothing, bytes, an integer, or `None`: something else."""
    last = format_.lstrip(TEXT)
    return len(format_) - len(last), last if last in ("", BYTES, INTEGER) else None


def copied(value: Any, memo: Any = None) -> Any:
    """A deep copy. Documents are trees: nothing in them is looked for among what is copied already."""
    kind = type(value)
    if kind in UNCHANGING:
        return value
    if kind is dict:
        return {name: copied(each) for name, each in value.items()}
    if kind is list:
        return [copied(each) for each in value]
    return _copied(value, memo)


def main() -> None:
    """Serve as `secantus.cli` does."""
    # Looking for garbage as often as Python does takes it a seventh of its time.
    gc.set_threshold(50_000, 20, 20)
    transactions._RETRYABLE_RECORD_MAX = REMEMBERED  # noqa: SLF001  # it has no setting for this
    copy.deepcopy = copied
    _cursors.pack, _cursors.unpack = pack, unpack
    sys.exit(cli.main())


if __name__ == "__main__":
    main()
