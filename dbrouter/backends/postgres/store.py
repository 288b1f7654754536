"""The Postgres stores, blocking and async."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dbrouter.backends.kernel.capabilities import EVERYTHING_NATIVE
from dbrouter.backends.kernel.running import AsyncRuntime, BlockingRuntime
from dbrouter.backends.postgres.dialect import PostgresDialect
from dbrouter.backends.sql.blocking import BlockingConnections
from dbrouter.backends.sql.native_async import AsyncConnections
from dbrouter.backends.sql.store import SqlStore
from dbrouter.backends.sql.waiting import SPENT, left_for_opening

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

    from dbrouter.backends.postgres.settings import PostgresSettings

DEADLINE = 30.0
CONNECT_TIMEOUT = 10.0
POOL_SIZE = 5
MAX_OVERFLOW = 10


class PostgresStore(SqlStore):
    """A Postgres schema from threads.

    Give a `url` or an `engine` of your own (its connections have no deadline but their own). deadline: seconds for one
    exchange with the server. tables: spec name -> physical name. name: what errors call this database.
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
        name: str = "",
    ) -> None:
        from dbrouter.backends.postgres.session import PostgresDriver

        at_once = None
        if engine is None:
            engine = _engine(_address(url), deadline, connect_timeout, pool_size, max_overflow)
            # To SQLAlchemy a size of 0 and an overflow below 0 mean without limit.
            at_once = pool_size + max_overflow if pool_size > 0 <= max_overflow else None
        self.engine = engine
        super().__init__(
            dialect=PostgresDialect(schema, create_schema=create_schema),
            connections=BlockingConnections(
                engine, PostgresDriver(_place(name, engine.url)), deadline=deadline, at_once=at_once
            ),
            runtime=BlockingRuntime(),
            names=tables,
            schema=schema,
            capabilities=replace(EVERYTHING_NATIVE, filters=PostgresDialect.runs_natively),
        )

    @classmethod
    def from_settings(cls, settings: PostgresSettings, *, name: str = "") -> PostgresStore:
        """The store that a configuration describes."""
        return cls(settings.address(), name=name, **_options(settings))


class AsyncPostgresStore(SqlStore):
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
        name: str = "",
    ) -> None:
        from dbrouter.backends.postgres.session import AsyncPostgresDriver

        address = engine.url if engine is not None else _address(url)

        def make() -> AsyncEngine:
            if engine is not None:
                return engine
            return _async_engine(address, deadline, connect_timeout, pool_size, max_overflow)

        self.engine = engine
        super().__init__(
            dialect=PostgresDialect(schema, create_schema=create_schema),
            connections=AsyncConnections(make, AsyncPostgresDriver(_place(name, address)), deadline=deadline),
            runtime=AsyncRuntime(),
            names=tables,
            schema=schema,
            capabilities=replace(EVERYTHING_NATIVE, filters=PostgresDialect.runs_natively),
        )

    @classmethod
    def from_settings(cls, settings: PostgresSettings, *, name: str = "") -> AsyncPostgresStore:
        """The store that a configuration describes."""
        return cls(settings.address(), name=name, **_options(settings))


def _place(name: str, url: Any) -> str:
    """The database as errors name it; SQLAlchemy masks the password."""
    return f"{name} ({url!r})" if name else repr(url)


def _options(settings: PostgresSettings) -> dict[str, Any]:
    return {
        "schema": settings.schema_name,
        "create_schema": settings.create_schema,
        "tables": settings.tables,
        "deadline": settings.deadline,
        "connect_timeout": settings.connect_timeout,
        "pool_size": settings.pool_size,
        "max_overflow": settings.max_overflow,
    }


def _address(url: str | None) -> Any:
    from sqlalchemy import make_url

    if url is None:
        raise ValueError("one of url or engine must be given")
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.partition("+")[0] not in ("postgresql", "postgres"):
        raise ValueError("this is not a Postgres URL; write postgresql://user:password@host:5432/database")
    return make_url(f"postgresql+psycopg://{rest}")


def _pool(deadline: float, pool_size: int, max_overflow: int) -> dict[str, Any]:
    return {
        "isolation_level": "AUTOCOMMIT",
        "pool_size": pool_size,
        "max_overflow": max_overflow,
        "pool_timeout": deadline,
        # The connection used last is the one whose statements are prepared and whose caches are warm.
        "pool_use_lifo": True,
        # In autocommit there is nothing to roll back.
        "pool_reset_on_return": None,
    }


def _conninfo(url: Any, connect_timeout: float) -> dict[str, Any]:
    from sqlalchemy.dialects.postgresql.psycopg import dialect

    _, arguments = dialect().create_connect_args(url)
    return {"connect_timeout": max(1, round(connect_timeout)), **arguments, "autocommit": True}


def _engine(url: Any, deadline: float, connect_timeout: float, pool_size: int, max_overflow: int) -> Engine:
    from sqlalchemy import create_engine

    from dbrouter.backends.postgres.session import DeadlineConnection

    arguments = _conninfo(url, connect_timeout)
    own = float(arguments["connect_timeout"])

    def connect() -> DeadlineConnection:
        # psycopg tries for 2 seconds at least: whoever has next to nothing left does not begin.
        patience = min(own, left_for_opening(deadline, least=SPENT * deadline))
        asked: dict[str, Any] = {**arguments, "connect_timeout": max(1, round(patience))}
        connection = DeadlineConnection.connect(**asked)
        connection.deadline = deadline
        return connection

    return create_engine(url, creator=connect, **_pool(deadline, pool_size, max_overflow))


def _async_engine(url: Any, deadline: float, connect_timeout: float, pool_size: int, max_overflow: int) -> AsyncEngine:
    from sqlalchemy.ext.asyncio import create_async_engine

    from dbrouter.backends.postgres.session import AsyncDeadlineConnection

    arguments = _conninfo(url, connect_timeout)

    async def connect() -> AsyncDeadlineConnection:
        connection = await AsyncDeadlineConnection.connect(**arguments)
        connection.deadline = deadline
        return connection

    # An overflow connection is closed when given back, which a pool cannot do without suspending: all of them are kept.
    return create_async_engine(url, async_creator=connect, **_pool(deadline, pool_size + max_overflow, 0))
