"""The sockets of the blocking store."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from redis.backoff import NoBackoff
from redis.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from dbrouter.backends.kernel.deadline import Deadline
from dbrouter.backends.redis.cluster import Address
from dbrouter.backends.redis.connecting import Target

_LEAST = 0.001
"""Seconds: a timeout of zero would mean "do not wait at all"."""


class _Clock:
    """When the call ends that a connection works for."""

    __slots__ = ("deadline",)

    def __init__(self) -> None:
        self.deadline: Deadline | None = None


class _Socket:
    """A socket that waits for what is left of its call's time each time it has to: redis-py has one timeout for all."""

    __slots__ = ("_clock", "_inner", "_longest")

    def __init__(self, inner: Any, clock: _Clock) -> None:
        self._inner = inner
        self._clock = clock
        self._longest: float | None = inner.gettimeout()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def settimeout(self, seconds: float | None) -> None:
        """Wait no longer than this either."""
        self._longest = seconds

    def recv(self, *given: Any) -> Any:
        """As the socket's."""
        return self._in_time().recv(*given)

    def recv_into(self, *given: Any) -> Any:
        """As the socket's."""
        return self._in_time().recv_into(*given)

    def sendall(self, *given: Any) -> Any:
        """As the socket's, which takes all of it for one wait."""
        return self._in_time().sendall(*given)

    def _in_time(self) -> Any:
        deadline, seconds = self._clock.deadline, self._longest
        if deadline is not None:
            left = deadline.left() or _LEAST
            if seconds is None or left < seconds:
                seconds = left
        self._inner.settimeout(seconds)
        return self._inner


def _timed(kind: Any) -> Any:
    """The class of connections of this kind that have a clock, by which their sockets wait."""

    class Timed(kind):
        def __init__(self, **arguments: Any) -> None:
            super().__init__(**arguments)
            self.clock = _Clock()

        def _connect(self) -> Any:
            return _Socket(super()._connect(), self.clock)

    return Timed


_CLASSES = {"tcp": _timed(Connection), "tls": _timed(SSLConnection), "unix": _timed(UnixDomainSocketConnection)}


class BlockingWire:
    """redis-py's connections; each waits for what is left of its call's time."""

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
        return _CLASSES[self._target.kind](**_known(self._target.kind, arguments))

    async def open(self, connection: Any, deadline: Deadline) -> bool:
        """Open it if it is not open, or not alive any more."""
        connection.clock.deadline = deadline
        connection.socket_connect_timeout = max(min(self._connect_timeout, deadline.left()), _LEAST)
        connection.socket_timeout = max(deadline.left(), _LEAST)
        connection.connect()
        if not _is_dead(connection):
            return False
        connection.disconnect()
        connection.connect()
        return True

    async def exchange(self, connection: Any, commands: Iterable[Any], deadline: Deadline) -> list[Any]:
        """Send the commands and read an answer to each."""
        commands = list(commands)
        connection.clock.deadline = deadline
        connection.send_packed_command(connection.pack_commands(commands), check_health=False)
        answers: list[Any] = []
        for _ in commands:
            try:
                answers.append(connection.read_response(disable_decoding=True, disconnect_on_error=False))
            except ResponseError as error:
                answers.append(error)
        return answers

    async def close(self, connection: Any) -> None:
        """Close it."""
        connection.disconnect()

    def abandon(self, connection: Any) -> None:
        """Close it: it belongs to no loop."""
        connection.disconnect()

    def within(self, deadline: Deadline) -> AbstractAsyncContextManager[Any]:
        """The sockets see to it."""
        return nullcontext(deadline)


def _is_dead(connection: Any) -> bool:
    """Whether it was closed while nobody used it, or carries an answer that nobody waits for."""
    try:
        return bool(connection.can_read(timeout=0))
    except (RedisError, OSError):
        return True


def _known(kind: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Without what a connection to a socket file has no use for."""
    dropped = ("socket_keepalive", "host", "port") if kind == "unix" else ()
    return {name: each for name, each in arguments.items() if name not in dropped}
