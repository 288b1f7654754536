"""A Postgres database as an agno db."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from dbrouter.backends.postgres.store import AsyncPostgresStore, PostgresStore
from dbrouter.router.agno_types import generate_id
from dbrouter.router.async_db import AsyncDb
from dbrouter.router.live import find
from dbrouter.router.opening import Opened
from dbrouter.router.standalone.tables import TableNames, physical_names, table_names_in
from dbrouter.router.sync_db import SyncDb

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

DEFAULT_SCHEMA = "ai"
SECRETS = ("password", "sslpassword", "passfile")
"""Query parameters of a Postgres URL that are nobody's business."""


class PostgresDb(SyncDb):
    """A Postgres database with agno's tables: agno's class of that name can use the same schema."""

    def __init__(
        self,
        db_url: str | None = None,
        db_engine: Engine | None = None,
        db_schema: str | None = None,
        *,
        id: str | None = None,  # noqa: A002 - agno's name
        create_schema: bool = True,
        sandbox_table: str | None = None,
        **tables: Unpack[TableNames],
    ) -> None:
        """Use `db_engine`, else connect to `db_url`; nothing is sent before the first call.

        db_schema: "ai" if not given. create_schema: whether to create it where it is missing. sandbox_table: kept for
        agno, which does not use it on this class. Without an `id`, the same address and schema give the same one, and
        the one that agno's class gives it.
        """
        if db_url is None and db_engine is None:
            raise ValueError("One of db_url or db_engine must be provided")
        self.db_url = db_url
        self.db_schema = db_schema if db_schema is not None else DEFAULT_SCHEMA
        self.create_schema = create_schema
        store = PostgresStore(
            url=db_url if db_engine is None else None,
            engine=db_engine,
            schema=self.db_schema,
            create_schema=create_schema,
            tables=physical_names(tables),
        )
        self.db_engine = store.engine
        super().__init__(store, id=id or _id(db_url, db_engine, self.db_schema))
        self.sandbox_table_name = sandbox_table or f"{self.session_table_name}_sandbox_bindings"

    def to_dict(self) -> dict[str, Any]:
        """What agno stores of this db beside a component, as its own class has it, but without the password."""
        return {
            **super().to_dict(),
            "db_url": without_password(self.db_url),
            "db_schema": self.db_schema,
            "sandbox_table": self.sandbox_table_name,
            "type": "postgres",
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> PostgresDb:
        """The open db that `to_dict` described, else a new one: without a password, which no dict of ours holds."""
        live = find(cls, data.get("id"))
        if live is not None and live.to_dict() == data:
            return live
        return cls(
            data.get("db_url"),
            None,
            data.get("db_schema"),
            id=data.get("id"),
            sandbox_table=data.get("sandbox_table"),
            **table_names_in(data),
        )


class AsyncPostgresDb(AsyncDb):
    """A Postgres database with agno's tables, through psycopg's async connections."""

    def __init__(
        self,
        id: str | None = None,  # noqa: A002 - agno's name, and agno has it first here
        db_url: str | None = None,
        db_engine: AsyncEngine | None = None,
        db_schema: str | None = None,
        *,
        create_schema: bool = True,
        sandbox_table: str | None = None,
        **tables: Unpack[TableNames],
    ) -> None:
        """Use `db_engine`, else connect to `db_url`; nothing is sent before the first call. Arguments as above."""
        if db_url is None and db_engine is None:
            raise ValueError("One of db_url or db_engine must be provided")
        self.db_url = db_url
        self.db_schema = db_schema if db_schema is not None else DEFAULT_SCHEMA
        self.create_schema = create_schema
        names = physical_names(tables)
        store = AsyncPostgresStore(
            url=db_url if db_engine is None else None,
            engine=db_engine,
            schema=self.db_schema,
            create_schema=create_schema,
            tables=names,
        )

        def blocking() -> Opened:
            schema = self.db_schema
            return Opened.alone(PostgresStore(url=db_url, schema=schema, create_schema=create_schema, tables=names))

        # An engine of your own has async connections only.
        once_more = blocking if db_engine is None else None
        super().__init__(store, id=id or _id(db_url, db_engine, self.db_schema), blocking=once_more)
        self.sandbox_table_name = sandbox_table or f"{self.session_table_name}_sandbox_bindings"

    def to_dict(self) -> dict[str, Any]:
        """What agno stores of this db beside a component, as its own class has it, but without the password."""
        return {
            **super().to_dict(),
            "db_url": without_password(self.db_url),
            "db_schema": self.db_schema,
            "type": "async_postgres",
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> AsyncPostgresDb:
        """The open db that `to_dict` described, else a new one: without a password, which no dict of ours holds."""
        live = find(cls, data.get("id"))
        if live is not None and live.to_dict() == data:
            return live
        return cls(data.get("id"), data.get("db_url"), None, data.get("db_schema"), **table_names_in(data))


def without_password(url: str | None) -> str | None:
    """The URL without the passwords in it."""
    from sqlalchemy import make_url

    if url is None:
        return None
    # `URL.set` takes `None` for "unchanged".
    bare = make_url(url)._replace(password=None).difference_update_query(SECRETS)
    return bare.render_as_string(hide_password=False)


def _id(db_url: str | None, db_engine: Engine | AsyncEngine | None, schema: str) -> str:
    """The id that agno's class gives the same database."""
    return generate_id(f"{db_url or (db_engine and str(db_engine.url))}#{schema}")
