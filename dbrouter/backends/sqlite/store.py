"""The SQLite stores, blocking and async."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbrouter.backends.kernel.capabilities import EVERYTHING_NATIVE
from dbrouter.backends.kernel.errors import StoreError
from dbrouter.backends.kernel.running import AsyncRuntime, BlockingRuntime
from dbrouter.backends.sql.blocking import BlockingConnections
from dbrouter.backends.sql.connections import Connections
from dbrouter.backends.sql.driver import place_of
from dbrouter.backends.sql.native_async import AsyncConnections
from dbrouter.backends.sqlite.dialect import SqliteDialect
from dbrouter.backends.sqlite.session import AsyncSqliteDriver, Connection, SqliteDriver, prepare
from dbrouter.backends.sqlite.tenants import TenantsInSqlite, file_at

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

    from dbrouter.backends.sqlite.settings import SqliteSettings

DEADLINE = 30.0
PREPARED = "dbrouter"
"""Marks a pooled connection that has our pragmas and functions."""
CAPABILITIES = EVERYTHING_NATIVE
ASYNC_CAPABILITIES = replace(EVERYTHING_NATIVE, percentiles=False)
READERS = 8
"""Connections kept open; SQLite in WAL mode serves any number of readers beside one writer."""
TENANT_READERS = 2
"""Connections kept open to the file of one of many tenants."""


def _url(path: str | Path | None, url: str | None, driver: str) -> Any:
    from sqlalchemy import URL, make_url

    if url is not None:
        return make_url(url).set(drivername=driver)
    # Not from text: in a URL's, `?` ends the path and `%` begins an escape.
    return URL.create(driver, database=None if path is None else str(path))


def _in_memory(url: Any) -> bool:
    # SQLAlchemy knows a query of its own, and SQLite one within the database's name.
    within = (url.database or "").startswith("file:") and "mode=memory" in url.database
    named = url.query.get("mode") == "memory" or within
    return named or not url.database or url.database == ":memory:"


class SqliteStore(TenantsInSqlite):
    """A SQLite database from threads.

    Give a `path`, a SQLAlchemy `url`, or an `engine` of your own; nothing means a private in-memory database.
    deadline: seconds a call may wait for another writer. tables: spec name -> physical name.
    name: what errors call this database.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        url: str | None = None,
        engine: Engine | None = None,
        tables: Mapping[str, str] | None = None,
        deadline: float = DEADLINE,
        name: str = "",
    ) -> None:
        made = engine if engine is not None else _engine(_url(path, url, "sqlite"), deadline)
        self.engine = made
        self.address = made.url
        _on_connect(made, deadline, path)
        connections = BlockingConnections(
            made,
            SqliteDriver(place_of(name, made.url)),
            deadline=deadline,
            # Of a given engine's pool we know no limits, and one connection is nothing to queue for twice.
            at_once=None if engine is not None or _in_memory(made.url) else 2 * READERS,
            single_writer=True,
        )
        if _in_memory(made.url):
            connections.serialise()

        def opening(file: Path) -> BlockingConnections:
            tenants = _engine(_url(file, None, "sqlite"), deadline, TENANT_READERS)
            _on_connect(tenants, deadline, file)
            driver = SqliteDriver(place_of(name, tenants.url))
            return BlockingConnections(
                tenants, driver, deadline=deadline, at_once=2 * TENANT_READERS, single_writer=True
            )

        super().__init__(
            file=None if _in_memory(made.url) else file_at(made.url),
            opening=opening,
            in_memory=lambda: SqliteStore(deadline=deadline, name=name).connections,
            dialect=SqliteDialect(),
            connections=connections,
            runtime=BlockingRuntime(),
            names=tables,
            capabilities=CAPABILITIES,
        )

    @classmethod
    def from_settings(cls, settings: SqliteSettings, *, name: str = "") -> SqliteStore:
        """The store that a configuration describes."""
        return cls(settings.path, name=name, tables=settings.tables, deadline=settings.deadline)


class AsyncSqliteStore(TenantsInSqlite):
    """A SQLite database from event loops, through aiosqlite if it is a file. Arguments as for `SqliteStore`."""

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        url: str | None = None,
        engine: AsyncEngine | None = None,
        tables: Mapping[str, str] | None = None,
        deadline: float = DEADLINE,
        name: str = "",
    ) -> None:
        address = engine.url if engine is not None else _url(path, url, "sqlite+aiosqlite")
        if _in_memory(address) and engine is not None:
            raise StoreError("an in-memory AsyncEngine cannot be shared; pass no engine, or one of a file")

        def make() -> AsyncEngine:
            # Of a given engine only the address is used: its connections belong to one loop and begin transactions.
            made = _async_engine(address, deadline)
            _on_connect(made.sync_engine, deadline, path)
            return made

        def opening(file: Path) -> AsyncConnections:
            where = _url(file, None, "sqlite+aiosqlite")

            def make_for_tenant() -> AsyncEngine:
                tenants = _async_engine(where, deadline, TENANT_READERS)
                _on_connect(tenants.sync_engine, deadline, file)
                return tenants

            driver = AsyncSqliteDriver(place_of(name, where))
            return AsyncConnections(make_for_tenant, driver, deadline=deadline, single_writer=True)

        def opened() -> AsyncConnections:
            driver = AsyncSqliteDriver(place_of(name, address))
            return AsyncConnections(make, driver, deadline=deadline, single_writer=True)

        def in_memory() -> Connections:
            # One connection for all loops: a database in memory keeps nobody waiting, and is gone with its last one.
            return SqliteStore(deadline=deadline, name=name).connections

        self.engine = engine
        self.address = address
        self.is_in_memory = _in_memory(address)
        super().__init__(
            file=None if self.is_in_memory else file_at(address),
            opening=opening,
            in_memory=in_memory,
            dialect=SqliteDialect(),
            connections=in_memory() if self.is_in_memory else opened(),
            runtime=AsyncRuntime(),
            names=tables,
            capabilities=ASYNC_CAPABILITIES,
        )

    @classmethod
    def from_settings(cls, settings: SqliteSettings, *, name: str = "") -> AsyncSqliteStore:
        """The store that a configuration describes."""
        return cls(settings.path, name=name, tables=settings.tables, deadline=settings.deadline)


def _engine(url: Any, deadline: float, readers: int = READERS) -> Engine:
    from sqlalchemy import create_engine
    from sqlalchemy.pool import QueuePool, StaticPool

    arguments = {"check_same_thread": False, "factory": Connection}
    if _in_memory(url):
        return create_engine(url, poolclass=StaticPool, connect_args=arguments, isolation_level="AUTOCOMMIT")
    return create_engine(
        url,
        poolclass=QueuePool,
        pool_size=readers,
        max_overflow=readers,
        pool_timeout=deadline,
        pool_use_lifo=True,
        pool_reset_on_return=None,
        connect_args=arguments,
        isolation_level="AUTOCOMMIT",
    )


def _async_engine(url: Any, deadline: float, readers: int = READERS) -> AsyncEngine:
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import AsyncAdaptedQueuePool

    return create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=2 * readers,
        # An overflow connection is closed when given back, which a pool cannot do without suspending.
        max_overflow=0,
        pool_timeout=deadline,
        pool_use_lifo=True,
        pool_reset_on_return=None,
        connect_args={"factory": Connection},
        isolation_level="AUTOCOMMIT",
    )


def _on_connect(engine: Engine, deadline: float, path: str | Path | None) -> None:
    from sqlalchemy import event

    def make_folder(*_: Any) -> None:
        # Not before: a folder that cannot be made is an outage of this database, not of the whole router.
        Path(path or ".").parent.mkdir(parents=True, exist_ok=True)

    def prepared(connection: Any, record: Any, _proxy: Any) -> None:
        if not record.info.get(PREPARED):
            prepare(connection, deadline)
            record.info[PREPARED] = True

    if path is not None:
        event.listen(engine, "do_connect", make_folder)
    # At "connect" all callers would wait in line, for SQLAlchemy lets one in at a time until the first has succeeded;
    # and a given engine may have connections that were opened before we listened.
    event.listen(engine, "checkout", prepared)
