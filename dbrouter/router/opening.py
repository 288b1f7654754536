"""From validated settings to an open, routed store."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.errors import ConfigError
from dbrouter.backends.kernel.store import Store
from dbrouter.policies.trace_buffer import BufferLimits
from dbrouter.router.databases import Database
from dbrouter.router.families.context import OnConflict
from dbrouter.router.routed import RoutedStore
from dbrouter.router.routes import SCHEMA_VERSIONS, Routes, RoutesSource
from dbrouter.router.threaded import awaited

if TYPE_CHECKING:
    from dbrouter.router.tenancy.description import Tenancy

STORES: Mapping[str, tuple[str, str, str | None]] = {
    "memory": ("dbrouter.backends.memory.store", "MemoryStore", "AsyncMemoryStore"),
    "sqlite": ("dbrouter.backends.sqlite.store", "SqliteStore", "AsyncSqliteStore"),
    "postgres": ("dbrouter.backends.postgres.store", "PostgresStore", "AsyncPostgresStore"),
}
"""Kind -> the module and names of its stores, blocking and native async. Imported only when a file names the kind."""


HOLD = 5.0
"""Seconds that a trace waits for its root span where its database depends on it."""


class DatabaseSource(Protocol):
    """The settings of one database."""

    @property
    def kind(self) -> str:
        """Its kind, a key of `STORES`."""
        ...


@runtime_checkable
class BusySource(DatabaseSource, Protocol):
    """The settings of a database that works on a bounded number of calls at once."""

    @property
    def calls_at_once(self) -> int:
        """How many calls of all tenants together; who comes on top waits for a turn."""
        ...

    @property
    def deadline(self) -> float:
        """Seconds a call may take."""
        ...


class StateSource(Protocol):
    """What is said about session state."""

    @property
    def on_conflict(self) -> OnConflict:
        """What becomes of changes that conflict."""
        ...


class TracesSource(Protocol):
    """What is said about the writing of traces."""

    @property
    def buffer(self) -> bool:
        """Whether they are written behind."""
        ...

    @property
    def max_delay_ms(self) -> int:
        """Milliseconds one may wait."""
        ...

    @property
    def max_rows(self) -> int:
        """How many may wait."""
        ...


class SettingsSource(RoutesSource, Protocol):
    """A validated configuration, as `dbrouter.config.settings.Settings` is one."""

    @property
    def id(self) -> str:
        """The router's id."""
        ...

    @property
    def databases(self) -> Mapping[str, DatabaseSource]:
        """Name -> database."""
        ...

    @property
    def session_state(self) -> StateSource:
        """What is said about session state."""
        ...

    @property
    def traces(self) -> TracesSource:
        """What is said about traces."""
        ...

    @property
    def tenancy(self) -> Tenancy | None:
        """What is said about tenants; `None` if nothing is."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A routed store, its databases, and the families it serves."""

    store: Store
    databases: tuple[Database, ...]
    serves: tuple[str, ...]
    traces: BufferLimits | None


def opened(settings: SettingsSource, *, blocking: bool) -> Opened:
    """The store that these settings describe. Nothing is sent to a database yet."""
    routes = Routes.of(settings)
    if settings.tenancy is not None:
        return _opened_for_tenants(settings, settings.tenancy, routes, blocking=blocking)
    stores = {name: open_store(name, each, blocking=blocking) for name, each in settings.databases.items()}
    databases = tuple(
        Database(name=name, store=store, families=_families_in(name, routes), kind=settings.databases[name].kind)
        for name, store in stores.items()
    )
    return Opened(
        store=RoutedStore(stores, routes), databases=databases, serves=routes.families, traces=_limits(settings, routes)
    )


def _opened_for_tenants(settings: SettingsSource, tenancy: Tenancy, routes: Routes, *, blocking: bool) -> Opened:
    # Imported only where there are tenants.
    from dbrouter.router.tenancy.assembling import KEEPS_ROWS_ITSELF, Opening, switched
    from dbrouter.router.tenancy.catalog import Catalog

    kinds = {name: each.kind for name, each in settings.databases.items()}
    opening = Opening(
        kinds=kinds,
        open_=lambda name: open_store(name, settings.databases[name], blocking=blocking),
        blocking=blocking,
        places={
            name: (each.calls_at_once, each.deadline)
            for name, each in settings.databases.items()
            if isinstance(each, BusySource)
        },
    )

    def catalog(open_shared: Callable[[str], Store]) -> Catalog:
        table = tenancy.table
        if table is None:
            return Catalog(tenancy)
        if kinds[table.db] == KEEPS_ROWS_ITSELF and blocking:
            return Catalog(tenancy, open_shared(table.db))
        # A store of its own, and a blocking one: it is asked from a thread of its own.
        return Catalog(tenancy, open_store(table.db, settings.databases[table.db], blocking=True))

    switch, stores = switched(
        opening,
        routes,
        tenancy.rules,
        catalog,
        open_databases=tenancy.open_databases,
    )
    databases = tuple(
        Database(
            name=name,
            store=stores[name] if name in stores else switch.parts.stores.of_its_own(name),
            families=_families_in(name, routes) & (tenancy.rules.shared | {SCHEMA_VERSIONS}),
            kind=kind,
            opened_on_use=name not in stores,
            # Tenants' tables are made when they are first written to.
            provisioned=not tenancy.rules.shared.isdisjoint(_families_in(name, routes)),
        )
        for name, kind in kinds.items()
    )
    return Opened(store=switch, databases=databases, serves=routes.families, traces=_limits(settings, routes))


def _limits(settings: SettingsSource, routes: Routes) -> BufferLimits | None:
    said = settings.traces
    if not said.buffer:
        return None
    # Child spans end first and name no component: where components have trace databases of their own, wait for the
    # root.
    spread = len(routes.databases("traces")) > 1
    return BufferLimits(max_delay=said.max_delay_ms / 1000, max_rows=said.max_rows, hold=HOLD if spread else 0.0)


def open_store(name: str, settings: DatabaseSource, *, blocking: bool) -> Store:
    """The store of one configured database, native async where its client is. `ConfigError` without its client."""
    module, sync_name, async_name = STORES[settings.kind]
    try:
        stores = importlib.import_module(module)
        chosen: Any = getattr(stores, sync_name if blocking or async_name is None else async_name)
        store = cast("Store", chosen.from_settings(settings, name=name))
    except ImportError as missing:
        raise ConfigError(
            f"databases.{name}: {settings.kind} needs {missing.name}, which is not installed; "
            f"pip install 'dbrouter[{settings.kind}]'"
        ) from missing
    return Emulated(store if blocking else awaited(store))


def _families_in(database: str, routes: Routes) -> frozenset[str]:
    """The families whose rows can be in this database."""
    return frozenset(family for family in (*routes.families, SCHEMA_VERSIONS) if database in routes.databases(family))
