"""The MySQL stores, blocking and async."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from dbrouter.backends.kernel.capabilities import EVERYTHING_NATIVE, Capabilities
from dbrouter.backends.kernel.duplicates import uniques_of
from dbrouter.backends.kernel.identifiers import fitting
from dbrouter.backends.kernel.running import AsyncRuntime, BlockingRuntime
from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.backends.mysql.dialect import MySqlDialect
from dbrouter.backends.mysql.engines import (
    Tls,
    address_of,
    async_connecting,
    async_engine,
    connecting,
    engine_of,
    settle_each,
)
from dbrouter.backends.mysql.flavour import Server
from dbrouter.backends.mysql.native_filters import runs_natively
from dbrouter.backends.mysql.tenants import TenantsInMySql
from dbrouter.backends.sql.blocking import BlockingConnections
from dbrouter.backends.sql.driver import place_of
from dbrouter.backends.sql.layout import Layout
from dbrouter.backends.sql.native_async import AsyncConnections

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

    from dbrouter.backends.mysql.settings import MySqlSettings

DEADLINE = 30.0
CONNECT_TIMEOUT = 10.0
POOL_SIZE = 5
MAX_OVERFLOW = 10
LOCK_WAITS = 5
"""The part of its deadline that a call waits for a lock until the server gives up. It is sent four times at most, so
that the server's word, which says that nothing was written, is there before the deadline is."""

CAPABILITIES = replace(EVERYTHING_NATIVE, filters=runs_natively, percentiles=False)


class MySqlStore(TenantsInMySql):
    """A MySQL or MariaDB database from threads.

    Give a `url` or an `engine` of your own, whose sessions become ours: text by code point, strict, statements that
    see what was committed before them. schema: the database that holds the tables; that of the URL has no meaning.
    deadline: seconds for one exchange with the server. tables: spec name -> physical name. name: what errors call it.
    """

    KIND: ClassVar[type[MySqlDialect]] = MySqlDialect
    SCHEMES: ClassVar[tuple[str, ...]] = ("mysql", "mariadb")
    CAPABLE: ClassVar[Capabilities] = CAPABILITIES
    BESIDE: ClassVar[Mapping[str, TableSpec]] = {}

    def __init__(
        self,
        url: str | None = None,
        *,
        engine: Engine | None = None,
        schema: str = "ai",
        create_schema: bool = True,
        tables: Mapping[str, str] | None = None,
        deadline: float = DEADLINE,
        connect_timeout: float = CONNECT_TIMEOUT,
        pool_size: int = POOL_SIZE,
        max_overflow: int = MAX_OVERFLOW,
        tls: Tls | None = None,
        name: str = "",
    ) -> None:
        from dbrouter.backends.mysql.session import MySqlDriver

        # The client of a given engine asks for several statements in a packet only if its owner said so.
        wait, together = _lock_wait(deadline), engine is None
        dialect = self.KIND(schema, Server(), create_schema=create_schema, lock_wait=wait, together=together)
        at_once: int | None = None
        if engine is None:
            address = address_of(url, self.SCHEMES)
            connect = connecting(address, dialect, deadline, connect_timeout, tls)
            engine = engine_of(address, connect, deadline, pool_size, max_overflow)
            at_once = pool_size + max_overflow
        else:
            settle_each(engine, dialect, deadline, asynchronous=False)
        layout = Layout(tables or {}, dialect, schema, more=self.BESIDE)
        driver = MySqlDriver(place_of(name, engine.url), dialect, columns_of(layout))
        self.engine = engine
        super().__init__(
            dialect=dialect,
            connections=BlockingConnections(engine, driver, deadline=deadline, at_once=at_once),
            layout=layout,
            names=tables,
            pooled=at_once,
            runtime=BlockingRuntime(),
            capabilities=self.CAPABLE,
        )

    @classmethod
    def from_settings(cls, settings: MySqlSettings, *, name: str = "") -> MySqlStore:
        """The store that a configuration describes."""
        return cls(settings.address(), name=name, **_options(settings))


class AsyncMySqlStore(TenantsInMySql):
    """A MySQL or MariaDB database from event loops, through asyncmy. Arguments as for `MySqlStore`."""

    KIND: ClassVar[type[MySqlDialect]] = MySqlDialect
    SCHEMES: ClassVar[tuple[str, ...]] = ("mysql", "mariadb")
    CAPABLE: ClassVar[Capabilities] = CAPABILITIES
    BESIDE: ClassVar[Mapping[str, TableSpec]] = {}

    def __init__(
        self,
        url: str | None = None,
        *,
        engine: AsyncEngine | None = None,
        schema: str = "ai",
        create_schema: bool = True,
        tables: Mapping[str, str] | None = None,
        deadline: float = DEADLINE,
        connect_timeout: float = CONNECT_TIMEOUT,
        pool_size: int = POOL_SIZE,
        max_overflow: int = MAX_OVERFLOW,
        tls: Tls | None = None,
        name: str = "",
    ) -> None:
        from dbrouter.backends.mysql.session import AsyncMySqlDriver

        dialect = self.KIND(schema, Server(), create_schema=create_schema, lock_wait=_lock_wait(deadline))
        address = engine.url if engine is not None else address_of(url, self.SCHEMES)

        def make() -> AsyncEngine:
            if engine is not None:
                return engine
            connect = async_connecting(address, dialect, deadline, connect_timeout, tls)
            return async_engine(address, connect, deadline, pool_size, max_overflow)

        if engine is not None:
            settle_each(engine.sync_engine, dialect, deadline, asynchronous=True)
        layout = Layout(tables or {}, dialect, schema, more=self.BESIDE)
        driver = AsyncMySqlDriver(place_of(name, address), dialect, columns_of(layout))
        self.engine = engine
        super().__init__(
            dialect=dialect,
            connections=AsyncConnections(make, driver, deadline=deadline, resets=engine is not None),
            layout=layout,
            names=tables,
            pooled=None if engine is not None else pool_size + max_overflow,
            runtime=AsyncRuntime(),
            capabilities=self.CAPABLE,
        )

    @classmethod
    def from_settings(cls, settings: MySqlSettings, *, name: str = "") -> AsyncMySqlStore:
        """The store that a configuration describes."""
        return cls(settings.address(), name=name, **_options(settings))


def columns_of(layout: Layout) -> Callable[[str, str], tuple[str, ...]]:
    """What an index of a table, by the names they have in the database, is over; nothing for one that is not ours."""
    specs = {physical: layout.tables[table] for table, physical in layout.names.items()}

    def columns(table: str, index: str) -> tuple[str, ...]:
        spec = specs.get(table)
        if spec is None:
            return ()
        if index == "PRIMARY":
            return spec.key
        # A column's own index has the column's name, a set's the table's and its own.
        named = {fitting(f"{table}_{each.name}"): each.columns for each in spec.uniques}
        named.update({each.columns[0]: each.columns for each in uniques_of(spec) if len(each.columns) == 1})
        return named.get(index, ())

    return columns


def _lock_wait(deadline: float) -> int:
    return max(1, int(deadline / LOCK_WAITS))


def _options(settings: MySqlSettings) -> dict[str, Any]:
    return {
        "schema": settings.schema_name,
        "create_schema": settings.create_schema,
        "tables": settings.tables,
        "deadline": settings.deadline,
        "connect_timeout": settings.connect_timeout,
        "pool_size": settings.pool_size,
        "max_overflow": settings.max_overflow,
        "tls": settings.tls(),
    }
