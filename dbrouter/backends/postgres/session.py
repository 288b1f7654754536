"""psycopg connections that keep a deadline, how a unit is sent in one round trip, what errors mean."""

from __future__ import annotations

import select
from contextlib import suppress
from dataclasses import replace
from typing import Any, LiteralString, cast

import psycopg
from psycopg import AsyncConnection, Connection, errors

from dbrouter.backends.kernel.duplicates import duplicate
from dbrouter.backends.kernel.errors import (
    Conflict,
    MissingParent,
    StoreError,
    Throttled,
    TooLarge,
    Unavailable,
    Unstorable,
)
from dbrouter.backends.postgres.pipelining import async_pipeline, pipeline
from dbrouter.backends.sql.connections import MissingTable, Unit
from dbrouter.backends.sql.driver import Aftermath, Failure
from dbrouter.backends.sql.statements import Outcome, Requirement, RequirementMissed, Statement

TIMED_OUT = "_WaitTimeout"
"""What psycopg calls the error of a wait that came to its end; it has no public name."""

SPENT = ("53", "58")
"""Classes of SQLSTATE: the server has no room, no memory, or a disk that fails."""


class DeadlineConnection(Connection[Any]):
    """A connection whose every wait ends at the deadline: a server that hangs is an error, not a hang.

    deadline: seconds for one exchange with the server; set after connecting.
    """

    deadline: float | None = None

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """As psycopg's, with our deadline where none is given."""
        try:
            return super().wait(gen, interval=interval, timeout=self.deadline if timeout is None else timeout)
        except psycopg.OperationalError as error:
            give_up(self, gen, error)
            raise


class AsyncDeadlineConnection(AsyncConnection[Any]):
    """The async form of `DeadlineConnection`."""

    deadline: float | None = None

    async def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """As psycopg's, with our deadline where none is given."""
        try:
            return await super().wait(gen, interval=interval, timeout=self.deadline if timeout is None else timeout)
        except psycopg.OperationalError as error:
            give_up(self, gen, error)
            raise


def give_up(connection: DeadlineConnection | AsyncDeadlineConnection, gen: Any, error: Exception) -> None:
    """Close a connection whose server did not answer: cleaning up a pipeline would wait for the server once more."""
    if type(error).__name__ == TIMED_OUT:
        connection.pgconn.finish()
        with suppress(psycopg.Error, RuntimeError):
            gen.close()


class PostgresDriver:
    """psycopg from threads."""

    def __init__(self, place: str) -> None:
        self.place = place

    def is_stale(self, connection: Connection[Any]) -> bool:
        """Whether the server has gone from an idle connection."""
        return gone(connection)

    def limit(self, connection: Connection[Any], seconds: float) -> None:
        """Let each wait for the server end after so long."""
        if isinstance(connection, DeadlineConnection):
            connection.deadline = seconds

    def send(self, connection: Connection[Any], unit: Unit) -> list[Outcome]:
        """Run a unit: one statement as it is, several in one pipeline, which is one round trip."""
        if connection.autocommit:
            return self._send(connection, unit)
        # A given engine's connection begins transactions by itself; that is put back when we are done.
        connection.autocommit = True
        try:
            return self._send(connection, unit)
        finally:
            if connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
                connection.autocommit = False

    def _send(self, connection: Connection[Any], unit: Unit) -> list[Outcome]:
        statements = transaction(unit)
        if len(statements) == 1:
            cursor = connection.execute(text(statements[0]), statements[0].params)
            return [Outcome(cursor.fetchall() if statements[0].returns else [], cursor.rowcount)]
        try:
            with pipeline(connection):
                cursors = [connection.execute(text(each), each.params) for each in statements]
        except psycopg.Error:
            forget_prepared(connection)
            raise
        pairs = zip(statements, cursors, strict=True)
        return [Outcome(cursor.fetchall() if each.returns else [], cursor.rowcount) for each, cursor in pairs]

    def roll_back(self, connection: Connection[Any]) -> None:
        """End a failed transaction."""
        if not connection.closed:
            connection.rollback()

    def translate(self, error: BaseException) -> Failure:
        """psycopg's error in our words."""
        return translated(error, self.place)


class AsyncPostgresDriver:
    """psycopg from event loops."""

    def __init__(self, place: str) -> None:
        self.place = place

    def is_stale(self, connection: AsyncConnection[Any]) -> bool:
        """Whether the server has gone from an idle connection."""
        return gone(connection)

    async def limit(self, connection: AsyncConnection[Any], seconds: float) -> None:
        """Let each wait for the server end after so long."""
        if isinstance(connection, AsyncDeadlineConnection):
            connection.deadline = seconds

    async def send(self, connection: AsyncConnection[Any], unit: Unit) -> list[Outcome]:
        """Run a unit, as the blocking driver does."""
        if connection.autocommit:
            return await self._send(connection, unit)
        await connection.set_autocommit(True)
        try:
            return await self._send(connection, unit)
        finally:
            if connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
                await connection.set_autocommit(False)

    async def _send(self, connection: AsyncConnection[Any], unit: Unit) -> list[Outcome]:
        statements = transaction(unit)
        if len(statements) == 1:
            cursor = await connection.execute(text(statements[0]), statements[0].params)
            return [Outcome(await cursor.fetchall() if statements[0].returns else [], cursor.rowcount)]
        try:
            async with async_pipeline(connection):
                cursors = [await connection.execute(text(each), each.params) for each in statements]
        except psycopg.Error:
            forget_prepared(connection)
            raise
        pairs = zip(statements, cursors, strict=True)
        return [Outcome(await cursor.fetchall() if each.returns else [], cursor.rowcount) for each, cursor in pairs]

    async def roll_back(self, connection: AsyncConnection[Any]) -> None:
        """End a failed transaction."""
        if not connection.closed:
            await connection.rollback()

    def translate(self, error: BaseException) -> Failure:
        """psycopg's error in our words."""
        return translated(error, self.place)

    def abandon(self, connection: AsyncConnection[Any]) -> None:
        """Close the socket without the connection's loop."""
        connection.pgconn.finish()


def forget_prepared(connection: Connection[Any] | AsyncConnection[Any]) -> None:
    """Let statements be prepared anew after a pipeline that failed.

    psycopg takes what it was about to prepare there for prepared, and would execute what the server does not have.
    """
    connection._prepared.clear()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # it has no public name


def gone(connection: Connection[Any] | AsyncConnection[Any]) -> bool:
    """Whether the server has closed an idle connection. Nothing is sent: a pending close is readable."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def transaction(unit: Unit) -> list[Statement]:
    """The unit's statements. Sent in one pipeline they are one implicit transaction, without BEGIN and COMMIT.

    Where one does not give what it must, it fails by itself and takes the others with it.
    """
    return [asserted(each) for each in unit.statements] if unit.atomic else list(unit.statements)


def text(statement: Statement) -> LiteralString:
    """The statement's text, as psycopg's types want it: made of our own literals and quoted names only."""
    return cast("LiteralString", statement.sql)


def asserted(statement: Statement) -> Statement:
    """The statement made to divide by zero when its requirement is missed, so that all fits one round trip."""
    if statement.requires is None:
        return statement
    count = "(SELECT COUNT(*) FROM dbr_step)"
    test = count if statement.requires is Requirement.A_ROW else f"(1 - LEAST({count}, 1))"
    answer = f"SELECT dbr_step.*, 1 / {test} FROM (SELECT 1) AS dbr_one LEFT JOIN dbr_step ON TRUE"
    sql = f"WITH dbr_step AS ({statement.sql}) {answer}"
    return replace(statement, sql=sql)


def translated(error: BaseException, place: str) -> Failure:
    """psycopg's error (bare or wrapped by SQLAlchemy) in our words."""
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, StoreError):
        return Failure(cause, Aftermath.SOUND)
    if not isinstance(cause, psycopg.Error):
        return Failure(Unavailable(f"{place}: {cause}"), Aftermath.BROKEN)
    text = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
    table = cause.diag.table_name or "table"
    match cause:
        case errors.UniqueViolation():
            if cause.diag.schema_name in ("pg_catalog", None):
                # Two processes created one table: the other won, and the next attempt finds it.
                return Failure(Conflict(f"{place}: {text}"), Aftermath.AGAIN)
            return Failure(duplicate(table, _columns(cause), cause), Aftermath.SOUND)
        case errors.ForeignKeyViolation():
            return Failure(
                MissingParent(f"{table}: {cause.diag.message_detail or text}; nothing was written"), Aftermath.SOUND
            )
        case (
            errors.DuplicateTable()
            | errors.DuplicateObject()
            | errors.DeadlockDetected()
            | errors.SerializationFailure()
        ):
            return Failure(Conflict(f"{place}: {text}"), Aftermath.AGAIN)
        case errors.LockNotAvailable():
            what = f"{place}: {text}; another transaction holds what this call needs, look for a long one"
            return Failure(Unavailable(what), Aftermath.AGAIN)
        case errors.DivisionByZero():
            return Failure(RequirementMissed(), Aftermath.SOUND)
        case errors.UndefinedTable() | errors.InvalidSchemaName():
            return Failure(MissingTable(f"{place}: {text}"), Aftermath.SOUND)
        case errors.TooManyConnections():
            return Failure(Throttled(f"{place}: {text}; lower pool_size or raise max_connections"), Aftermath.BROKEN)
        case errors.ProgramLimitExceeded():
            return Failure(TooLarge(f"{place}: {text}; nothing was written"), Aftermath.SOUND)
        case errors.DataError() | errors.NotNullViolation():
            return Failure(Unstorable(f"{place}: {text}; nothing was written"), Aftermath.SOUND)
        case errors.QueryCanceled():
            return Failure(Unavailable(f"{place}: {text}"), Aftermath.SOUND)
        case psycopg.Error() if (cause.sqlstate or "")[:2] in SPENT:
            return Failure(Unavailable(f"{place}: {text}; nothing was written"), Aftermath.SOUND)
        case errors.ReadOnlySqlTransaction():
            what = f"{place}: {text}; nothing was written: if this goes on, the address leads to a standby"
            return Failure(Unavailable(what), Aftermath.DEMOTED)
        case errors.AdminShutdown() | errors.CrashShutdown() | errors.CannotConnectNow():
            return Failure(Unavailable(f"{place}: {text}"), Aftermath.BROKEN)
        case psycopg.OperationalError() | psycopg.InterfaceError() if cause.sqlstate is None or cause.sqlstate[:2] in (
            "08",
            "57",
            "28",
            "3D",
        ):
            reason = "no answer within the deadline" if type(cause).__name__ == TIMED_OUT else text
            return Failure(
                Unavailable(f"{place}: {reason}; check that the server runs and can be reached"), Aftermath.BROKEN
            )
        case _:
            return Failure(StoreError(f"{place}: {text}"), Aftermath.SOUND)


def _columns(error: psycopg.Error) -> tuple[str, ...]:
    # "Key (user_id, name)=(u, n) already exists."; the values stay out of the message.
    detail = error.diag.message_detail or ""
    names = detail.partition("(")[2].partition(")")[0]
    return tuple(name for name in names.split(", ") if name)
