"""One address that leads to whoever is the primary: after a fail-over the next call reaches the new one."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis

from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.backends.kernel.ops import Get, Insert
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.redis.store import AsyncRedisStore, RedisStore
from dbrouter.testing.conformance.records import session
from scripts.servers import Server
from scripts.servers.places import free_port

pytestmark = pytest.mark.backend("redis", mode="outage")


class Proxy:
    """Passes on what it is sent to the server that it leads to when a connection opens."""

    def __init__(self, server: Server) -> None:
        self.lead_to(server)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listening.getsockname()[1]}/0"
        threading.Thread(target=self._serve, daemon=True).start()

    def lead_to(self, server: Server) -> None:
        """Connections that are open stay where they are."""
        parts = urlsplit(server.url)
        self._to = (str(parts.hostname), int(parts.port or 0))

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                threading.Thread(target=self._join, args=(near,), daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        with near, socket.create_connection(self._to) as far:
            back = threading.Thread(target=_pass_on, args=(far, near), daemon=True)
            back.start()
            _pass_on(near, far)
            back.join()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    for each in (one, other):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy(own_redis: Server) -> Iterator[Proxy]:
    proxy = Proxy(own_redis)
    yield proxy
    proxy.close()


@contextmanager
def demoted(server: Server, words: str) -> Generator[None]:
    """A server that is a replica for a while, of a primary that it does not reach, and keeps its connections."""
    admin: Any = redis.Redis.from_url(server.url)
    if words == "MASTERDOWN":
        admin.config_set("replica-serve-stale-data", "no")
    admin.execute_command("REPLICAOF", "127.0.0.1", free_port())
    try:
        yield
    finally:
        admin.execute_command("REPLICAOF", "NO", "ONE")
        admin.config_set("replica-serve-stale-data", "yes")


@pytest.mark.parametrize("words", ["READONLY", "MASTERDOWN"])
def test_a_server_that_says_it_is_not_the_primary_is_left(
    own_redis: Server, redis_server: Server, proxy: Proxy, prefix: str, words: str
) -> None:
    store = RedisStore(proxy.url, prefix=prefix)
    together = threading.Barrier(4)

    def write(number: int) -> None:
        together.wait()
        finish(store.execute(Insert(table="sessions", records=(session(f"before-{number}"),))))

    with ThreadPoolExecutor(4) as threads:  # so that there are several connections
        list(threads.map(write, range(4)))
    with demoted(own_redis, words):
        proxy.lead_to(redis_server)
        with pytest.raises(Unavailable, match=words):
            finish(store.execute(Insert(table="sessions", records=(session("lost"),))))
        for number in range(5):
            finish(store.execute(Insert(table="sessions", records=(session(f"after-{number}"),))))
    there = RedisStore(redis_server.url, prefix=prefix)
    assert finish(there.execute(Get(table="sessions", key=("after-4",)))) is not None
    assert finish(there.execute(Get(table="sessions", key=("lost",)))) is None
    finish(store.close())


def test_a_server_that_says_it_is_not_the_primary_is_left_on_an_event_loop_by_all_its_calls(
    own_redis: Server, redis_server: Server, proxy: Proxy, prefix: str
) -> None:
    async def body() -> None:
        store = AsyncRedisStore(proxy.url, prefix=prefix)

        def writes(*names: str) -> list[Awaitable[Any]]:
            return [store.execute(Insert(table="sessions", records=(session(name),))) for name in names]

        await asyncio.gather(*writes(*"abcd"))
        with demoted(own_redis, "READONLY"):
            proxy.lead_to(redis_server)
            # What is under way when the first is refused is refused too, and its connection is not used again.
            refused = await asyncio.gather(*writes(*"efgh"), return_exceptions=True)
            assert all(isinstance(each, Unavailable) for each in refused)
            await asyncio.gather(*writes(*"ijkl"))
        await store.close()

    asyncio.run(body())


def hangs_up(asked: bytes | None) -> tuple[str, Callable[[], None]]:
    """A server that hangs up on a large value, and answers this when it is asked why; `None`: it hangs up, too."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                threading.Thread(target=talk, args=(connection,), daemon=True).start()

    def talk(connection: socket.socket) -> None:
        with suppress(OSError, ValueError), connection, connection.makefile("rb") as said:
            while True:
                words: list[bytes] = []
                for _ in range(int(said.readline()[1:])):
                    size = int(said.readline()[1:])
                    if size >= 1024 * 1024:
                        return
                    words.append(said.read(size + 2)[:-2])
                if words[0] == b"CONFIG" and asked is None:
                    return
                answer = asked if words[0] == b"CONFIG" else b":1\r\n" if words[0] == b"SADD" else b"+OK\r\n"
                connection.sendall(answer or b"")

    threading.Thread(target=serve, daemon=True).start()

    def close() -> None:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()

    return f"redis://127.0.0.1:{listening.getsockname()[1]}/0", close


@pytest.mark.parametrize(
    "asked", [None, b"*0\r\n", b"-NOPERM no\r\n"], ids=["hangs up again", "hides its settings", "may not be asked"]
)
def test_a_server_that_hung_up_on_a_large_value_and_does_not_say_why_leaves_it_unknown(asked: bytes | None) -> None:
    url, close = hangs_up(asked)
    store = RedisStore(url, deadline=20)
    large = session("s1", session_data={"x": "y" * 2_000_000})
    with pytest.raises(Unavailable, match="whether it was written is unknown"):
        finish(store.execute(Insert(table="sessions", records=(large,))))
    close()


def test_a_server_that_went_away_with_a_large_value_leaves_it_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    from dbrouter.backends.redis.blocking import BlockingWire

    url, close = hangs_up(None)
    exchange, make = BlockingWire.exchange, BlockingWire.make

    async def the_last(self: Any, connection: Any, commands: Any, deadline: Any) -> list[Any]:
        try:
            return await exchange(self, connection, commands, deadline)
        except (redis.RedisError, OSError):
            monkeypatch.setattr(BlockingWire, "make", _nowhere)
            raise

    def _nowhere(self: Any, address: Any) -> Any:
        return make(self, ("127.0.0.1", free_port()))

    monkeypatch.setattr(BlockingWire, "exchange", the_last)
    large = session("s1", session_data={"x": "y" * 2_000_000})
    with pytest.raises(Unavailable, match="whether it was written is unknown"):
        finish(RedisStore(url, deadline=20).execute(Insert(table="sessions", records=(large,))))
    close()
