"""What a Postgres database is configured with."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from dbrouter.backends.secrets import Password, SecretUrl
from dbrouter.backends.settings import DEADLINE, Part, TableNames, one_reading, refusal

SCHEMES = ("postgresql", "postgres")
_PARTS = ("host", "port", "user", "password", "database")
_HOST = "localhost"
_PORT = 5432


def _a_postgres_url(url: SecretUrl) -> SecretUrl:
    scheme, found, _ = url.get_secret_value().partition("://")
    # SQLAlchemy's form names a driver, `postgresql+psycopg://`; agno's users have such URLs.
    if not found or scheme.partition("+")[0] not in SCHEMES:
        raise refusal("this is not a Postgres URL", "start it with postgresql://")
    return one_reading(url)


class PostgresSettings(Part):
    """A Postgres database, by `url` or by `host`, `port`, `user`, `password` and `database`."""

    kind: Literal["postgres"] = "postgres"
    """The kind of database."""
    url: Annotated[
        SecretUrl | None,
        AfterValidator(lambda url: url and _a_postgres_url(url)),
        WithJsonSchema({"type": "string", "writeOnly": True}),
    ] = None
    """`postgresql://user:password@host:5432/database`; the password is never shown. Not together with `host` ..."""
    host: str | None = None
    """The server's name or address; `localhost` if only the other parts are given."""
    port: Annotated[int | None, Field(ge=1, le=65535)] = None
    """The server's port; 5432 if not given."""
    user: str | None = None
    """The role to connect as."""
    password: Annotated[Password | None, WithJsonSchema({"type": "string", "writeOnly": True})] = None
    """The role's password, never shown. Write a reference: `${PGPASSWORD}` or `${file:/run/secrets/pg}`."""
    database: str | None = None
    """The database's name on the server."""
    schema_name: Annotated[str, Field(alias="schema", min_length=1, max_length=63)] = "ai"
    """The schema that holds the tables; agno's default is `ai`."""
    create_schema: bool = True
    """Whether to create the schema where it is missing."""
    pool_size: Annotated[int, Field(ge=1)] = 5
    """Connections kept open; where tenants share the database, also how many of their calls it works on at once."""
    max_overflow: Annotated[int, Field(ge=0)] = 10
    """Connections opened beyond `pool_size` when all of those are busy, and closed again."""
    server_max_connections: Annotated[int | None, Field(ge=1)] = None
    """Connections that the server lets this deployment have: its `max_connections`, less what others need. Given, a
    file that could open more is refused, with the sum. Databases with one host and port share them."""
    connect_timeout: Annotated[float, Field(gt=0)] = 10.0
    """Seconds to wait for a connection to open."""
    deadline: Annotated[float, Field(gt=0)] = DEADLINE
    """Seconds a call may take before it raises `Unavailable`. Deadlocks and waits for locks are tried again within."""
    prepared_statements: bool = True
    """Whether the server keeps often used statements prepared. Behind a pooler such as PgBouncer, which is noticed when
    a connection opens, none is prepared all the same; `false` spares the question."""
    owner_url: Annotated[
        SecretUrl | None,
        AfterValidator(lambda url: url and _a_postgres_url(url)),
        WithJsonSchema({"type": "string", "writeOnly": True}),
    ] = None
    """The role that makes and owns the tables, `postgresql://owner:password@host:5432/database`. It is connected only
    while tables are made; the role of `url` may then use them, and neither drop them nor lift their row security."""
    row_level_security: bool = True
    """Whether the server, too, holds back other tenants' rows in tables that tenants share (`isolation: rows`). It asks
    for a role without SUPERUSER and BYPASSRLS; with `false` only the filters of dbrouter keep the tenants apart."""
    tables: TableNames = Field(default_factory=dict[str, str])
    """Table -> its name in this database, where it is not agno's default name."""

    @model_validator(mode="after")
    def _one_address(self) -> PostgresSettings:
        given = [part for part in _PARTS if getattr(self, part) is not None]
        if self.url is not None and given:
            raise refusal(f"url and {', '.join(given)} are both given", f"keep url, or {', '.join(_PARTS)}")
        if self.url is None and self.database is None:
            missing = "database" if given else "url"
            raise refusal(f"{missing} is missing", "give url, or host, port, user, password and database")
        if self.owner_url is not None and not self._names_a_user():
            raise refusal("owner_url is given, and url names no user", "name the role that shall use the tables")
        return self

    def address(self) -> str:
        """The URL for a client, `postgresql://...`, password included: do not show it."""
        if self.url is not None:
            return "postgresql://" + self.url.get_secret_value().partition("://")[2]
        who = quote(self.user, safe="") if self.user else ""
        if self.password is not None:
            who += ":" + quote(self.password.get_secret_value(), safe="")
        host = self.host or _HOST
        # An IPv6 address needs brackets; a socket folder goes in percent-encoded.
        where = f"[{host}]" if ":" in host else quote(host, safe="")
        return (
            f"postgresql://{who}{'@' if who else ''}{where}:{self.port or _PORT}/{quote(self.database or '', safe='')}"
        )

    @property
    def max_connections(self) -> int:
        """Connections that one process opens at most, and an async one for each event loop; see the store's."""
        return self.pool_size + self.max_overflow + (self.owner_url is not None)

    @property
    def calls_at_once(self) -> int:
        """Calls of all tenants together that one process has under way at most: who comes on top waits for a turn.

        Not the overflow: each of its connections is opened for a call and closed again, and a flood of them makes a
        quiet tenant wait ten times as long for little more throughput (`benchmarks/fairness.py`).
        """
        return self.pool_size

    def _names_a_user(self) -> bool:
        if self.url is None:
            return self.user is not None
        who, at, _ = self.url.get_secret_value().partition("://")[2].partition("/")[0].rpartition("@")
        return bool(at and who.partition(":")[0])

    def shown(self) -> dict[str, Any]:
        """These settings for people: passwords as `***`."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
