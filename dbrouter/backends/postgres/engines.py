"""SQLAlchemy engines for Postgres: pools of psycopg connections that keep our deadline."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from dbrouter.backends.kernel.deadline import SPENT
from dbrouter.backends.postgres.pooler import bound_lock_waits, bound_lock_waits_async, settle, settle_async
from dbrouter.backends.sql.waiting import left_for_opening

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

    from dbrouter.backends.postgres.session import AsyncDeadlineConnection, DeadlineConnection


def address_of(url: str | None) -> Any:
    """The URL as SQLAlchemy takes it. Raises `ValueError` for any other than a Postgres URL."""
    from sqlalchemy import make_url

    if url is None:
        raise ValueError("one of url or engine must be given")
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.partition("+")[0] not in ("postgresql", "postgres"):
        raise ValueError("this is not a Postgres URL; write postgresql://user:password@host:5432/database")
    return make_url(f"postgresql+psycopg://{rest}")


def connecting(
    url: Any, deadline: float, connect_timeout: float, *, prepared: bool
) -> Callable[[], DeadlineConnection]:
    """A function that opens a connection. prepared: whether statements may be prepared on it."""
    arguments = _conninfo(url, connect_timeout)
    own = float(arguments["connect_timeout"])

    def connect() -> DeadlineConnection:
        from dbrouter.backends.postgres.session import DeadlineConnection

        # psycopg tries for 2 seconds at least: whoever has next to nothing left does not begin.
        patience = min(own, left_for_opening(deadline, least=SPENT * deadline))
        asked: dict[str, Any] = {**arguments, "connect_timeout": max(1, round(patience))}
        connection = DeadlineConnection.connect(**asked)
        try:
            connection.deadline = min(deadline, left_for_opening(deadline))
            settle(connection, prepared=prepared)
            bound_lock_waits(connection, deadline)
        except BaseException:
            connection.close()
            raise
        connection.deadline = deadline
        return connection

    return connect


def async_connecting(
    url: Any, deadline: float, connect_timeout: float, *, prepared: bool
) -> Callable[[], Awaitable[AsyncDeadlineConnection]]:
    """As `connecting`, for event loops."""
    arguments = _conninfo(url, connect_timeout)

    async def connect() -> AsyncDeadlineConnection:
        from dbrouter.backends.postgres.session import AsyncDeadlineConnection

        connection = await AsyncDeadlineConnection.connect(**arguments)
        connection.deadline = deadline
        try:
            await settle_async(connection, prepared=prepared)
            await bound_lock_waits_async(connection, deadline)
        except BaseException:
            connection.pgconn.finish()
            raise
        return connection

    return connect


def engine_of(
    url: Any, connect: Callable[[], DeadlineConnection], deadline: float, pool_size: int, max_overflow: int
) -> Engine:
    """A pool for threads."""
    from sqlalchemy import create_engine

    return create_engine(url, creator=connect, **_pool(deadline, pool_size, max_overflow))


def async_engine(
    url: Any,
    connect: Callable[[], Awaitable[AsyncDeadlineConnection]],
    deadline: float,
    pool_size: int,
    max_overflow: int,
) -> AsyncEngine:
    """A pool for one event loop."""
    from sqlalchemy.ext.asyncio import create_async_engine

    # An overflow connection is closed when given back, which a pool cannot do without suspending: all of them are kept.
    return create_async_engine(url, async_creator=connect, **_pool(deadline, pool_size + max_overflow, 0))


def connections_at_most(engine: Engine) -> int | None:
    """How many connections a given engine opens at once; `None` if it does not tell, or has no limit."""
    from sqlalchemy.pool import QueuePool

    if not isinstance(engine.pool, QueuePool):
        return None
    # SQLAlchemy tells the overflow nowhere else.
    return together(engine.pool.size(), getattr(engine.pool, "_max_overflow", -1))


def together(pool_size: int, max_overflow: int) -> int | None:
    """How many connections a pool opens at once; `None` if it has no limit."""
    # To SQLAlchemy a size of 0 and an overflow below 0 mean without limit.
    return pool_size + max_overflow if pool_size > 0 <= max_overflow else None


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
