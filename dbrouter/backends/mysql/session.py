"""pymysql's and asyncmy's connections: how a unit is sent on one, and how long it may take."""

from __future__ import annotations

import asyncio
import select
import time
from contextlib import suppress
from typing import Any

from dbrouter.backends.mysql.conversation import Packet, Result, outcomes, packed, require, said
from dbrouter.backends.mysql.dialect import MySqlDialect
from dbrouter.backends.mysql.failures import AtStatement, ColumnsOf, translated
from dbrouter.backends.sql.connections import Unit
from dbrouter.backends.sql.driver import Failure
from dbrouter.backends.sql.statements import Outcome

IN_TRANSACTION = 1
AUTOCOMMIT = 2
"""Bits of the status that a server sends with every answer."""
LEAST = 0.001
"""Seconds: a client takes no timeout of nothing."""
NOTES = "dbrouter"
"""The attribute of a client's connection that holds our notes."""


class Notes:
    """What is known of one connection. most: bytes of a packet. together: whether one may hold several statements."""

    __slots__ = ("deadline", "most", "together")

    def __init__(self, deadline: float, most: int, *, together: bool) -> None:
        self.deadline = deadline
        self.most = most
        self.together = together


def notes_of(connection: Any) -> Notes:
    """What is known of the connection, once it is settled."""
    notes: Notes = getattr(connection, NOTES)
    return notes


def settle(connection: Any, dialect: MySqlDialect, deadline: float) -> None:
    """Make a pymysql connection ours: its session, its limits, what the server is."""
    dialect.server.met(connection.get_server_info())
    together = dialect.together
    asked = (*dialect.settings(), dialect.about)
    for text in ["; ".join(asked)] if together else asked:
        connection.query(text)
        while connection._result.has_next:  # noqa: SLF001  # pymysql's cursors cost a round of Python for each result
            connection.next_result()
    _note(connection, dialect, deadline)


async def settle_async(connection: Any, dialect: MySqlDialect, deadline: float) -> None:
    """Make an asyncmy connection ours."""
    dialect.server.met(connection.get_server_info())
    asked = (*dialect.settings(), dialect.about)
    for text in ["; ".join(asked)] if dialect.together else asked:
        await connection.query(text)
        while connection._result.has_next:  # noqa: SLF001
            await connection.next_result()
    _note(connection, dialect, deadline)


def _note(connection: Any, dialect: MySqlDialect, deadline: float) -> None:
    most, folds_names = map(int, connection._result.rows[0])  # noqa: SLF001
    dialect.server.folds_names = bool(folds_names)
    setattr(connection, NOTES, Notes(deadline, most, together=dialect.together))


def _has_gone(sock: Any) -> bool:
    """Whether an idle connection has something to read: nothing but its end can come."""
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLIN)
    return bool(poll.poll(0))


class MySqlDriver:
    """pymysql, from threads."""

    def __init__(self, place: str, dialect: MySqlDialect, columns_of: ColumnsOf) -> None:
        self.place = place
        self._dialect = dialect
        self._columns_of = columns_of

    def is_stale(self, connection: Any) -> bool:
        """Whether the server has gone from an idle connection."""
        return not connection.open or _has_gone(connection._sock)  # noqa: SLF001  # it has no public name

    def limit(self, connection: Any, seconds: float) -> None:
        """Let each exchange end after so long."""
        notes_of(connection).deadline = seconds

    def send(self, connection: Any, unit: Unit) -> list[Outcome]:
        """Run a unit: all its statements in one packet, if they fit."""
        notes = notes_of(connection)
        ends = time.monotonic() + notes.deadline
        sent = said(unit, autocommit=bool(connection.server_status & AUTOCOMMIT), together=notes.together)
        results: list[Result] = []
        for packet in packed(sent, connection.escape, most=notes.most, together=notes.together):
            results.extend(self._exchange(connection, packet, ends))
            if not notes.together:
                require(packet.statements[0], results[-1])
        return outcomes(unit, sent, results)

    def _exchange(self, connection: Any, packet: Packet, ends: float) -> list[Result]:
        results: list[Result] = []
        try:
            _until(connection, ends)
            connection.query(packet.text)
            results.append(_read(connection))
            while connection._result.has_next:  # noqa: SLF001
                _until(connection, ends)
                connection.next_result()
                results.append(_read(connection))
        except Exception as error:
            raise AtStatement(packet.statements[min(len(results), len(packet.statements) - 1)]) from error
        return results

    def roll_back(self, connection: Any) -> None:
        """End a failed transaction, if there is one."""
        if not connection.server_status & IN_TRANSACTION:
            return
        texts = self._dialect.undoing()
        for text in ["; ".join(texts)] if notes_of(connection).together else texts:
            connection.query(text)
            while connection._result.has_next:  # noqa: SLF001
                connection.next_result()

    def translate(self, error: BaseException) -> Failure:
        """pymysql's error in our words."""
        return translated(error, self.place, self._columns_of)


class AsyncMySqlDriver:
    """asyncmy, from event loops."""

    def __init__(self, place: str, dialect: MySqlDialect, columns_of: ColumnsOf) -> None:
        self.place = place
        self._dialect = dialect
        self._columns_of = columns_of

    def is_stale(self, connection: Any) -> bool:
        """Whether the server has gone from an idle connection."""
        transport = connection._transport  # noqa: SLF001  # none of these has a public name
        protocol = connection._proto  # noqa: SLF001
        if transport is None or transport.is_closing() or protocol.eof or protocol.exc is not None:
            return True
        # The loop has not looked at the socket since the last call.
        sock = transport.get_extra_info("socket")
        return sock is None or _has_gone(sock)

    async def limit(self, connection: Any, seconds: float) -> None:
        """Let each exchange end after so long."""
        notes_of(connection).deadline = seconds

    async def send(self, connection: Any, unit: Unit) -> list[Outcome]:
        """Run a unit, as the blocking driver does."""
        notes = notes_of(connection)
        sent = said(unit, autocommit=bool(connection.server_status & AUTOCOMMIT), together=notes.together)
        results: list[Result] = []
        # The client closes a connection that is left in the middle of an answer.
        async with asyncio.timeout(notes.deadline):
            for packet in packed(sent, connection.escape, most=notes.most, together=notes.together):
                results.extend(await self._exchange(connection, packet))
                if not notes.together:
                    require(packet.statements[0], results[-1])
        return outcomes(unit, sent, results)

    async def _exchange(self, connection: Any, packet: Packet) -> list[Result]:
        results: list[Result] = []
        try:
            await connection.query(packet.text)
            results.append(_read(connection))
            while connection._result.has_next:  # noqa: SLF001
                await connection.next_result()
                results.append(_read(connection))
        except Exception as error:
            raise AtStatement(packet.statements[min(len(results), len(packet.statements) - 1)]) from error
        return results

    async def roll_back(self, connection: Any) -> None:
        """End a failed transaction, if there is one."""
        if not connection.server_status & IN_TRANSACTION:
            return
        texts = self._dialect.undoing()
        for text in ["; ".join(texts)] if notes_of(connection).together else texts:
            await connection.query(text)
            while connection._result.has_next:  # noqa: SLF001
                await connection.next_result()

    def translate(self, error: BaseException) -> Failure:
        """asyncmy's error in our words."""
        return translated(error, self.place, self._columns_of)

    def abandon(self, connection: Any) -> None:
        """Close the socket without the connection's loop."""
        transport = connection._transport  # noqa: SLF001
        if transport is None:
            return
        with suppress(
            RuntimeError
        ):  # it asks the closed loop to tell the protocol, and has let go of the socket before
            transport.abort()
        sock = getattr(transport, "_sock", None)
        if sock is not None:
            sock.close()
            transport._sock = None  # noqa: SLF001  # or it would complain of not having been closed


def _read(connection: Any) -> Result:
    result = connection._result  # noqa: SLF001
    return result.rows or (), result.affected_rows


def _until(connection: Any, ends: float) -> None:
    """Let what is read and written next wait until then."""
    left = max(LEAST, ends - time.monotonic())
    connection._read_timeout = connection._write_timeout = left  # noqa: SLF001  # they can only be given when connecting
