"""Firestore's messages, made and read. Imports the vendor's client: only for who is about to send something.

The bare protobuf classes below Google's wrappers: wrapping every value of a page of sessions takes longer than the
request. They carry no types, so here everything of the vendor's is `Any`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.cloud.firestore_v1.types import common, document, firestore, query, write  # pyright: ignore[reportMissingTypeStubs]

from dbrouter.backends.firestore.layout import COLUMNS, ENTRIES, Fields


def _bare(module: Any, name: str) -> Any:
    return getattr(module, name).pb()


Document: Any = _bare(document, "Document")
Value: Any = _bare(document, "Value")
MapValue: Any = _bare(document, "MapValue")
ArrayValue: Any = _bare(document, "ArrayValue")
DocumentMask: Any = _bare(common, "DocumentMask")
Precondition: Any = _bare(common, "Precondition")
Write: Any = _bare(write, "Write")
StructuredQuery: Any = _bare(query, "StructuredQuery")
StructuredAggregationQuery: Any = _bare(query, "StructuredAggregationQuery")
REQUESTS: dict[str, tuple[Any, Any]] = {
    name: (_bare(firestore, f"{name}Request"), _bare(firestore, f"{name}Response"))
    for name in ("BatchGetDocuments", "Commit", "ListCollectionIds", "RunAggregationQuery", "RunQuery")
}
"""Method -> the classes of its requests and answers."""

GREATER_OR_EQUAL, GREATER, LESS = 4, 3, 1
AND, OR = 1, 2
ASCENDING, DESCENDING = 1, 2


@dataclass(frozen=True, slots=True)
class Found:
    """A document as it was read: its columns, and the seconds and nanoseconds of its last change."""

    name: str
    columns: Fields
    time: tuple[int, int]


def found(message: Any) -> Found:
    """The document in a message."""
    columns = {name: plain(each) for name, each in message.fields[COLUMNS].map_value.fields.items()}
    return Found(message.name, columns, (message.update_time.seconds, message.update_time.nanos))


def plain(value: Any) -> Any:
    """A value as Python has it."""
    kind = value.WhichOneof("value_type")
    match kind:
        case "map_value":
            return {name: plain(each) for name, each in value.map_value.fields.items()}
        case "array_value":
            return [plain(each) for each in value.array_value.values]
        case "null_value" | None:
            return None
        case _:
            return getattr(value, kind)


def kept(value: Any) -> Any:
    """A value as Firestore has it."""
    match value:
        case str():
            return Value(string_value=value)
        case None:
            return Value(null_value=0)
        case bool():
            return Value(boolean_value=value)
        case int():
            return Value(integer_value=value)
        case float():
            return Value(double_value=value)
        case bytes():
            return Value(bytes_value=value)
        case dict():
            return Value(map_value=MapValue(fields=_kept_each(value)))  # pyright: ignore[reportUnknownArgumentType]
        case _:
            return Value(array_value=ArrayValue(values=[kept(each) for each in value]))


def _kept_each(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: kept(value) for name, value in fields.items()}


def setting(name: str, columns: Fields, entries: Fields | None = None, *, expect: Any = None) -> Any:
    """A write of a whole document."""
    fields = _kept_each({COLUMNS: columns, ENTRIES: entries or {}})
    return Write(update=Document(name=name, fields=fields), current_document=expect)


def deleting(name: str, *, expect: Any = None) -> Any:
    """A write that deletes a document."""
    return Write(delete=name, current_document=expect)


def checking(name: str, time: tuple[int, int]) -> Any:
    """A write that requires a version and changes nothing: of no field at all. The version stays as it is."""
    return Write(update=Document(name=name), update_mask=DocumentMask(), current_document=at(time))


def at(time: tuple[int, int]) -> Any:
    """The condition that a document was last changed then."""
    return Precondition(update_time={"seconds": time[0], "nanos": time[1]})


def there(*, exists: bool) -> Any:
    """The condition that a document is there, or is not."""
    return Precondition(exists=exists)


def query_of(
    collection: str,
    *,
    field: str | None = None,
    ranges: Sequence[Sequence[tuple[int, bytes]]] = (),
    descending: bool | None = None,
    limit: int | None = None,
    skip: int = 0,
    select: Sequence[str] | None = None,
) -> Any:
    """The documents of a collection whose field lies in one of the ranges, ordered by it if a direction is given."""
    parts: dict[str, Any] = {"from_": [StructuredQuery.CollectionSelector(collection_id=collection)]}
    reference = StructuredQuery.FieldReference(field_path=field or "")
    if ranges:
        parts["where"] = _composite(OR, [_composite(AND, [_bound(reference, *each) for each in one]) for one in ranges])
    if descending is not None:
        direction = DESCENDING if descending else ASCENDING
        parts["order_by"] = [StructuredQuery.Order(field=reference, direction=direction)]
    if limit is not None:
        parts["limit"] = {"value": limit}
    if skip:
        parts["offset"] = skip
    if select is not None:
        chosen = [StructuredQuery.FieldReference(field_path=each) for each in select]
        parts["select"] = StructuredQuery.Projection(fields=chosen)
    return StructuredQuery(**parts)


def _bound(field: Any, op: int, value: bytes) -> Any:
    asked = StructuredQuery.FieldFilter(field=field, op=op, value=Value(bytes_value=value))
    return StructuredQuery.Filter(field_filter=asked)


def _composite(op: int, filters: Sequence[Any]) -> Any:
    if len(filters) == 1:
        return filters[0]
    return StructuredQuery.Filter(composite_filter=StructuredQuery.CompositeFilter(op=op, filters=filters))


def count_of(asked: Any) -> Any:
    """How many documents a query finds."""
    counting = StructuredAggregationQuery.Aggregation(alias="n", count={})
    return StructuredAggregationQuery(structured_query=asked, aggregations=[counting])
