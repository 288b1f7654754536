"""The Redis stores, blocking and async."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from dbrouter.backends.kernel.running import AsyncRuntime, BlockingRuntime, Runtime
from dbrouter.backends.redis.connecting import Target, target_of_client, target_of_url
from dbrouter.backends.redis.connections import Connections, Wire
from dbrouter.backends.redis.durability import Durability
from dbrouter.backends.redis.layout import Layout
from dbrouter.backends.redis.tables import RedisTables

if TYPE_CHECKING:
    from dbrouter.backends.redis.settings import RedisSettings

DEADLINE = 30.0
CONNECT_TIMEOUT = 10.0
POOL_SIZE = 16
PREFIX = "dbrouter"


class _Store(RedisTables, ABC):
    """What both stores are made of.

    Give a `url`, a `client` of redis-py whose server is used, or a `target`. prefix: what all keys begin with.
    tables: spec name -> physical name. ttl: table or family -> seconds after which a record that was not written to
    since is gone. wait_replicas: replicas that must have a write within `wait_timeout` seconds before it is
    acknowledged. deadline: seconds for one call. name: what errors call this database.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        client: Any = None,
        target: Target | None = None,
        prefix: str = PREFIX,
        tables: Mapping[str, str] | None = None,
        ttl: Mapping[str, int] | None = None,
        wait_replicas: int = 0,
        wait_timeout: float = 1.0,
        deadline: float = DEADLINE,
        connect_timeout: float = CONNECT_TIMEOUT,
        pool_size: int = POOL_SIZE,
        name: str = "",
    ) -> None:
        reached = _target(url, client, target)
        runtime, wire = self._ways(reached, connect_timeout=connect_timeout, deadline=deadline)
        connections = Connections(wire, reached, runtime, place=_place(name, reached), size=pool_size, seconds=deadline)
        super().__init__(
            connections, runtime, Layout(prefix, tables or {}, ttl or {}), Durability(wait_replicas, wait_timeout)
        )

    @classmethod
    def from_settings(cls, settings: RedisSettings, *, name: str = "") -> Self:
        """The store that a configuration describes."""
        return cls(name=name, **_options(settings))

    @staticmethod
    @abstractmethod
    def _ways(target: Target, *, connect_timeout: float, deadline: float) -> tuple[Runtime, Wire]:
        """How its calls wait, and its sockets."""


class RedisStore(_Store):
    """Redis, Valkey or a cluster of them, from threads."""

    @staticmethod
    def _ways(target: Target, *, connect_timeout: float, deadline: float) -> tuple[Runtime, Wire]:
        from dbrouter.backends.redis.blocking import BlockingWire

        return BlockingRuntime(), BlockingWire(target, connect_timeout=connect_timeout, deadline=deadline)


class AsyncRedisStore(_Store):
    """Redis, Valkey or a cluster of them, from event loops. Arguments as for `RedisStore`."""

    @staticmethod
    def _ways(target: Target, *, connect_timeout: float, deadline: float) -> tuple[Runtime, Wire]:
        from dbrouter.backends.redis.native_async import AsyncWire

        return AsyncRuntime(), AsyncWire(target, connect_timeout=connect_timeout, deadline=deadline)


def _target(url: str | None, client: Any, target: Target | None) -> Target:
    if target is not None:
        return target
    if client is not None:
        return target_of_client(client)
    if url is None:
        raise ValueError("give a url, a client or a target")
    return target_of_url(url)


def _place(name: str, target: Target) -> str:
    return f"{name} ({target.shown})" if name else target.shown


def _options(settings: RedisSettings) -> dict[str, Any]:
    return {
        "target": settings.target(),
        "prefix": settings.prefix,
        "tables": settings.tables,
        "ttl": settings.ttl,
        "wait_replicas": settings.wait_replicas,
        "wait_timeout": settings.wait_timeout,
        "deadline": settings.deadline,
        "connect_timeout": settings.connect_timeout,
        "pool_size": settings.pool_size,
    }
