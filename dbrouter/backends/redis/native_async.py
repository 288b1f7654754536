"""The sockets of the async store."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any

from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from dbrouter.backends.kernel.abandoning import abandon
from dbrouter.backends.kernel.deadline import Deadline
from dbrouter.backends.redis.cluster import Address
from dbrouter.backends.redis.connecting import Target

_CLASSES: dict[str, Any] = {"tcp": Connection, "tls": SSLConnection, "unix": UnixDomainSocketConnection}


class AsyncWire:
    """redis-py's connections on an event loop."""

    errors: tuple[type[BaseException], ...] = (RedisError, OSError)

    def __init__(self, target: Target, *, connect_timeout: float, deadline: float) -> None:
        self._target = target
        self._connect_timeout = connect_timeout
        self._deadline = deadline

    def make(self, address: Address) -> Any:
        """A connection that is not open yet."""
        arguments = self._target.made_with(
            address, connect_timeout=self._connect_timeout, deadline=self._deadline, retry=Retry(NoBackoff(), 0)
        )
        # One clock for the whole call: theirs would be another for each read.
        arguments["socket_timeout"] = None
        dropped = ("socket_keepalive", "host", "port") if self._target.kind == "unix" else ()
        kept = {name: each for name, each in arguments.items() if name not in dropped}
        return _CLASSES[self._target.kind](**kept)

    async def open(self, connection: Any, deadline: Deadline) -> bool:
        """Open it if it is not open, or not alive any more."""
        connection.socket_connect_timeout = min(self._connect_timeout, max(deadline.left(), 0.001))
        await connection.connect()
        if not await _is_dead(connection):
            return False
        await connection.disconnect(nowait=True)
        await connection.connect()
        return True

    async def exchange(self, connection: Any, commands: Iterable[Any], deadline: Deadline) -> list[Any]:
        """Send the commands and read an answer to each."""
        del deadline
        commands = list(commands)
        await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
        answers: list[Any] = []
        for _ in commands:
            try:
                answers.append(await connection.read_response(disable_decoding=True, disconnect_on_error=False))
            except ResponseError as error:
                answers.append(error)
        return answers

    async def close(self, connection: Any) -> None:
        """Close it, without waiting for the server to agree."""
        await connection.disconnect(nowait=True)

    def abandon(self, connection: Any) -> None:
        """Close it although its event loop is closed."""
        writer, connection._writer, connection._reader = connection._writer, None, None  # noqa: SLF001
        if writer is not None:
            abandon(writer.transport)

    def within(self, deadline: Deadline) -> AbstractAsyncContextManager[Any]:
        """Cancels what is under way when the time is over."""
        return asyncio.timeout(deadline.left())


async def _is_dead(connection: Any) -> bool:
    """Whether it was closed while nobody used it, or carries an answer that nobody waits for."""
    # redis-py renamed it in version 8.
    look = connection.can_read if hasattr(connection, "can_read") else connection.can_read_destructive
    try:
        return bool(await look())
    except (RedisError, OSError):
        return True
