"""A MySQL or MariaDB database as an agno db."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from dbrouter.backends.mysql.store import AsyncMySqlStore, MySqlStore
from dbrouter.router.agno_types import generate_id
from dbrouter.router.async_db import AsyncDb
from dbrouter.router.live import find
from dbrouter.router.opening import Opened
from dbrouter.router.standalone.postgres import without_password
from dbrouter.router.standalone.tables import TableNames, physical_names, table_names_in
from dbrouter.router.sync_db import SyncDb

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

DEFAULT_SCHEMA = "ai"


class MySQLDb(SyncDb):
    """A MySQL or MariaDB database with agno's tables: agno's class of that name can use the same one."""

    def __init__(
        self,
        id: str | None = None,  # noqa: A002 - agno's name
        db_engine: Engine | None = None,
        db_schema: str | None = None,
        db_url: str | None = None,
        *,
        create_schema: bool = True,
        **tables: Unpack[TableNames],
    ) -> None:
        """Use `db_engine`, else connect to `db_url`; nothing is sent before the first call.

        db_schema: the database that holds the tables, "ai" if not given; that of the URL has no meaning, as in agno.
        create_schema: whether to create it where it is missing. Without an `id`, the same address and database give the
        same one, and the one that agno's class gives it.
        """
        if db_url is None and db_engine is None:
            raise ValueError("One of db_url or db_engine must be provided")
        self.db_url = db_url
        self.db_schema = db_schema if db_schema is not None else DEFAULT_SCHEMA
        self.create_schema = create_schema
        store = MySqlStore(
            url=db_url if db_engine is None else None,
            engine=db_engine,
            schema=self.db_schema,
            create_schema=create_schema,
            tables=physical_names(tables),
        )
        self.db_engine = store.engine
        super().__init__(store, id=id or id_of(db_url, db_engine, self.db_schema))

    def to_dict(self) -> dict[str, Any]:
        """What agno stores of this db beside a component, as its own class has it, but without the password."""
        return {
            **super().to_dict(),
            "db_url": without_password(self.db_url),
            "db_schema": self.db_schema,
            "type": "mysql",
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> MySQLDb:
        """The open db that `to_dict` described, else a new one: without a password, which no dict of ours holds."""
        live = find(cls, data.get("id"))
        if live is not None and live.to_dict() == data:
            return live
        return cls(data.get("id"), None, data.get("db_schema"), data.get("db_url"), **table_names_in(data))


class AsyncMySQLDb(AsyncDb):
    """A MySQL or MariaDB database with agno's tables, through asyncmy."""

    def __init__(
        self,
        id: str | None = None,  # noqa: A002 - agno's name
        db_url: str | None = None,
        db_engine: AsyncEngine | None = None,
        db_schema: str | None = None,
        *,
        create_schema: bool = True,
        **tables: Unpack[TableNames],
    ) -> None:
        """Use `db_engine`, else connect to `db_url`; nothing is sent before the first call. Arguments as above."""
        if db_url is None and db_engine is None:
            raise ValueError("One of db_url or db_engine must be provided")
        self.db_url = db_url
        self.db_schema = db_schema if db_schema is not None else DEFAULT_SCHEMA
        self.create_schema = create_schema
        names = physical_names(tables)
        store = AsyncMySqlStore(
            url=db_url if db_engine is None else None,
            engine=db_engine,
            schema=self.db_schema,
            create_schema=create_schema,
            tables=names,
        )

        def blocking() -> Opened:
            schema = self.db_schema
            return Opened.alone(MySqlStore(url=db_url, schema=schema, create_schema=create_schema, tables=names))

        # An engine of your own has async connections only.
        once_more = blocking if db_engine is None else None
        super().__init__(store, id=id or id_of(db_url, db_engine, self.db_schema), blocking=once_more)

    def to_dict(self) -> dict[str, Any]:
        """What agno stores of this db beside a component, as its own class has it, but without the password."""
        return {
            **super().to_dict(),
            "db_url": without_password(self.db_url),
            "db_schema": self.db_schema,
            "type": "async_mysql",
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> AsyncMySQLDb:
        """The open db that `to_dict` described, else a new one: without a password, which no dict of ours holds."""
        live = find(cls, data.get("id"))
        if live is not None and live.to_dict() == data:
            return live
        return cls(data.get("id"), data.get("db_url"), None, data.get("db_schema"), **table_names_in(data))


def id_of(db_url: str | None, db_engine: Engine | AsyncEngine | None, schema: str) -> str:
    """The id that agno's class gives the same database."""
    return generate_id(f"{db_url or (db_engine and str(db_engine.url))}#{schema}")
