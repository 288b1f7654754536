"""What a MySQL database is configured with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import quote

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from dbrouter.backends.secrets import Password, SecretUrl
from dbrouter.backends.settings import DEADLINE, Part, TableNames, one_reading, refusal

if TYPE_CHECKING:
    from dbrouter.backends.mysql.engines import Tls

_PARTS = ("host", "port", "user", "password")
_HOST = "localhost"
_PORT = 3306


def a_url_of(*schemes: str) -> Callable[[SecretUrl | None], SecretUrl | None]:
    """A check that a URL begins with one of these schemes, or with one and a driver behind it."""

    def checked(url: SecretUrl | None) -> SecretUrl | None:
        if url is None:
            return None
        scheme, found, _ = url.get_secret_value().partition("://")
        # SQLAlchemy's form names a driver, `mysql+pymysql://`; agno's users have such URLs.
        if not found or scheme.partition("+")[0] not in schemes:
            raise refusal(f"this is not a {schemes[0]} URL", f"start it with {schemes[0]}://")
        return one_reading(url)

    return checked


class ServerSettings(Part):
    """A server that speaks MySQL's protocol, by `url` or by `host`, `port`, `user` and `password`."""

    host: str | None = None
    """The server's name or address; `localhost` if only the other parts are given."""
    port: Annotated[int | None, Field(ge=1, le=65535)] = None
    """The server's port; 3306 if not given."""
    user: str | None = None
    """The user to connect as."""
    password: Annotated[Password | None, WithJsonSchema({"type": "string", "writeOnly": True})] = None
    """The user's password, never shown. Write a reference: `${MYSQL_PWD}` or `${file:/run/secrets/mysql}`."""
    schema_name: Annotated[str, Field(alias="schema", min_length=1, max_length=63)] = "ai"
    """The database that holds the tables; agno's default is `ai`. Tenants with a database of their own have one called
    `<schema>$<tenant>` beside it."""
    create_schema: bool = True
    """Whether to create the database where it is missing."""
    ssl_ca: Path | None = None
    """The file of the authorities whose certificates are trusted. With any `ssl` key connections are encrypted."""
    ssl_cert: Path | None = None
    """The file of the client's certificate, if the server asks for one."""
    ssl_key: Path | None = None
    """The file of the key to `ssl_cert`."""
    ssl_verify: Literal["identity", "ca", "none"] | None = None
    """What is asked of the server's certificate: to be for this host, only to be signed by a trusted authority, or
    nothing. `identity` where another `ssl` key is given."""
    pool_size: Annotated[int, Field(ge=1)] = 5
    """Connections kept open; where tenants share the database, also how many of their calls it works on at once."""
    max_overflow: Annotated[int, Field(ge=0)] = 10
    """Connections opened beyond `pool_size` when all of those are busy, and closed again."""
    connect_timeout: Annotated[float, Field(gt=0)] = 10.0
    """Seconds to wait for a connection to open."""
    deadline: Annotated[float, Field(gt=0)] = DEADLINE
    """Seconds a call may take before it raises `Unavailable`. Deadlocks and waits for locks are tried again within."""
    tables: TableNames = Field(default_factory=dict[str, str])
    """Table -> its name in this database, where it is not agno's default name."""

    @model_validator(mode="after")
    def _a_key_with_its_certificate(self) -> ServerSettings:
        if self.ssl_key is not None and self.ssl_cert is None:
            raise refusal("ssl_key is given without ssl_cert", "name the certificate that the key belongs to")
        if self.ssl_verify == "none" and self.ssl_ca is not None:
            raise refusal("ssl_ca is given, and ssl_verify is none", "leave one of them out")
        return self

    def _checked_address(self, url: SecretUrl | None) -> None:
        given = [part for part in _PARTS if getattr(self, part) is not None]
        if url is not None and given:
            raise refusal(f"url and {', '.join(given)} are both given", f"keep url, or {', '.join(_PARTS)}")
        if url is None and not given:
            raise refusal("url is missing", "give url, or host, port, user and password")

    def _address(self, scheme: str) -> str:
        who = quote(self.user, safe="") if self.user else ""
        if self.password is not None:
            who += ":" + quote(self.password.get_secret_value(), safe="")
        host = self.host or _HOST
        # An IPv6 address needs brackets.
        where = f"[{host}]" if ":" in host else quote(host, safe="")
        return f"{scheme}://{who}{'@' if who else ''}{where}:{self.port or _PORT}"

    def tls(self) -> Tls | None:
        """How connections are encrypted; `None`: as the URL says, else as server and client agree."""
        from dbrouter.backends.mysql.engines import Tls

        if (self.ssl_ca, self.ssl_cert, self.ssl_verify) == (None, None, None):
            return None
        verify = self.ssl_verify or "identity"
        ca, cert, key = (None if each is None else str(each) for each in (self.ssl_ca, self.ssl_cert, self.ssl_key))
        return Tls(ca=ca, cert=cert, key=key, verify=verify != "none", hostname=verify == "identity")

    @property
    def max_connections(self) -> int:
        """Connections that one process opens at most, and an async one for each event loop; see the store's."""
        return self.pool_size + self.max_overflow

    @property
    def calls_at_once(self) -> int:
        """Calls of all tenants together that one process has under way at most: who comes on top waits for a turn."""
        return self.pool_size

    def shown(self) -> dict[str, Any]:
        """These settings for people: passwords as `***`."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class MySqlSettings(ServerSettings):
    """A MySQL or MariaDB database, by `url` or by `host`, `port`, `user` and `password`."""

    kind: Literal["mysql"] = "mysql"
    """The kind of database."""
    url: Annotated[
        SecretUrl | None,
        AfterValidator(a_url_of("mysql", "mariadb")),
        WithJsonSchema({"type": "string", "writeOnly": True}),
    ] = None
    """`mysql://user:password@host:3306`; the password is never shown. A database in it is not used: see `schema`. Not
    together with `host` ..."""

    @model_validator(mode="after")
    def _one_address(self) -> MySqlSettings:
        self._checked_address(self.url)
        return self

    def address(self) -> str:
        """The URL for a client, password included: do not show it."""
        return self._address("mysql") if self.url is None else self.url.get_secret_value()
