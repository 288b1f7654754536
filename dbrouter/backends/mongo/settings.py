"""What a MongoDB database is configured with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, quote_plus

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from dbrouter.backends.secrets import Password, SecretUrl
from dbrouter.backends.settings import DEADLINE, Part, TableNames, refusal

SCHEMES = ("mongodb", "mongodb+srv")
_PARTS = ("host", "port", "username", "password", "replica_set")
_HOST = "localhost"
_PORT = 27017
_NOT_IN_A_NAME = frozenset('/\\. "$*<>:|?\0')
_SHARE = 2
"""Connections that a call uses at once: many ask two things side by side."""


def _a_mongo_url(url: SecretUrl) -> SecretUrl:
    scheme, found, rest = url.get_secret_value().partition("://")
    if not found or scheme not in SCHEMES or not rest:
        raise refusal("this is not a MongoDB URL", "start it with mongodb:// or mongodb+srv://")
    return url


def _a_database_name(name: str) -> str:
    if _NOT_IN_A_NAME & set(name) or len(name.encode()) > 63:
        raise refusal("this is no name of a MongoDB database", 'leave out / \\ . " $ * < > : | ? and blanks; 63 bytes')
    return name


def options_in(url: str) -> frozenset[str]:
    """The options in a URL, in small letters: MongoDB does not mind the case."""
    return frozenset(name.lower() for name, _ in parse_qsl(url.partition("?")[2], keep_blank_values=True))


def has_transactions(url: str | None, options: Mapping[str, Any] | None) -> bool:
    """Whether an address is one of a deployment that has transactions: with a replica set named, or from DNS."""
    said = (url or "").lower()
    return said.startswith("mongodb+srv://") or "replicaset=" in said or "replicaSet" in (options or {})


class MongoSettings(Part):
    """A MongoDB database, by `url` or by `host`, `port`, `username`, `password` and `replica_set`."""

    kind: Literal["mongo"] = "mongo"
    """The kind of database."""
    url: Annotated[
        SecretUrl | None,
        AfterValidator(lambda url: url and _a_mongo_url(url)),
        WithJsonSchema({"type": "string", "writeOnly": True}),
    ] = None
    """`mongodb://user:password@host:27017/?replicaSet=rs0` or `mongodb+srv://...`; the password is never shown. What
    stands in it is stronger than the options below. Not together with `host` ..."""
    host: str | None = None
    """The server's name or address; several with commas. `localhost` if only the other parts are given."""
    port: Annotated[int | None, Field(ge=1, le=65535)] = None
    """The server's port; 27017 if not given."""
    username: str | None = None
    """The user to connect as."""
    password: Annotated[Password | None, WithJsonSchema({"type": "string", "writeOnly": True})] = None
    """The user's password, never shown. Write a reference: `${MONGO_PASSWORD}` or `${file:/run/secrets/mongo}`."""
    auth_source: str | None = None
    """The database that knows the user; `admin` if not given."""
    replica_set: str | None = None
    """The replica set's name."""
    database: Annotated[str, Field(min_length=1), AfterValidator(_a_database_name)] = "agno"
    """The database's name on the server; agno's default is `agno`. Tenants of their own get databases
    `<database>-<tenant>` beside it."""
    transactions: bool | Literal["auto"] = "auto"
    """Whether the deployment has transactions: a replica set or a sharded cluster has, a server alone has not. `auto`:
    as `url` or `replica_set` say: yes with a replica set named, or `mongodb+srv://`."""
    tls: bool | None = None
    """Whether to connect with TLS; `mongodb+srv://` does."""
    tls_ca_file: Path | None = None
    """A file with the certificates of the authorities to trust, where the system's are not enough."""
    tls_certificate_key_file: Path | None = None
    """A file with this client's certificate and its key, for servers that ask for one."""
    read_preference: Literal["primary", "primaryPreferred", "secondary", "secondaryPreferred", "nearest"] = "primary"
    """Which members are read from. All but `primary` may answer with what was so a moment ago."""
    read_concern: Literal["local", "available", "majority", "linearizable"] | None = None
    """What a read has to know of the other members; the server's default if not given."""
    write_concern: Literal["majority"] | Annotated[int, Field(ge=1)] = "majority"
    """How many members must have a write before it is acknowledged. Fewer than a majority can lose it."""
    pool_size: Annotated[int, Field(ge=1)] = 20
    """Connections kept open to each server at most."""
    connect_timeout: Annotated[float, Field(gt=0)] = 10.0
    """Seconds to wait for a connection to open."""
    deadline: Annotated[float, Field(gt=0)] = DEADLINE
    """Seconds a call may take, waiting for a server and retries included, before it raises `Unavailable`."""
    tables: TableNames = Field(default_factory=dict[str, str])
    """Table -> its collection's name, where it is not agno's default name."""

    @model_validator(mode="after")
    def _one_address(self) -> MongoSettings:
        given = [part for part in _PARTS if getattr(self, part) is not None]
        if self.url is not None and given:
            raise refusal(f"url and {', '.join(given)} are both given", f"keep url, or {', '.join(_PARTS)}")
        if self.url is None and not given:
            raise refusal("url is missing", "give url, or host, port, username, password and replica_set")
        if self.password is not None and self.username is None:
            raise refusal("password is given without username", "name the user whose password it is")
        return self

    @property
    def has_transactions(self) -> bool:
        """Whether the deployment has transactions, as far as it is said."""
        if self.transactions != "auto":
            return self.transactions
        return has_transactions(self.address(), self.options())

    def address(self) -> str:
        """The URL for a client, password included: do not show it."""
        if self.url is not None:
            return self.url.get_secret_value()
        who = quote_plus(self.username) if self.username else ""
        if self.password is not None:
            who += ":" + quote_plus(self.password.get_secret_value())
        hosts = ",".join(self._with_port(each.strip()) for each in (self.host or _HOST).split(","))
        return f"mongodb://{who}{'@' if who else ''}{hosts}/"

    def options(self) -> dict[str, Any]:
        """Options of pymongo's, those left out that the URL says."""
        wanted: dict[str, Any] = {
            "replicaSet": self.replica_set,
            "authSource": self.auth_source,
            "tls": self.tls,
            "tlsCAFile": self.tls_ca_file,
            "tlsCertificateKeyFile": self.tls_certificate_key_file,
            "readPreference": self.read_preference,
            "readConcernLevel": self.read_concern,
            "w": self.write_concern,
            "maxPoolSize": self.pool_size,
            "connectTimeoutMS": round(self.connect_timeout * 1000),
        }
        said = frozenset[str]() if self.url is None else options_in(self.url.get_secret_value())
        return {
            name: str(value) if isinstance(value, Path) else value
            for name, value in wanted.items()
            if value is not None and name.lower() not in said
        }

    @property
    def calls_at_once(self) -> int:
        """Calls of all tenants together that one process has under way at most."""
        return max(1, self.pool_size // _SHARE)

    def shown(self) -> dict[str, Any]:
        """These settings for people: passwords as `***`."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    def _with_port(self, host: str) -> str:
        bare = f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host
        return bare if bare.rpartition(":")[2].isdigit() and not bare.endswith("]") else f"{bare}:{self.port or _PORT}"
