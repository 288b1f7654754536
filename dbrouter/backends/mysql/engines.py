"""SQLAlchemy engines for MySQL: pools of pymysql and asyncmy connections that are settled when they open."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dbrouter.backends.kernel.deadline import SPENT
from dbrouter.backends.mysql.dialect import MySqlDialect
from dbrouter.backends.sql.waiting import left_for_opening

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

FOUND_ROWS = 1 << 1
"""An update tells how many rows it found, not how many it made different: a compare-and-set must know."""
MULTI_STATEMENTS = 1 << 16
_WAITS = ("connect_timeout", "read_timeout", "write_timeout")
SETTLED = "dbrouter"
"""Marks a pooled connection of a given engine that is settled."""


@dataclass(frozen=True, slots=True)
class Tls:
    """How a connection is encrypted. ca: files of the authorities that are trusted; the system's if not given.

    verify: whether the server's certificate must be theirs. hostname: whether it must be for this host, too.
    """

    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    verify: bool = True
    hostname: bool = True

    def context(self) -> ssl.SSLContext:
        """What the clients take."""
        made = ssl.create_default_context(cafile=self.ca)
        made.check_hostname = self.verify and self.hostname
        made.verify_mode = ssl.CERT_REQUIRED if self.verify else ssl.CERT_NONE
        if self.cert is not None:
            made.load_cert_chain(self.cert, self.key)
        return made


def address_of(url: str | None, schemes: tuple[str, ...]) -> Any:
    """The URL as SQLAlchemy takes it. Raises `ValueError` for any other than one of these schemes."""
    from sqlalchemy import make_url

    if url is None:
        raise ValueError("one of url or engine must be given")
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.partition("+")[0] not in schemes:
        raise ValueError(f"this is not a {schemes[0]} URL; write {schemes[0]}://user:password@host:3306")
    return make_url(f"mysql+pymysql://{rest}")


def connecting(
    url: Any, dialect: MySqlDialect, deadline: float, connect_timeout: float, tls: Tls | None
) -> Callable[[], Any]:
    """A function that opens a connection from threads."""
    asked = _asked(url, tls)

    def connect() -> Any:
        from dbrouter.backends.mysql.client import Connection
        from dbrouter.backends.mysql.session import settle

        patience = min(connect_timeout, left_for_opening(deadline, least=SPENT * deadline))
        waits: Any = dict.fromkeys(_WAITS, patience)
        connection: Any = Connection(**asked, **waits)
        try:
            settle(connection, dialect, deadline)
        except BaseException:
            connection.close()
            raise
        return connection

    return connect


def async_connecting(
    url: Any, dialect: MySqlDialect, deadline: float, connect_timeout: float, tls: Tls | None
) -> Callable[[], Awaitable[Any]]:
    """As `connecting`, for event loops."""
    timed: Any = {**_asked(url, tls), "connect_timeout": connect_timeout}

    async def connect() -> Any:
        import asyncio

        import asyncmy

        from dbrouter.backends.mysql.session import settle_async

        async with asyncio.timeout(connect_timeout):
            connection: Any = await asyncmy.connect(**timed)
            try:
                await settle_async(connection, dialect, deadline)
            except BaseException:
                connection.close()
                raise
        return connection

    return connect


def engine_of(url: Any, connect: Callable[[], Any], deadline: float, pool_size: int, max_overflow: int) -> Engine:
    """A pool for threads."""
    from sqlalchemy import create_engine

    return create_engine(url, creator=connect, **_pool(deadline, pool_size, max_overflow))


def async_engine(
    url: Any, connect: Callable[[], Awaitable[Any]], deadline: float, pool_size: int, max_overflow: int
) -> AsyncEngine:
    """A pool for one event loop."""
    from sqlalchemy.ext.asyncio import create_async_engine

    # An overflow connection is closed when given back, which a pool cannot do without suspending: all of them are kept.
    kept = _pool(deadline, pool_size + max_overflow, 0)
    return create_async_engine(url.set(drivername="mysql+asyncmy"), async_creator=connect, **kept)


def settle_each(engine: Any, dialect: MySqlDialect, deadline: float, *, asynchronous: bool) -> None:
    """Settle every connection of a given engine when it is first lent."""
    from sqlalchemy import event
    from sqlalchemy.util import await_only

    from dbrouter.backends.mysql.session import settle, settle_async

    def lent(connection: Any, record: Any, _proxy: Any) -> None:
        if record.info.get(SETTLED):
            return
        if asynchronous:
            await_only(settle_async(connection.driver_connection, dialect, deadline))
        else:
            settle(connection, dialect, deadline)
        record.info[SETTLED] = True

    event.listen(engine, "checkout", lent)


def _pool(deadline: float, pool_size: int, max_overflow: int) -> dict[str, Any]:
    return {
        "pool_size": pool_size,
        "max_overflow": max_overflow,
        "pool_timeout": deadline,
        # The connection used last is the one whose caches are warm.
        "pool_use_lifo": True,
        # In autocommit there is nothing to roll back.
        "pool_reset_on_return": None,
    }


def _asked(url: Any, tls: Tls | None) -> dict[str, Any]:
    from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql

    _, arguments = MySQLDialect_pymysql().create_connect_args(url)
    # Statements name their database: none has to be there when a connection opens.
    for name in ("database", "db", "client_flag", *_WAITS):
        arguments.pop(name, None)
    if tls is not None:
        arguments["ssl"] = tls.context()
    flags = FOUND_ROWS | MULTI_STATEMENTS
    return {**arguments, "charset": "utf8mb4", "autocommit": True, "client_flag": flags}
