"""sqlite3 and aiosqlite connections: how they are prepared, how a unit is sent, what their errors mean."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from dbrouter.backends.kernel.duplicates import duplicate
from dbrouter.backends.kernel.errors import Conflict, MissingParent, StoreError, TooLarge, Unavailable
from dbrouter.backends.kernel.forking import uncut
from dbrouter.backends.sql.connections import MissingTable, Unit
from dbrouter.backends.sql.driver import Aftermath, Failure
from dbrouter.backends.sql.statements import Outcome, Requirement, RequirementMissed, Statement
from dbrouter.backends.sql.waiting import left_for_opening
from dbrouter.backends.sqlite.dialect import FUNCTIONS, Percentile95

BEGIN = "BEGIN IMMEDIATE"
"""Takes the write lock at once: a later upgrade from a read could fail at any statement."""


LOCK_PAUSE = 0.01


class Connection(sqlite3.Connection):
    """A connection that is neither opened nor closed while the process forks.

    What SQLite knows of a file is one for the process, so a child has a copy of it. If that copy says that a connection
    is in a transaction, the child waits for the end of it for ever, and so it does for a mutex that was held.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        with uncut():
            super().__init__(*arguments, **options)

    def close(self) -> None:
        """Close it."""
        with uncut():
            super().close()


PRAGMAS = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA foreign_keys = ON")
"""What a connection is set to: durable commits in a write-ahead log, foreign keys."""


def busy_timeout(seconds: float) -> str:
    """The pragma that lets a connection wait so long for others."""
    return f"PRAGMA busy_timeout = {int(seconds * 1000)}"


def prepare(connection: Any, deadline: float) -> None:
    """Set up a new DBAPI connection (SQLAlchemy's adapter or sqlite3's own). It will wait `deadline` for others.

    Setting it up waits for no longer than the caller has.
    """
    patience = left_for_opening(deadline)
    until = time.monotonic() + patience
    blocking = isinstance(connection, sqlite3.Connection)
    cursor = connection.cursor()
    cursor.execute(busy_timeout(patience))
    for pragma in PRAGMAS:
        _patiently(cursor, pragma, until, _pause if blocking else _pause_this_task)
    if patience < deadline:
        cursor.execute(busy_timeout(deadline))
    cursor.close()
    for name, arguments, function in FUNCTIONS:
        connection.create_function(name, arguments, function)
    if blocking:
        # aiosqlite has no way to register one.
        # typeshed knows only aggregates that give integers.
        connection.create_aggregate("dbr_p95", 1, Percentile95)  # pyright: ignore[reportArgumentType]


def _patiently(cursor: Any, pragma: str, until: float, pause: Callable[[], None]) -> None:
    """Set a pragma. A new file becomes a write-ahead log under a lock that SQLite does not wait for by itself."""
    while True:
        try:
            # On an event loop, nobody may wait here for a fork, which waits for others of the loop.
            with uncut() if pause is _pause else nullcontext():
                cursor.execute(pragma)
        except sqlite3.OperationalError as error:
            if not _is_held(error) or time.monotonic() > until:
                raise
            pause()
        else:
            return


def _pause() -> None:
    time.sleep(LOCK_PAUSE)


def _pause_this_task() -> None:
    from sqlalchemy.util import await_only

    # The pool runs us in a greenlet of the task that wants the connection; its loop goes on.
    await_only(asyncio.sleep(LOCK_PAUSE))


def require(statement: Statement, outcome: Outcome) -> None:
    """Raise `RequirementMissed` if the statement did not give what its transaction needs."""
    if statement.requires is not None and bool(outcome.rows) is not (statement.requires is Requirement.A_ROW):
        raise RequirementMissed


class SqliteDriver:
    """sqlite3, from threads."""

    def __init__(self, place: str) -> None:
        self.place = place

    def is_stale(self, connection: sqlite3.Connection) -> bool:  # noqa: ARG002  # the protocol's
        """A file does not go away between two calls."""
        return False

    def limit(self, connection: sqlite3.Connection, seconds: float) -> None:
        """Let the next statements wait for other writers at most so long."""
        with uncut():
            connection.execute(busy_timeout(seconds))

    def send(self, connection: sqlite3.Connection, unit: Unit) -> list[Outcome]:
        """Run a unit."""
        if connection.isolation_level is None:
            return self._uncut(connection, unit)
        # A given engine's connection begins transactions by itself; that is put back when we are done.
        own, connection.isolation_level = connection.isolation_level, None
        try:
            return self._uncut(connection, unit)
        finally:
            connection.isolation_level = own

    def _uncut(self, connection: sqlite3.Connection, unit: Unit) -> list[Outcome]:
        with uncut():
            try:
                return self._send(connection, unit)
            except BaseException:
                # Not left to whoever ends failed ones: a process forked before that would have it open for ever.
                connection.rollback()
                raise

    def _send(self, connection: sqlite3.Connection, unit: Unit) -> list[Outcome]:
        if not unit.atomic:
            return [self._one(connection, each) for each in unit.statements]
        connection.execute(BEGIN)
        outcomes: list[Outcome] = []
        for statement in unit.statements:
            outcomes.append(self._one(connection, statement))
            require(statement, outcomes[-1])
        connection.execute("COMMIT")
        return outcomes

    def _one(self, connection: sqlite3.Connection, statement: Statement) -> Outcome:
        cursor = connection.execute(statement.sql, statement.params)
        rows = cursor.fetchall() if statement.returns else []
        return Outcome(rows, cursor.rowcount)

    def roll_back(self, connection: sqlite3.Connection) -> None:
        """End a failed transaction."""
        connection.rollback()

    def translate(self, error: BaseException) -> Failure:
        """sqlite3's error in our words."""
        return translated(error, self.place)


class AsyncSqliteDriver:
    """aiosqlite, from event loops."""

    def __init__(self, place: str) -> None:
        self.place = place

    def is_stale(self, connection: Any) -> bool:  # noqa: ARG002  # the protocol's
        """A file does not go away between two calls."""
        return False

    async def limit(self, connection: Any, seconds: float) -> None:
        """Let the next statements wait for other writers at most so long."""
        await connection.execute_fetchall(busy_timeout(seconds))

    async def send(self, connection: Any, unit: Unit) -> list[Outcome]:
        """Run a unit."""
        async with uncut():
            return await self._send(connection, unit)

    async def _send(self, connection: Any, unit: Unit) -> list[Outcome]:
        if not unit.atomic:
            return [await self._one(connection, each) for each in unit.statements]
        await connection.execute_fetchall(BEGIN)
        outcomes: list[Outcome] = []
        for statement in unit.statements:
            outcomes.append(await self._one(connection, statement))
            require(statement, outcomes[-1])
        await connection.execute_fetchall("COMMIT")
        return outcomes

    async def _one(self, connection: Any, statement: Statement) -> Outcome:
        if statement.returns:
            # One hop to the connection's thread; execute and fetch apart would be three.
            return Outcome(list(await connection.execute_fetchall(statement.sql, statement.params)), -1)
        cursor = await connection.execute(statement.sql, statement.params)
        return Outcome([], cursor.rowcount)

    async def roll_back(self, connection: Any) -> None:
        """End a failed transaction."""
        await connection.rollback()

    def translate(self, error: BaseException) -> Failure:
        """sqlite3's error in our words."""
        return translated(error, self.place)

    def abandon(self, connection: Any) -> None:
        """Stop the connection's thread without its loop."""
        # Asked from a thread that has no loop: a running one would be told when it is done, and may be closed by then.
        asking = threading.Thread(target=connection.stop)
        asking.start()
        asking.join()


def translated(error: BaseException, place: str) -> Failure:
    """sqlite3's error (bare or wrapped by SQLAlchemy) in our words."""
    cause = getattr(error, "orig", None) or error
    text = str(cause)
    if isinstance(cause, RequirementMissed | StoreError):
        return Failure(cause, Aftermath.SOUND)
    if isinstance(cause, sqlite3.IntegrityError):
        return Failure(_integrity(cause, text), Aftermath.SOUND)
    if isinstance(cause, sqlite3.OperationalError) and text.startswith("no such table"):
        return Failure(MissingTable(f"{place}: {text}"), Aftermath.SOUND)
    if _is_held(cause):
        what = f"{place}: another process held the database past the deadline ({text}); look for a long transaction"
        return Failure(Unavailable(what), Aftermath.SOUND)
    if isinstance(cause, sqlite3.DataError) or "too big" in text:
        return Failure(TooLarge(f"{place}: {text}; SQLite holds values up to 1 GB"), Aftermath.SOUND)
    # Of all that sqlite3 calls operational, SQLITE_ERROR is the statement's own fault.
    if isinstance(cause, sqlite3.ProgrammingError | sqlite3.NotSupportedError) or _is_refused(cause):
        return Failure(StoreError(f"{place}: {text}"), Aftermath.SOUND)
    return Failure(Unavailable(f"{place}: {text}; check the path, its permissions and the disk"), Aftermath.BROKEN)


def _is_refused(error: BaseException) -> bool:
    return _code(error) == sqlite3.SQLITE_ERROR


def _is_held(error: BaseException) -> bool:
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _code(error: BaseException) -> int | None:
    """SQLite's own code of an error, without what details it."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _integrity(error: sqlite3.IntegrityError, text: str) -> Exception:
    kind, _, names = text.partition(" constraint failed: ")
    columns = [name.rpartition(".")[2] for name in names.split(", ")]
    table = names.partition(".")[0] or "table"
    if kind == "UNIQUE":
        return duplicate(table, columns, error)
    if text.startswith("FOREIGN KEY"):
        return MissingParent(f"the record's parent is not stored, or a stored record still needs this one ({text})")
    if kind == "NOT NULL":
        return StoreError(f"{names} must not be null; nothing was written")
    return Conflict(text)
