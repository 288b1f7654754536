"""Firestore's rules for which index a query needs. The emulator answers every query; production only those with one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import dbrouter.backends.firestore.indexes as shipped

ARRAY_AND_EQUAL = {5, 8, 7, 9}
"""EQUAL, IN, ARRAY_CONTAINS, ARRAY_CONTAINS_ANY: what merges single-field indexes when nothing else is asked."""
NAME = "__name__"
CHECKED: list[tuple[str, tuple[str, ...]]] = []
"""Collection and fields of every query of this run that was found to have its index."""


class NoIndex(Exception):
    """A query that production would refuse."""


def check(query: Any, definitions: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields that a query needs indexed. Raises `NoIndex` if they are not, by the shipped definitions."""
    (source,) = query.from_
    collection: str = source.collection_id
    if source.all_descendants:
        raise NoIndex(f"{collection}: collection groups need an index of their own")
    equal: set[str] = set()
    ranged: set[str] = set()
    for field, op in _filters(query.where):
        (equal if op in ARRAY_AND_EQUAL else ranged).add(field)
    directions = {each.field.field_path: each.direction for each in query.order_by if each.field.field_path != NAME}
    fields = tuple(dict.fromkeys((*sorted(equal), *directions, *sorted(ranged - directions.keys()))))
    exempt = {each["fieldPath"] for each in definitions["fieldOverrides"] if each["collectionGroup"] == collection}
    if len(fields) <= 1 or not (ranged or directions):
        for field in fields:
            # A map's exemption is that of all fields in it.
            if any(field == each or field.startswith(f"{each}.") for each in exempt):
                raise NoIndex(f"{collection}.{field} is exempt from indexing, and asked for")
        return fields
    wanted = [(each, "DESCENDING" if directions.get(each) == 2 else "ASCENDING") for each in fields]
    for index in definitions["indexes"]:
        has = [(each["fieldPath"], each.get("order")) for each in index["fields"] if each["fieldPath"] != NAME]
        if index["collectionGroup"] == collection and has == wanted:
            return fields
    raise NoIndex(f"{collection}: no composite index on {wanted}")


def _filters(where: Any) -> Iterator[tuple[str, int]]:
    kind = where.WhichOneof("filter_type")
    if kind == "composite_filter":
        for each in where.composite_filter.filters:
            yield from _filters(each)
    elif kind == "field_filter":
        yield where.field_filter.field.field_path, where.field_filter.op
    elif kind == "unary_filter":
        yield where.unary_filter.field.field_path, 5


def watch() -> None:
    """From now on, look at every query that our driver sends, in whatever test; one without its index fails it."""
    from dbrouter.backends.firestore.channels import AsyncSending, BlockingSending

    if getattr(BlockingSending.send, "watched", False):
        return
    definitions = shipped.definitions()
    blocking, asynchronous = BlockingSending.send, AsyncSending.send

    async def send(self: BlockingSending, method: str, request: Any, seconds: float) -> list[Any]:
        _look(method, request, definitions)
        return await blocking(self, method, request, seconds)

    async def send_async(self: AsyncSending, method: str, request: Any, seconds: float) -> list[Any]:
        _look(method, request, definitions)
        return await asynchronous(self, method, request, seconds)

    send.watched = True  # type: ignore[attr-defined]
    BlockingSending.send = send  # type: ignore[method-assign]
    AsyncSending.send = send_async  # type: ignore[method-assign]


def _look(method: str, request: Any, definitions: Mapping[str, Any]) -> None:
    if method == "RunQuery":
        query = request.structured_query
    elif method == "RunAggregationQuery":
        query = request.structured_aggregation_query.structured_query
    else:
        return
    (source,) = query.from_
    CHECKED.append((source.collection_id, check(query, definitions)))
