"""How servers are reached: what redis-py's connections are made with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from dbrouter.backends.redis.cluster import Address

KEPT = frozenset(
    {"db", "username", "password", "credential_provider", "client_name", "path", "host", "port", "socket_keepalive",
     "socket_keepalive_options", "socket_type"}
)  # fmt: skip
"""What is taken over from a client that somebody else made, beside all that is about TLS. Timeouts are ours."""

_POOLED = {"max_connections": "pool_size", "timeout": "deadline"}
"""What redis-py reads from a URL for its pools, and no connection takes -> the setting for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server, or the servers of a cluster.

    kind: `tcp`, `tls` or `unix`. arguments: of redis-py's connections. nodes: servers of a cluster to ask first.
    """

    kind: str = "tcp"
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    cluster: bool = False
    nodes: Sequence[tuple[str, int]] = ()

    @property
    def start(self) -> tuple[tuple[str, int], ...]:
        """Servers of a cluster to ask first."""
        own = (str(self.arguments.get("host", "localhost")), int(self.arguments.get("port", 6379)))
        return tuple(self.nodes) or (own,)

    @property
    def shown(self) -> str:
        """The server for people: no password is in it."""
        if self.cluster:
            return "redis cluster " + ", ".join(f"{host}:{port}" for host, port in self.start)
        if self.kind == "unix":
            return f"unix://{self.arguments.get('path', '')}"
        scheme = "rediss" if self.kind == "tls" else "redis"
        return f"{scheme}://{self.start[0][0]}:{self.start[0][1]}/{self.arguments.get('db', 0)}"

    def made_with(self, address: Address, *, connect_timeout: float, deadline: float, retry: Any) -> dict[str, Any]:
        """The arguments of a connection to this address."""
        reached = {} if address is None else {"host": address[0], "port": address[1]}
        return {
            "socket_keepalive": True,
            **self.arguments,
            **reached,
            "socket_timeout": deadline,
            "socket_connect_timeout": connect_timeout,
            "decode_responses": False,
            "encoding_errors": "strict",
            "health_check_interval": 0,
            # Lists as lists, and no messages that nobody asked for.
            "protocol": 2,
            # A call has one deadline and its own rules about what may be sent again.
            "retry": retry,
            "retry_on_timeout": False,
            "retry_on_error": [],
        } | ({"socket_keepalive": None} if self.kind == "unix" else {})


def of_a_pool(url: str) -> tuple[str, str] | None:
    """A parameter of the URL that is for redis-py's pools, and the setting that has its place; else `None`."""
    asked = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    return next(((name, setting) for name, setting in _POOLED.items() if name in asked), None)


def target_of_url(url: str, *, cluster: bool = False, nodes: Sequence[tuple[str, int]] = (), **more: Any) -> Target:
    """The server that a `redis://`, `rediss://` or `unix://` URL names. more: arguments beside those of the URL.

    Raises `ValueError` for parameters of redis-py's pools.
    """
    from redis.connection import parse_url

    pooled = of_a_pool(url)
    if pooled is not None:
        name, setting = pooled
        raise ValueError(f"{name} in a URL is of redis-py's pools, which are not used; give {setting} instead")
    found = dict(parse_url(url))
    kinds = {"SSLConnection": "tls", "UnixDomainSocketConnection": "unix"}
    connection: Any = found.pop("connection_class", None)
    kind = kinds.get(getattr(connection, "__name__", ""), "tcp")
    return Target(kind=kind, arguments={**found, **more}, cluster=cluster, nodes=nodes)


def target_of_client(client: Any) -> Target:
    """The server, or the cluster, that a client of redis-py speaks to. Raises `ValueError` if it does not name one."""
    nodes: tuple[tuple[str, int], ...] = ()
    if hasattr(client, "nodes_manager"):
        given = dict(client.nodes_manager.connection_kwargs)
        nodes = tuple((node.host, int(node.port)) for node in client.nodes_manager.startup_nodes.values())
        tls = bool(given.get("ssl")) or "SSL" in str(given.get("connection_class", ""))
        kind = "tls" if tls else "tcp"
    else:
        pool = client.connection_pool
        given = dict(pool.connection_kwargs)
        name = pool.connection_class.__name__
        if "Sentinel" in type(pool).__name__ or "Sentinel" in name:
            raise ValueError(
                "this client asks Redis Sentinel for its server, which is not supported; give the url of the primary"
                ", or of a proxy before it"
            )
        if not given.get("host") and not given.get("path"):
            raise ValueError("this client names no server; make it with a host or a path, or give the url")
        kind = "tls" if "SSL" in name else "unix" if "Unix" in name else "tcp"
    kept = {name: each for name, each in given.items() if name in KEPT or (name.startswith("ssl_") and kind == "tls")}
    if nodes:
        kept.pop("db", None)
    return Target(kind=kind, arguments=kept, cluster=bool(nodes), nodes=nodes)
