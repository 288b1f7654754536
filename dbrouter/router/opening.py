"""From validated settings to an open, routed store."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self, cast, runtime_checkable

from pydantic import BaseModel

from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.errors import ConfigError
from dbrouter.backends.kernel.store import Store
from dbrouter.policies.trace_buffer import BufferLimits
from dbrouter.router.any_agno.delegating import AgnoDatabases, agno_stores, in_agno
from dbrouter.router.any_agno.opening import KIND as AGNO
from dbrouter.router.any_agno.opening import open_agno, open_to_look
from dbrouter.router.any_agno.spread import RoutedWithAgno
from dbrouter.router.databases import Database
from dbrouter.router.families.context import Context, OnConflict
from dbrouter.router.families.programs import Programs
from dbrouter.router.routed import RoutedStore
from dbrouter.router.routes import SCHEMA_VERSIONS, Routes, RoutesSource
from dbrouter.router.threaded import awaited

if TYPE_CHECKING:
    from dbrouter.router.tenancy.description import Tenancy

STORES: Mapping[str, tuple[str, str, str | None]] = {
    "memory": ("dbrouter.backends.memory.store", "MemoryStore", "AsyncMemoryStore"),
    "sqlite": ("dbrouter.backends.sqlite.store", "SqliteStore", "AsyncSqliteStore"),
    "postgres": ("dbrouter.backends.postgres.store", "PostgresStore", "AsyncPostgresStore"),
    "mysql": ("dbrouter.backends.mysql.store", "MySqlStore", "AsyncMySqlStore"),
    "singlestore": ("dbrouter.backends.singlestore.store", "SingleStoreStore", "AsyncSingleStoreStore"),
    "mongo": ("dbrouter.backends.mongo.store", "MongoStore", "AsyncMongoStore"),
    "redis": ("dbrouter.backends.redis.store", "RedisStore", "AsyncRedisStore"),
    "firestore": ("dbrouter.backends.firestore.store", "FirestoreStore", "AsyncFirestoreStore"),
    "dynamo": ("dbrouter.backends.dynamo.store", "DynamoStore", None),
    "objects": ("dbrouter.backends.objects.store", "ObjectsStore", "AsyncObjectsStore"),
}
"""Kind -> the module and names of its stores, blocking and native async. Imported only when a file names the kind."""


CLIENTS: Mapping[str, tuple[str, str]] = {
    "sqlite": ("sqlalchemy", "aiosqlite"),
    "mysql": ("pymysql", "asyncmy"),
    "singlestore": ("pymysql", "asyncmy"),
    "redis": ("redis", "redis"),
    "dynamo": ("boto3", "boto3"),
}
"""Kind -> the clients, blocking and native async, that its stores import only when they are first used."""

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
    """A routed store, its databases, and the families it serves. agno: the databases that are agno's, if any are.

    keeps_files_in: the database beside whose sessions agno may keep files.
    """

    store: Store
    databases: tuple[Database, ...]
    serves: tuple[str, ...]
    traces: BufferLimits | None
    agno: AgnoDatabases | None = None
    keeps_files_in: str | None = None

    @classmethod
    def alone(cls, store: Store) -> Opened:
        """A store that is the only one."""
        return cls(store=Emulated(store), databases=(), serves=(), traces=None)


@runtime_checkable
class SharesRows(Store, Protocol):
    """A store whose rows are in this process."""

    def share(self, other: Self, /) -> None:
        """Have the other one's rows from now on."""
        ...


class InProcess:
    """The databases in this process's memory, so that whoever opens one by its name again finds its rows."""

    def __init__(self) -> None:
        self._first: dict[str, SharesRows] = {}

    def join(self, name: str, store: Store) -> None:
        """Give the store the rows of the first of that name, if it is in this process at all."""
        if isinstance(store, SharesRows):
            store.share(self._first.setdefault(name, store))


def opened(
    settings: SettingsSource, *, blocking: bool, in_process: InProcess | None = None, beside: bool = False
) -> Opened:
    """The store that these settings describe. Nothing is sent to a database yet.

    in_process: what another opening of the same settings has in memory. beside: whether this is a blocking one beside
    one that is awaited: then a connection to each database is enough, and agno's classes may be such that are awaited.
    """
    routes = Routes.of(settings)
    memory = InProcess() if in_process is None else in_process

    def open_(name: str) -> Store:
        described = settings.databases[name]
        if beside and described.kind == AGNO:
            return open_to_look(name, described)
        return open_store(
            name, with_one_connection(described) if beside else described, blocking=blocking, in_process=memory
        )

    if settings.tenancy is not None:
        return _opened_for_tenants(settings, settings.tenancy, routes, open_, blocking=blocking)
    stores = {name: open_(name) for name in settings.databases}
    databases = tuple(
        Database(name=name, store=store, families=_families_in(name, routes), kind=settings.databases[name].kind)
        for name, store in stores.items()
    )
    agno = _agno_databases(settings, stores, routes)
    store = RoutedStore(stores, routes) if agno is None else _routed_with_agno(settings, stores, routes, agno)
    return Opened(
        store=store,
        databases=databases,
        serves=routes.families,
        traces=_limits(settings, routes),
        agno=agno,
        keeps_files_in=next(iter(routes.databases("sessions")), None),
    )


def _agno_databases(
    settings: SettingsSource, stores: Mapping[str, Store], routes: Routes, *, by_tenant: bool = False
) -> AgnoDatabases | None:
    names = frozenset(name for name, each in settings.databases.items() if each.kind == AGNO)
    if not names:
        return None
    some, only = in_agno(routes, names)
    return AgnoDatabases(stores=agno_stores(stores), names=names, families=some, only=only, by_tenant=by_tenant)


def _routed_with_agno(
    settings: SettingsSource, stores: Mapping[str, Store], routes: Routes, agno: AgnoDatabases
) -> RoutedStore:
    def programs(store: Store) -> Programs:
        return Programs(Context(store, on_conflict=settings.session_state.on_conflict, place=settings.id))

    return RoutedWithAgno(stores, routes, agno=agno.names, programs=programs)


def _opened_for_tenants(
    settings: SettingsSource, tenancy: Tenancy, routes: Routes, open_: Callable[[str], Store], *, blocking: bool
) -> Opened:
    # Imported only where there are tenants.
    from dbrouter.router.tenancy.assembling import KEEPS_ROWS_ITSELF, Opening, switched
    from dbrouter.router.tenancy.catalog import Catalog

    kinds = {name: each.kind for name, each in settings.databases.items()}
    opening = Opening(
        kinds=kinds,
        open_=open_,
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
    return Opened(
        store=switch,
        databases=databases,
        serves=routes.families,
        traces=_limits(settings, routes),
        agno=_agno_databases(settings, stores, routes, by_tenant=True),
    )


def with_one_connection(settings: DatabaseSource) -> DatabaseSource:
    """The settings of the same database with a pool of one connection, if it has a pool."""
    if not isinstance(settings, BaseModel):
        return settings
    pooled = {"pool_size": 1, "max_overflow": 0}
    given = {name: number for name, number in pooled.items() if name in type(settings).model_fields}
    return cast("DatabaseSource", settings.model_copy(update=given))


def _limits(settings: SettingsSource, routes: Routes) -> BufferLimits | None:
    said = settings.traces
    if not said.buffer:
        return None
    # Child spans end first and name no component: where components have trace databases of their own, wait for the
    # root.
    spread = len(routes.databases("traces")) > 1
    return BufferLimits(max_delay=said.max_delay_ms / 1000, max_rows=said.max_rows, hold=HOLD if spread else 0.0)


def open_store(name: str, settings: DatabaseSource, *, blocking: bool, in_process: InProcess | None = None) -> Store:
    """The store of one configured database, native async where its client is. `ConfigError` without its client."""
    if settings.kind == AGNO:
        return open_agno(name, settings, blocking=blocking)
    module, sync_name, async_name = STORES[settings.kind]
    extra = settings.kind
    client = CLIENTS.get(extra, ("", ""))[0 if blocking else 1]
    if extra == "objects" and str(getattr(settings, "where", "")).startswith("gs://"):
        client, extra = "google.cloud.storage", "gcs"
    try:
        _require(client)
        stores = importlib.import_module(module)
        chosen: Any = getattr(stores, sync_name if blocking or async_name is None else async_name)
        store = cast("Store", chosen.from_settings(settings, name=name))
    except ImportError as missing:
        raise ConfigError(
            f"databases.{name}: {settings.kind} needs {missing.name}, which is not installed; "
            f"pip install 'dbrouter[{extra}]'"
        ) from missing
    if in_process is not None:
        in_process.join(name, store)
    # The emulation too runs on the threads: an op is one change of threads, however many requests it takes.
    emulated = Emulated(store)
    return emulated if blocking else awaited(emulated)


def _require(client: str) -> None:
    """Raise `ModuleNotFoundError` now, and not in the first call. Nothing is imported but what it is a part of."""
    try:
        found = not client or importlib.util.find_spec(client) is not None
    except ModuleNotFoundError:
        found = False
    if not found:
        raise ModuleNotFoundError(name=client)


def _families_in(database: str, routes: Routes) -> frozenset[str]:
    """The families whose rows can be in this database."""
    return frozenset(family for family in (*routes.families, SCHEMA_VERSIONS) if database in routes.databases(family))
