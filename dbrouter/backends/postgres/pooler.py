"""What may be left on a connection: statements that are prepared, and how long the server waits for locks.

Behind a pooler that changes servers, nothing. A statement is prepared under a short name on one server. A pooler that
gives every transaction another server sends the name to one where it is unknown or, worse, stands for what another
client prepared: another tenant's statement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import AsyncConnection, Connection

WHO = "SELECT pg_backend_pid()"
LOCK_WAIT = "SELECT set_config('lock_timeout', %s, false) WHERE current_setting('lock_timeout') = '0'"
LOCK_WAITS = 5
"""The part of its deadline that a call waits for a lock until the server gives up. It is sent four times at most, so
that the server's word, which says that nothing was written, is there before the deadline is. A server that is left
waiting writes when it gets the lock, however long after the caller was told that it did not answer."""
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


def bound_lock_waits(connection: Connection[Any], deadline: float) -> None:
    """Have the server give up waiting for a lock in time, unless its owner has said when."""
    if connection.prepare_threshold is not None:
        connection.execute(LOCK_WAIT, (_lock_wait(deadline),), prepare=False)


async def bound_lock_waits_async(connection: AsyncConnection[Any], deadline: float) -> None:
    """As `bound_lock_waits`."""
    if connection.prepare_threshold is not None:
        await connection.execute(LOCK_WAIT, (_lock_wait(deadline),), prepare=False)


def _lock_wait(deadline: float) -> str:
    return f"{max(1, int(1000 * deadline / LOCK_WAITS))}ms"


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
