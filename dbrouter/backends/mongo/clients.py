"""One client for each server and set of options, blocking or for each event loop: pymongo's own pools are in it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pymongo
from pymongo.errors import ConfigurationError

from dbrouter.backends.kernel.abandoning import abandon as drop_transport
from dbrouter.backends.kernel.forking import begins_anew_in_a_child


@dataclass(frozen=True, slots=True)
class Target:
    """Where a client connects to and how: two databases with the same share a client."""

    address: str = field(repr=False)
    options: tuple[tuple[str, Any], ...] = field(repr=False)

    @classmethod
    def of(cls, address: str, options: Mapping[str, Any]) -> Target:
        """The target with these options of pymongo's."""
        return cls(address, tuple(sorted(options.items())))


class Clients(Protocol):
    """Whoever has a client for the calling thread or loop."""

    def current(self) -> Any:
        """The client; opened without sending anything."""
        ...

    async def close(self) -> None:
        """Give it back; the next call opens one again."""
        ...


class Shared:
    """The blocking clients of this process, each closed when its last user closes."""

    def __init__(self) -> None:
        self._parents: list[Any] = []
        self._open: dict[Target, tuple[Any, set[int]]] = {}
        self.begin_anew()
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """Have no clients. The parent's stay referenced: a client complains when it is dropped unclosed."""
        self._parents.append(self._open)
        self._open = {}
        self._lock = threading.Lock()

    def borrow(self, target: Target, user: int) -> Any:
        """The client of the target, for this user too."""
        with self._lock:
            if target not in self._open:
                client = _made(pymongo.MongoClient, target, connect=False)
                self._open[target] = (client, set())
            client, users = self._open[target]
            users.add(user)
            return client

    def give_back(self, target: Target, user: int) -> None:
        """Close the client if nobody else uses it."""
        with self._lock:
            client, users = self._open.get(target, (None, set[int]()))
            users.discard(user)
            if client is None or users:
                return
            del self._open[target]
        client.close()


SHARED = Shared()


class BlockingClients:
    """The shared client of a target, from any thread."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.begin_anew()
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """Hold no client."""
        self._client: Any = None

    def current(self) -> Any:
        """The client."""
        client = self._client
        if client is None:
            client = self._client = SHARED.borrow(self._target, id(self))
        return client

    async def close(self) -> None:
        """Give the client back."""
        self._client = None
        SHARED.give_back(self._target, id(self))


class AsyncClients:
    """A client for each event loop: agno runs more than one, and a client belongs to the loop it was first used in."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._parents: list[Any] = []
        self._clients: dict[asyncio.AbstractEventLoop, Any] = {}
        self.begin_anew()
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """Know no loop yet."""
        self._parents.append(self._clients)
        self._clients = {}
        self._lock = threading.Lock()

    def current(self) -> Any:
        """The running loop's client."""
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            with self._lock:
                self._drop_closed_loops()
                client = self._clients.setdefault(loop, _made(pymongo.AsyncMongoClient, self._target))
        return client

    async def close(self) -> None:
        """Close this loop's client, and those of loops that are closed."""
        with self._lock:
            self._drop_closed_loops()
            client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.close()
            # The loop closes sockets in its next round, and may not have one if it ends now.
            await asyncio.sleep(0)

    def _drop_closed_loops(self) -> None:
        """Drop the clients of loops that are closed: each keeps its loop, so neither would ever go by itself."""
        for loop in [each for each in self._clients if each.is_closed()]:
            abandon(self._clients.pop(loop))


class Given:
    """A client of the user's own: never closed here."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def current(self) -> Any:
        """The client."""
        return self._client

    async def close(self) -> None:
        """Leave it to whoever opened it."""


def _made(kind: Any, target: Target, **more: Any) -> Any:
    try:
        return kind(target.address, **more, **dict(target.options))
    except ValueError as error:
        # What pymongo says of some URLs that it cannot take apart, without showing them.
        raise ConfigurationError(str(error)) from error


def abandon(client: Any) -> None:
    """Drop the sockets of an async client whose loop is closed: nothing can be awaited there any more.

    pymongo has no public way to do so. Its monitors ended with their loop, and their connections may still be open.
    """
    for server in client._topology._servers.values():  # noqa: SLF001
        monitor = server._monitor  # noqa: SLF001
        for pool in (server.pool, monitor._pool, monitor._rtt_monitor._pool):  # noqa: SLF001
            for connection in [*pool.conns]:
                drop_transport(connection.conn.conn[0])
    client._closed = True  # noqa: SLF001  # else it complains of not having been closed
