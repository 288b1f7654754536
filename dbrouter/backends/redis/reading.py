"""Reads as requests, and their answers as records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dbrouter.backends.kernel.completing import check_columns
from dbrouter.backends.kernel.errors import StoreError, Unsupported
from dbrouter.backends.kernel.filters import Field, Filter
from dbrouter.backends.kernel.loading import children_of, children_read, parent_is
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Get, GetMany, Key, Load, Loaded, Order, Stored, Walk, Walked
from dbrouter.backends.kernel.ordered_form import in_a_row
from dbrouter.backends.kernel.paths import path_of
from dbrouter.backends.kernel.tenant_tables import TENANT
from dbrouter.backends.redis.layout import Layout, Table, local
from dbrouter.backends.redis.records import asked, record_of
from dbrouter.backends.redis.scripts import Argument, Request, running, script_for

BUDGET = 4 * 1024 * 1024
"""Bytes of records that one answer brings before the rest is left to be fetched by keys."""

MORE = b"more"
"""What a script answers that has to be asked again."""


@dataclass(frozen=True, slots=True)
class Along:
    """A path with its values; in a table that tenants share, also whose part of it (`None`: everybody's).

    ways: the values, several of them where those of the last column are alternatives.
    """

    columns: tuple[str, ...]
    ways: tuple[tuple[Any, ...], ...]
    tenant: Any = None

    @property
    def prefixes(self) -> tuple[bytes, ...]:
        """What the members of an index along the path begin with."""
        return tuple(map(in_a_row, self.ways))


def along(table: Table, where: Filter) -> Along:
    """The path that a filter of equalities names. Raises `Unsupported` for any other filter."""
    path = path_of(where)
    if not table.shared or TENANT not in path.columns:
        return Along(path.columns, path.ways)
    columns, tenants = local(path.columns), path.along((TENANT,))
    return Along(columns, path.along(columns), tenants[0][0] if tenants else None)


def get(layout: Layout, namespace: str, op: Get) -> Request:
    """The record's fields."""
    table = layout.table(op.table)
    return _fetching(layout, namespace, table, [op.key], table.fields)


def got(layout: Layout, op: Get, answers: Sequence[Any]) -> Stored | None:
    """The record and its version."""
    table = layout.table(op.table)
    version, *found = answers[0]
    if version is None:
        return None
    return Stored(record_of(table, table.spec.column_names, found, frozenset()), version.decode())


def get_many(layout: Layout, namespace: str, op: GetMany) -> list[tuple[list[int], Request]]:
    """Which of the keys each request is for: one for all that have one place."""
    table = layout.table(op.table)
    check_columns(table.spec, op.columns or ())
    fields = asked(op.columns, table)
    by_place: dict[Any, list[int]] = {}
    for number, key in enumerate(op.keys):
        by_place.setdefault(table.tenant_of(key), []).append(number)
    return [
        (numbers, _fetching(layout, namespace, table, [op.keys[each] for each in numbers], fields))
        for numbers in by_place.values()
    ]


def one_of_many(layout: Layout, op: GetMany, found: Sequence[Any]) -> Record | None:
    """One record's asked columns."""
    table = layout.table(op.table)
    fields = asked(op.columns, table)
    return None if found[0] is None else record_of(table, fields[1:], found[1:], op.raw)


def walk(layout: Layout, namespace: str, op: Walk) -> Request:
    """The next records along a path."""
    table = layout.table(op.table)
    check_columns(table.spec, op.columns or ())
    path = along(table, op.where)
    place = table.place_of(path.columns, op.order.field.column, op.order.fallback)
    if place is None or op.order.field.path:
        raise Unsupported(f"{table.spec.name}: nothing lists {path.columns} by {op.order}")
    fields = asked(op.columns, table)
    return _reading(
        layout, namespace, table, path.tenant,
        ("walk", table.spec.name, place, path.prefixes[0], int(op.order.descending), op.limit, op.after or b"",
         op.skip, int(op.total), len(fields), *fields),
    )  # fmt: skip


def walked(layout: Layout, op: Walk, answers: Sequence[Any]) -> Walked:
    """The records, where to go on, and the total."""
    table = layout.table(op.table)
    count, after, found = answers[0]
    fields = asked(op.columns, table)
    records = [record_of(table, fields[1:], each[1:], op.raw) for each in found]
    return Walked(records, after or None, count if op.total else None)


def scan(layout: Layout, namespace: str, table: Table, path: Along, columns: tuple[str, ...] | None) -> Request:
    """All records of a path: as many as one answer should bring, and the keys of the others."""
    place = table.place_of(path.columns)
    if place is None:
        raise Unsupported(f"{table.spec.name}: nothing lists its records by {', '.join(path.columns)}")
    fields = asked(columns, table)
    prefixes = path.prefixes
    arguments = ("scan", table.spec.name, place, len(prefixes), *prefixes, BUDGET, len(fields), *fields)
    return _reading(layout, namespace, table, path.tenant, arguments)


def rest_of(
    layout: Layout, namespace: str, table: Table, tenant: Any, keys: Sequence[bytes], columns: tuple[str, ...] | None
) -> Request:
    """The records of keys that a scan left."""
    base = layout.base(namespace, table, tenant)
    start = base + table.name.encode() + b":r:"
    fields = asked(columns, table)
    return Request(base, [("HMGET", start + key, *fields) for key in keys])


def scanned(
    table: Table, found: Sequence[Sequence[Any]], columns: tuple[str, ...] | None, raw: frozenset[str]
) -> list[Record]:
    """The records of a scan, without those that were removed since."""
    fields = asked(columns, table)
    return [record_of(table, fields[1:], each[1:], raw) for each in found if each[0] is not None]


def load(layout: Layout, namespace: str, op: Load) -> Request:
    """A record and its children."""
    table, children = layout.table(op.table), layout.table(op.children.table)
    parent_is(op.children.on, op.key)
    check_columns(children.spec, op.children.columns)
    first = op.children.order[0] if op.children.order else Order(Field(children.key[0]))
    limit = -1 if op.children.limit is None else op.children.limit
    place = None
    if not first.field.path and not first.descending:
        place = children.place_of(op.children.on, first.field.column, first.fallback)
    if place is None:
        # Not in that order: all of them, and the end of it is found here.
        place, limit = children.place_of(op.children.on), -1
    if place is None:
        raise Unsupported(f"{children.spec.name}: nothing lists its records by {', '.join(op.children.on)}")
    wanted = _wanted(children, op)
    return _reading(
        layout, namespace, table, table.tenant_of(op.key),
        ("load", table.spec.name, table.key_text(op.key), len(table.fields), *table.fields,
         children.spec.name, place, limit, len(wanted), *wanted),
    )  # fmt: skip


def loaded(layout: Layout, op: Load, answers: Sequence[Any]) -> Loaded | None:
    """The record, its version and its children in order."""
    if answers[0] is None:
        return None
    table, children = layout.table(op.table), layout.table(op.children.table)
    (version, *own), found = answers[0]
    wanted = _wanted(children, op)[1:]
    _, raw = children_read(op, children.spec.key)
    shown = children_of(op, [record_of(children, wanted, each[1:], raw) for each in found], children.spec.key)
    return Loaded(record_of(table, table.spec.column_names, own, op.raw), version.decode(), shown)


def _wanted(children: Table, op: Load) -> tuple[str, ...]:
    columns, _ = children_read(op, children.spec.key)
    return asked(columns, children)


def _fetching(layout: Layout, namespace: str, table: Table, keys: Sequence[Key], fields: Sequence[str]) -> Request:
    base = layout.base(namespace, table, table.tenant_of(keys[0]))
    start = base + table.name.encode() + b":r:"
    return Request(base, [("HMGET", start + table.key_text(key), *fields) for key in keys])


def _reading(layout: Layout, namespace: str, table: Table, tenant: Any, arguments: Sequence[Argument]) -> Request:
    if table.shared and tenant is None:
        raise StoreError(f"{table.spec.name}: whose records?")
    script = script_for(layout, "read", (table.spec.name,))
    return running(script, [layout.base(namespace, table, tenant)], arguments, writes=False)
