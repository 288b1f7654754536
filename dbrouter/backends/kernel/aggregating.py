"""Groups and measures over records: the reference for `Aggregate`, and what stores that cannot group use."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, assert_never

from dbrouter.backends.kernel.codec import encode, encode_text
from dbrouter.backends.kernel.matching import json_text, matches, read
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Aggregate, Computed, Measure, Page
from dbrouter.backends.kernel.ordering import page_of, sort_records


def aggregate(records: Iterable[Mapping[str, Any]], op: Aggregate) -> Page:
    """The op's answer over these records of its table. `Related` must have been resolved before.

    Nulls form a group of their own. Without grouping fields there is one group, even over no records.
    """
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {} if op.by else {(): []}
    values: dict[tuple[Any, ...], tuple[Any, ...]] = {(): ()}
    for record in records:
        if matches(op.where, record):
            found = tuple(read(field, record) for field in op.by.values())
            identity = tuple(map(hashable, found))
            groups.setdefault(identity, []).append(record)
            values.setdefault(identity, found)
    rows: list[Record] = [
        dict(zip(op.by, values[identity], strict=True)) | {each.name: measured(each, members) for each in op.measures}
        for identity, members in groups.items()
    ]
    ordered = sort_records(rows, op.order, tuple(op.by))
    return Page(page_of(ordered, op.offset, op.limit), total=len(rows) if op.total else None)


def measured(computed: Computed, records: Sequence[Mapping[str, Any]]) -> Any:
    """One measure over the records of a group. Null over nothing, except that counts are 0."""
    chosen = [record for record in records if matches(computed.where, record)]
    if computed.field is None:
        if computed.measure is not Measure.COUNT:
            raise TypeError(f"{computed.name}: {computed.measure.value} needs a field; only a count goes without")
        return len(chosen)
    field = computed.field
    values = [value for record in chosen if (value := read(field, record)) is not None]
    match computed.measure:
        case Measure.COUNT:
            return len(values)
        case Measure.DISTINCT:
            return len(set(map(hashable, values)))
        case Measure.MIN:
            return min(values, default=None)
        case Measure.MAX:
            return max(values, default=None)
        case Measure.MEAN:
            return math.fsum(numbers(values)) / len(values) if values else None
        case Measure.P95:
            return percentile(numbers(values), 0.95)
        case Measure.BYTES:
            return sum(map(kept_size, values)) if values else None
        case _:
            assert_never(computed.measure)


def percentile(values: Sequence[float], fraction: float) -> float | None:
    """The value below which this fraction lies, interpolated linearly between the two nearest ranks."""
    if not values:
        return None
    ordered = sorted(values)
    position = fraction * (len(ordered) - 1)
    below, above = ordered[math.floor(position)], ordered[math.ceil(position)]
    return below + (above - below) * (position - math.floor(position))


def kept_size(value: Any) -> int:
    """Bytes of one value: of text and JSON their UTF-8 form, of others a machine word."""
    if isinstance(value, str):
        return len(encode_text(value).encode())
    return len(encode(value).encode()) if isinstance(value, dict | list) else 8


def numbers(values: Sequence[Any]) -> list[float]:
    """The values as floats; the text of a number (as a path into JSON gives it) counts as that number."""
    return [float(value) for value in values]


def hashable(value: Any) -> Any:
    """Something equal for equal values that a set can hold."""
    return json_text(value) if isinstance(value, dict | list) else value
