"""What a Redis database is configured with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.redis.connecting import Target, of_a_pool, target_of_url
from dbrouter.backends.secrets import Password, SecretUrl
from dbrouter.backends.settings import DEADLINE, Part, TableNames, meant, refusal

SCHEMES = ("redis", "rediss", "unix")
_PARTS = ("host", "port", "username", "password", "database")
_TLS = ("tls_ca", "tls_certificate", "tls_key", "tls_verify")
_PORT = 6379


def _a_redis_url(url: SecretUrl) -> SecretUrl:
    scheme, found, _ = url.get_secret_value().partition("://")
    if not found or scheme not in SCHEMES:
        raise refusal("this is not a Redis URL", "start it with redis://, rediss:// or unix://")
    pooled = of_a_pool(url.get_secret_value())
    if pooled is not None:
        name, setting = pooled
        raise refusal(f"{name} in a URL is of redis-py's pools, which are not used", f"write the setting {setting}")
    return url


def _a_node(node: str) -> str:
    host, _, port = node.rpartition(":")
    if not host or not port.isdigit():
        raise refusal("a node is not host:port", "write nodes as host:port")
    return node


def _a_lifetime(name: str) -> str:
    known = dict.fromkeys((*TABLES, *(spec.family for spec in TABLES.values())))
    if name not in known:
        raise refusal(f"there is no table or family {name!r}", meant(name, known))
    return name


class RedisSettings(Part):
    """Redis 7 or newer, Valkey, or a cluster, by `url` or by `host`, `port`, `username`, `password` and `database`."""

    kind: Literal["redis"] = "redis"
    """The kind of database."""
    url: Annotated[
        SecretUrl | None,
        AfterValidator(lambda url: url and _a_redis_url(url)),
        WithJsonSchema({"type": "string", "writeOnly": True}),
    ] = None
    """`redis://user:password@host:6379/0`, `rediss://` for TLS, `unix:///path/to/socket`; the password is never shown.
    Not together with `host` ..."""
    host: str | None = None
    """The server's name or address; `localhost` if only the other parts are given."""
    port: Annotated[int | None, Field(ge=1, le=65535)] = None
    """The server's port; 6379 if not given."""
    username: str | None = None
    """The user to connect as, where the server has users (ACL)."""
    password: Annotated[Password | None, WithJsonSchema({"type": "string", "writeOnly": True})] = None
    """The password, never shown. Write a reference: `${REDIS_PASSWORD}` or `${file:/run/secrets/redis}`."""
    database: Annotated[int | None, Field(ge=0)] = None
    """The database's number; 0 if not given. A cluster has only that."""
    cluster: bool = False
    """Whether the servers are a Redis Cluster. The one of `url` or `host` is asked for the others."""
    nodes: tuple[Annotated[str, AfterValidator(_a_node)], ...] = ()
    """Servers of the cluster as `host:port`, to be asked for the others; then neither `url` nor `host` is needed."""
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] = "dbrouter"
    """What all keys begin with: letters, digits, `_`, `.` and `-`."""
    tls: bool = False
    """Whether to speak TLS with `host` or `nodes`. A `url` says it itself: `rediss://`."""
    tls_ca: Path | None = None
    """A file with the certificates to trust, where those of the machine are not the ones."""
    tls_certificate: Path | None = None
    """A file with the certificate to show to the server."""
    tls_key: Path | None = None
    """A file with the key of that certificate."""
    tls_verify: bool = True
    """Whether the server's certificate must be valid for its name. Without, anyone can pass for the server."""
    ttl: dict[Annotated[str, AfterValidator(_a_lifetime)], Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict[str, int]
    )
    """Table or family -> seconds after which a record that was not written to since is gone: `{traces: 604800}`. What
    belongs to a record, as runs to their session, counts as the record; a name that both have is the family's."""
    wait_replicas: Annotated[int, Field(ge=0)] = 0
    """Replicas that must have a write before it is acknowledged; otherwise it raises `Unavailable`."""
    wait_timeout: Annotated[float, Field(gt=0)] = 1.0
    """Seconds to wait for these replicas."""
    pool_size: Annotated[int, Field(ge=1)] = 16
    """Connections in use at once; who comes on top waits, within the deadline."""
    connect_timeout: Annotated[float, Field(gt=0)] = 10.0
    """Seconds to wait for a connection to open."""
    deadline: Annotated[float, Field(gt=0)] = DEADLINE
    """Seconds a call may take before it raises `Unavailable`."""
    tables: TableNames = Field(default_factory=dict[str, str])
    """Table -> its name in this database, where it is not agno's default name."""

    @model_validator(mode="after")
    def _one_address(self) -> RedisSettings:
        given = [part for part in _PARTS if getattr(self, part) is not None]
        if self.url is not None and given:
            raise refusal(f"url and {', '.join(given)} are both given", f"keep url, or {', '.join(_PARTS)}")
        if self.url is None and not given and not self.nodes:
            raise refusal("url is missing", "give url, or host, port, username, password and database")
        if self.nodes and not self.cluster:
            raise refusal("nodes are given, but cluster is not true", "set cluster: true")
        if self.cluster and (self.database or 0) != 0:
            raise refusal("a cluster has no database but 0", "leave database out")
        if self.wait_replicas and self.wait_timeout >= self.deadline:
            raise refusal("wait_timeout is not less than deadline", "wait for replicas for a shorter time")
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise refusal("tls_certificate and tls_key go together", "give both or none")
        self._no_tls_that_is_not_spoken()
        return self

    def _no_tls_that_is_not_spoken(self) -> None:
        """Refuse what says TLS beside an address that does not: passwords and records would go in clear."""
        given = [name for name in _TLS if name in self.model_fields_set and getattr(self, name) is not None]
        if self.url is None:
            if given and not self.tls:
                raise refusal(f"{', '.join(given)} without tls", "write tls: true too, or leave them out")
            return
        scheme = self.url.get_secret_value().partition("://")[0]
        if self.tls:
            given.insert(0, "tls")
        if given and scheme != "rediss":
            raise refusal(f"{', '.join(given)} beside a {scheme}:// URL, which is without TLS", "write rediss://")

    @property
    def calls_at_once(self) -> int:
        """Calls of all tenants together that one process has under way at most: who comes on top waits for a turn."""
        return self.pool_size

    @property
    def max_connections(self) -> int:
        """Connections that one process opens at most to one server, and an async one for each event loop."""
        return self.pool_size

    def target(self) -> Target:
        """The server or cluster, with its credentials: do not show it."""
        nodes = tuple((host.strip("[]"), int(port)) for host, _, port in (node.rpartition(":") for node in self.nodes))
        if self.url is not None:
            url = self.url.get_secret_value()
            return target_of_url(url, cluster=self.cluster, nodes=nodes, **self._tls(url.startswith("rediss://")))
        arguments: dict[str, Any] = {"db": self.database or 0, **self._tls(self.tls)}
        if self.username is not None:
            arguments["username"] = self.username
        if self.password is not None:
            arguments["password"] = self.password.get_secret_value()
        if self.host is not None or not nodes:
            arguments |= {"host": self.host or "localhost", "port": self.port or _PORT}
        return Target(kind="tls" if self.tls else "tcp", arguments=arguments, cluster=self.cluster, nodes=nodes)

    def _tls(self, spoken: bool) -> dict[str, Any]:
        if not spoken:
            return {}
        found: dict[str, Any] = {} if self.tls_verify else {"ssl_cert_reqs": "none", "ssl_check_hostname": False}
        for name, file in (("ca_certs", self.tls_ca), ("certfile", self.tls_certificate), ("keyfile", self.tls_key)):
            if file is not None:
                found[f"ssl_{name}"] = str(file)
        return found

    def shown(self) -> dict[str, Any]:
        """These settings for people: passwords as `***`."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
