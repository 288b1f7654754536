"""A store that answers every op over one that declares little."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Self, TypeVar, cast

from dbrouter.backends.kernel.capabilities import Capabilities
from dbrouter.backends.kernel.emulation.committing import Committing
from dbrouter.backends.kernel.emulation.deleting import Deleting
from dbrouter.backends.kernel.emulation.native import Native
from dbrouter.backends.kernel.emulation.positions import Positions
from dbrouter.backends.kernel.emulation.reading import Reading
from dbrouter.backends.kernel.emulation.reservations import Reservations
from dbrouter.backends.kernel.emulation.updating import Updating
from dbrouter.backends.kernel.emulation.upserting import Upserting
from dbrouter.backends.kernel.emulation.writing import Writing
from dbrouter.backends.kernel.errors import Unsupported
from dbrouter.backends.kernel.isolation import HasNamespaces, HoldsRowsBack, keeps_apart
from dbrouter.backends.kernel.ops import (
    Aggregate,
    Batch,
    Claim,
    Commit,
    Delete,
    Get,
    Insert,
    Load,
    Op,
    Scan,
    Update,
    Upsert,
)
from dbrouter.backends.kernel.relating import children_by_table
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.backends.kernel.tenant_tables import ALL_TABLES, CHILDREN

R = TypeVar("R")


class Emulated:
    """Passes on what the store declares and emulates the rest over its get, scan and conditional commit.

    The store must scan a whole table, or the records whose value in the leading column of the key or of a declared
    index equals one given; honour a scan's `columns` and `raw`; serve `INTERNAL_TABLES` beside its own.
    An atomic commit of several records is not emulated: without the capability it raises `Unsupported`.
    Writes of several records (update, delete, upsert) are atomic per record; repeating one that failed completes it.
    """

    def __new__(cls, store: Store, *, tables: Mapping[str, TableSpec] = ALL_TABLES) -> Self:
        """One that has namespaces, or holds rows back, if the store does."""
        del tables
        return super().__new__(cast("type[Self]", _KINDS[keeps_apart(store)]) if cls is Emulated else cls)

    def __init__(self, store: Store, *, tables: Mapping[str, TableSpec] = ALL_TABLES) -> None:
        self.runtime = store.runtime
        self.driver = self._store = store
        self._tables = tables
        self._complete = store.capabilities.complete
        children = CHILDREN if tables is ALL_TABLES else children_by_table(tables)
        native = Native(store.capabilities, tables, children)
        reading = Reading(store, native, tables)
        reservations = Reservations(store, reading)
        writing = Writing(store, reading, reservations)
        deleting = Deleting(store, reading, reservations, children)
        committing = Committing(store, native, reading, writing, deleting, reservations)
        upserting = Upserting(store, native, reading, writing, reservations, Positions(store, reading))
        updating = Updating(store, reading, writing)
        self._native = native
        self._answers: dict[type[Op[Any]], Callable[[Any], Awaitable[Any]]] = {
            Get: reading.get,
            Scan: reading.scan,
            Load: reading.load,
            Aggregate: reading.aggregate,
            Commit: committing.commit,
            Insert: committing.insert,
            Upsert: upserting.upsert,
            Update: updating.update,
            Claim: updating.claim,
            Delete: deleting.delete,
            Batch: upserting.batch,
        }

    @property
    def capabilities(self) -> Capabilities:
        """What the store beneath does natively."""
        return self._store.capabilities

    async def execute(self, op: Op[R], /) -> R:
        """The op's answer."""
        if self._complete or self._native.runs(op):
            return await self._store.execute(op)
        answer = self._answers.get(type(op))
        if answer is None:
            raise Unsupported(f"the kernel knows no way to emulate {type(op).__name__}")
        return cast("R", await answer(op))

    async def existing_tables(self) -> frozenset[str]:
        """Physical names of the tables that exist."""
        return await self._store.existing_tables()

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        """Create these tables where they are missing."""
        await self._store.create_tables(tables)

    def physical_name(self, table: str) -> str:
        """What the table is called in the store."""
        return self._store.physical_name(table)

    async def ping(self) -> None:
        """Return if the store answers."""
        await self._store.ping()

    async def close(self) -> None:
        """Close the store."""
        await self._store.close()


class _InNamespaces(Emulated):
    """Over a store that has namespaces."""

    def in_namespace(self, namespace: str) -> Store:
        """The store in this namespace, with the same emulation over it."""
        return Emulated(cast("HasNamespaces", self._store).in_namespace(namespace), tables=self._tables)


class _HoldingRowsBack(Emulated):
    """Over a store whose database holds rows back."""

    def for_rows_of(self, tenant: str) -> Store:
        """The store that sees this tenant's rows only, with the same emulation over it."""
        return Emulated(cast("HoldsRowsBack", self._store).for_rows_of(tenant), tables=self._tables)


class _InNamespacesHoldingRowsBack(_InNamespaces, _HoldingRowsBack):
    """Over a store that does both."""


_KINDS: dict[tuple[bool, bool], type[Emulated]] = {
    (False, False): Emulated,
    (True, False): _InNamespaces,
    (False, True): _HoldingRowsBack,
    (True, True): _InNamespacesHoldingRowsBack,
}
