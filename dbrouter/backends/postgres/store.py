"""The Postgres stores, blocking and async."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dbrouter.backends.kernel.capabilities import EVERYTHING_NATIVE
from dbrouter.backends.kernel.running import AsyncRuntime, BlockingRuntime
from dbrouter.backends.postgres.dialect import PostgresDialect
from dbrouter.backends.postgres.engines import (
    address_of,
    async_connecting,
    async_engine,
    connecting,
    connections_at_most,
    engine_of,
    together,
)
from dbrouter.backends.postgres.owner import AsyncOwner, BlockingOwner
from dbrouter.backends.postgres.pooler import settle_each
from dbrouter.backends.postgres.tenants import TenantsInPostgres
from dbrouter.backends.sql.blocking import BlockingConnections
from dbrouter.backends.sql.driver import place_of
from dbrouter.backends.sql.native_async import AsyncConnections

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

    from dbrouter.backends.postgres.settings import PostgresSettings

DEADLINE = 30.0
CONNECT_TIMEOUT = 10.0
POOL_SIZE = 5
MAX_OVERFLOW = 10


class PostgresStore(TenantsInPostgres):
    """A Postgres schema from threads.

    Give a `url` or an `engine` of your own (its connections have no deadline but their own). deadline: seconds for one
    exchange with the server. tables: spec name -> physical name. name: what errors call this database.
    prepared_statements: whether statements may be prepared; behind a pooler none is all the same. owner_url: the role
    that makes the tables, if not the one that uses them. row_level_security: whether `for_rows_of` has the server hold
    other tenants' rows back, which asks for a role that cannot see past it.
    """

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
        prepared_statements: bool = True,
        owner_url: str | None = None,
        row_level_security: bool = True,
        name: str = "",
    ) -> None:
        from dbrouter.backends.postgres.session import PostgresDriver

        if engine is None:
            connect = connecting(address_of(url), deadline, connect_timeout, prepared=prepared_statements)
            engine = engine_of(address_of(url), connect, deadline, pool_size, max_overflow)
            at_once = together(pool_size, max_overflow)
        else:
            settle_each(engine, asynchronous=False)
            at_once = None
        definer = None
        if owner_url is not None:
            owner = address_of(owner_url)
            opening = connecting(owner, deadline, connect_timeout, prepared=False)
            definer = BlockingOwner(opening, PostgresDriver(place_of(name, owner)))
        self.engine = engine
        self.address = engine.url
        super().__init__(
            dialect=_dialect(schema, create_schema, row_level_security, owner_url, engine.url),
            connections=BlockingConnections(
                engine, PostgresDriver(place_of(name, engine.url)), deadline=deadline, at_once=at_once
            ),
            definer=definer,
            pooled=connections_at_most(engine),
            runtime=BlockingRuntime(),
            names=tables,
            capabilities=replace(EVERYTHING_NATIVE, filters=PostgresDialect.runs_natively),
        )

    @classmethod
    def from_settings(cls, settings: PostgresSettings, *, name: str = "") -> PostgresStore:
        """The store that a configuration describes."""
        return cls(settings.address(), name=name, **_options(settings))


class AsyncPostgresStore(TenantsInPostgres):
    """A Postgres schema from event loops. Arguments as for `PostgresStore`."""

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
        prepared_statements: bool = True,
        owner_url: str | None = None,
        row_level_security: bool = True,
        name: str = "",
    ) -> None:
        from dbrouter.backends.postgres.session import AsyncPostgresDriver

        address = engine.url if engine is not None else address_of(url)

        def make() -> AsyncEngine:
            if engine is not None:
                return engine
            connect = async_connecting(address, deadline, connect_timeout, prepared=prepared_statements)
            return async_engine(address, connect, deadline, pool_size, max_overflow)

        pooled = together(pool_size, max_overflow)
        if engine is not None:
            settle_each(engine.sync_engine, asynchronous=True)
            pooled = connections_at_most(engine.sync_engine)
        definer = None
        if owner_url is not None:
            owner = address_of(owner_url)
            opening = async_connecting(owner, deadline, connect_timeout, prepared=False)
            definer = AsyncOwner(opening, AsyncPostgresDriver(place_of(name, owner)))
        self.engine = engine
        self.address = address
        super().__init__(
            dialect=_dialect(schema, create_schema, row_level_security, owner_url, address),
            connections=AsyncConnections(
                make, AsyncPostgresDriver(place_of(name, address)), deadline=deadline, resets=engine is not None
            ),
            definer=definer,
            pooled=pooled,
            runtime=AsyncRuntime(),
            names=tables,
            capabilities=replace(EVERYTHING_NATIVE, filters=PostgresDialect.runs_natively),
        )

    @classmethod
    def from_settings(cls, settings: PostgresSettings, *, name: str = "") -> AsyncPostgresStore:
        """The store that a configuration describes."""
        return cls(settings.address(), name=name, **_options(settings))


def _options(settings: PostgresSettings) -> dict[str, Any]:
    return {
        "schema": settings.schema_name,
        "create_schema": settings.create_schema,
        "tables": settings.tables,
        "deadline": settings.deadline,
        "connect_timeout": settings.connect_timeout,
        "pool_size": settings.pool_size,
        "max_overflow": settings.max_overflow,
        "prepared_statements": settings.prepared_statements,
        "owner_url": settings.owner_url.get_secret_value() if settings.owner_url is not None else None,
        "row_level_security": settings.row_level_security,
    }


def _dialect(
    schema: str, create_schema: bool, row_level_security: bool, owner_url: str | None, used: Any
) -> PostgresDialect:
    if owner_url is not None and used.username is None:
        raise ValueError("with owner_url, url must name its user: that role is granted the use of the tables")
    return PostgresDialect(
        schema,
        create_schema=create_schema,
        row_level_security=row_level_security,
        used_by=used.username if owner_url is not None else None,
    )
