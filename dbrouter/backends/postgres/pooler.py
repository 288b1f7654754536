"""Whether prepared statements are safe on a connection: behind a pooler that changes servers they are not.

A statement is prepared under a short name on one server. A pooler that gives every transaction another server sends the
name to one where it is unknown or, worse, stands for what another client prepared: another tenant's statement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import AsyncConnection, Connection

WHO = "SELECT pg_backend_pid()"
SETTLED = "dbrouter"
"""Marks a pooled connection of a given engine that has been looked at."""


def settle(connection: Connection[Any], *, prepared: bool) -> None:
    """Prepare no statements on the connection unless `prepared`, and not behind a pooler. One round trip, if at all."""
    if connection.prepare_threshold is None:
        return
    if not prepared:
        connection.prepare_threshold = None
        return
    idle = connection.autocommit
    # Prepared by nobody, so that asking is safe as well.
    row = connection.execute(WHO, prepare=False).fetchone()
    if not idle:
        connection.rollback()
    if not _is(row, connection.info.backend_pid):
        connection.prepare_threshold = None


async def settle_async(connection: AsyncConnection[Any], *, prepared: bool) -> None:
    """As `settle`."""
    if connection.prepare_threshold is None:
        return
    if not prepared:
        connection.prepare_threshold = None
        return
    idle = connection.autocommit
    row = await (await connection.execute(WHO, prepare=False)).fetchone()
    if not idle:
        await connection.rollback()
    if not _is(row, connection.info.backend_pid):
        connection.prepare_threshold = None


def settle_each(engine: Any, *, asynchronous: bool) -> None:
    """Settle every connection of a given engine when it is first lent."""
    from sqlalchemy import event
    from sqlalchemy.util import await_only

    def lent(connection: Any, record: Any, _proxy: Any) -> None:
        if record.info.get(SETTLED):
            return
        if asynchronous:
            await_only(settle_async(connection.driver_connection, prepared=True))
        else:
            settle(connection, prepared=True)
        record.info[SETTLED] = True

    event.listen(engine, "checkout", lent)


def _is(row: Any, pid: int) -> bool:
    """Whether the server that answers is the one that the connection was told it got; a pooler tells a made-up one."""
    return row is not None and row[0] == pid
