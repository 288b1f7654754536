"""How many bytes an op writes and its answer brings, in the codec's text form: near what goes over the wire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from dbrouter.backends.kernel.codec import encode
from dbrouter.backends.kernel.ops import (
    AnyOp,
    Batch,
    Change,
    Choice,
    Claim,
    Commit,
    Insert,
    KeepValue,
    Loaded,
    Op,
    Page,
    Put,
    Stored,
    Update,
    Upsert,
    Write,
)


def written(op: Op[Any]) -> int:
    """Bytes of what the op writes; an update of several records counts once."""
    known = cast("AnyOp", op)
    match known:
        case Insert(records=records) | Upsert(records=records):
            return _of_all(records)
        case Update(changes=changes) | Claim(changes=changes):
            return size_of(changes)
        case Batch(upserts=upserts):
            return sum(_of_all(each.records) for each in upserts)
        case Commit(writes=writes):
            return sum(map(_of_write, writes))
        case _:
            return 0


def answered(answer: object) -> int:
    """Bytes of the records in an op's answer."""
    match answer:
        case Stored(record=record):
            return size_of(record)
        case Loaded(record=record, children=children):
            return size_of(record) + _of_all(children)
        case Page(records=records):
            return _of_all(records)
        case list():
            return sum(answered(each) for each in cast("list[object]", answer))
        case dict():
            return size_of(cast("dict[str, Any]", answer))
        case _:
            return 0


def size_of(record: Mapping[str, Any]) -> int:
    """Bytes of one record, without what nobody pays for: names of columns and nulls."""
    return sum(map(_of_value, record.values()))


def _of_write(write: Write) -> int:
    match write:
        case Put(record=record):
            return size_of(record)
        case Change(changes=changes):
            return size_of(changes)
        case _:
            return 0


def _of_all(records: Iterable[Mapping[str, Any]]) -> int:
    return sum(map(size_of, records))


def _of_value(value: Any) -> int:
    match value:
        case str():
            # Not all text can be encoded; a lone surrogate is written escaped.
            return len(value) if value.isascii() else len(value.encode("utf-8", "replace"))
        case bool() | int() | float():
            return 8
        case Choice(then=then, otherwise=otherwise):
            return max(_of_value(then), _of_value(otherwise))
        case None | KeepValue():
            return 0
        case _:
            return len(encode(value).encode())
