"""Ops as one tenant may ask them: on the shared tables, with the tenant in every key, record, filter and reference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from dbrouter.backends.kernel.errors import TenantConflict, Unsupported
from dbrouter.backends.kernel.filters import Field
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import (
    Aggregate,
    Batch,
    Change,
    Check,
    Children,
    Claim,
    Commit,
    Computed,
    Delete,
    Get,
    Insert,
    Key,
    Load,
    Measure,
    Op,
    Order,
    Put,
    Remove,
    Require,
    Scan,
    Update,
    Upsert,
    Write,
)
from dbrouter.backends.kernel.tenant_tables import TENANT
from dbrouter.policies.tenancy.filtering import Filtering, shared, unmentioned

LEAST, GREATEST = f"{TENANT}_least", f"{TENANT}_greatest"
"""What the measures are called that say whose records a group is made of."""


_REWRITES: Mapping[type[Op[Any]], str] = {
    Get: "_get",
    Scan: "_scan",
    Load: "_load",
    Commit: "_commit",
    Insert: "_insert",
    Upsert: "_upsert",
    Update: "_update",
    Claim: "_claim",
    Delete: "_delete",
    Aggregate: "_aggregate",
    Batch: "_batch",
}
"""Op -> the method that rewrites it. By name, in one table: a table of methods for each tenant takes 2 KB."""


class Rewriting:
    """Rewrites each op of the kernel's closed set for one tenant, and refuses any other.

    Types are compared exactly: of a subclass nobody here knows what it adds.
    """

    __slots__ = ("_filtering", "_tenant")

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant
        self._filtering = Filtering(tenant)

    def rewritten(self, op: Op[Any]) -> Op[Any]:
        """The op, kept to the tenant. Raises `Unsupported` for what cannot be kept to one."""
        rewrite = _REWRITES.get(type(op))
        if rewrite is None:
            raise Unsupported(f"tenancy does not know {type(op).__name__}, so it cannot keep it to one tenant")
        return cast("Op[Any]", getattr(self, rewrite)(op))

    def _get(self, op: Get) -> Get:
        return replace(op, table=shared(op.table), key=self._key(op.key), where=self._filtering.inside(op.where))

    def _scan(self, op: Scan) -> Scan:
        unmentioned(op.columns or ())
        unmentioned(op.raw)
        _unordered(op.order)
        return replace(
            op,
            table=shared(op.table),
            where=self._filtering.where(op.where),
            columns=None if op.columns is None else (*op.columns, TENANT),
        )

    def _load(self, op: Load) -> Load:
        unmentioned(op.raw)
        return replace(
            op,
            table=shared(op.table),
            key=self._key(op.key),
            where=self._filtering.inside(op.where),
            children=self._children(op.children),
        )

    def _children(self, children: Children) -> Children:
        if type(children) is not Children:
            raise Unsupported(f"tenancy does not know {type(children).__name__}, so it cannot keep it to one tenant")
        unmentioned((*children.on, *children.columns, *children.raw))
        _unordered(children.order)
        return replace(
            children,
            table=shared(children.table),
            on=(TENANT, *children.on),
            where=self._filtering.inside(children.where),
            columns=(*children.columns, TENANT),
        )

    def _insert(self, op: Insert) -> Insert:
        return replace(op, table=shared(op.table), records=tuple(map(self._record, op.records)))

    def _upsert(self, op: Upsert) -> Upsert:
        unmentioned(op.on)
        if op.guard is not None:
            unmentioned((op.guard.column,))
        return replace(
            op,
            table=shared(op.table),
            records=tuple(map(self._record, op.records)),
            rules=self._filtering.rules(op.rules),
            on=(TENANT, *op.on) if op.on else (),
        )

    def _update(self, op: Update) -> Update:
        return replace(
            op,
            table=shared(op.table),
            where=self._filtering.where(op.where),
            changes=self._filtering.changes(op.changes),
        )

    def _claim(self, op: Claim) -> Claim:
        _unordered(op.order)
        return replace(
            op,
            table=shared(op.table),
            where=self._filtering.where(op.where),
            changes=self._filtering.changes(op.changes),
        )

    def _delete(self, op: Delete) -> Delete:
        return replace(op, table=shared(op.table), where=self._filtering.where(op.where))

    def _aggregate(self, op: Aggregate) -> Aggregate:
        unmentioned(field.column for field in op.by.values())
        taken = {*op.by, *(each.name for each in op.measures)}
        witnesses = (
            Computed(name=_free(LEAST, taken), measure=Measure.MIN, field=Field(TENANT)),
            Computed(name=_free(GREATEST, taken), measure=Measure.MAX, field=Field(TENANT)),
        )
        return replace(
            op,
            table=shared(op.table),
            where=self._filtering.where(op.where),
            measures=(*map(self._computed, op.measures), *witnesses),
        )

    def _computed(self, computed: Computed) -> Computed:
        if type(computed) is not Computed:
            raise Unsupported(f"tenancy does not know {type(computed).__name__}, so it cannot keep it to one tenant")
        if computed.field is not None:
            unmentioned((computed.field.column,))
        return replace(computed, where=self._filtering.inside(computed.where))

    def _batch(self, op: Batch) -> Batch:
        return replace(op, upserts=tuple(self._known_upsert(each) for each in op.upserts))

    def _known_upsert(self, op: Upsert) -> Upsert:
        if type(op) is not Upsert:
            raise Unsupported(f"tenancy does not know {type(op).__name__}, so it cannot keep it to one tenant")
        return self._upsert(op)

    def _commit(self, op: Commit) -> Commit:
        return replace(op, writes=tuple(map(self._write, op.writes)))

    def _write(self, write: Write) -> Write:
        table, kind = shared(write.table), type(write)
        if isinstance(write, Put) and kind is Put:
            return replace(write, table=table, record=self._record(write.record))
        if isinstance(write, Remove) and kind is Remove:
            return replace(write, table=table, key=self._key(write.key))
        if isinstance(write, Check) and kind is Check:
            return replace(write, table=table, key=self._key(write.key))
        if isinstance(write, Require) and kind is Require:
            return replace(write, table=table, key=self._key(write.key), where=self._filtering.inside(write.where))
        if isinstance(write, Change) and kind is Change:
            return replace(
                write,
                table=table,
                key=self._key(write.key),
                where=self._filtering.inside(write.where),
                changes=self._filtering.changes(write.changes),
            )
        raise Unsupported(f"tenancy does not know the write {kind.__name__}; nothing was written")

    def _key(self, key: Key) -> Key:
        return (self._tenant, *key)

    def _record(self, record: Mapping[str, Any]) -> Record:
        if record.get(TENANT, self._tenant) != self._tenant:
            raise TenantConflict(
                f"a record of {record[TENANT]!r} was to be written for {self._tenant!r}; nothing was written"
            )
        return {**record, TENANT: self._tenant}


def _unordered(order: Iterable[Order]) -> None:
    for term in order:
        unmentioned((term.field.column, term.fallback or ""))


def _free(name: str, taken: set[str]) -> str:
    """The name, or one like it that the caller does not use."""
    while name in taken:
        name += "_"
    return name
