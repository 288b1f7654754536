"""A SQLite database as an agno db."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from dbrouter.backends.sqlite.store import AsyncSqliteStore, SqliteStore
from dbrouter.router.agno_types import generate_id
from dbrouter.router.async_db import AsyncDb
from dbrouter.router.opening import Opened
from dbrouter.router.standalone.tables import TableNames, physical_names, table_names_in
from dbrouter.router.sync_db import SyncDb

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

DEFAULT_FILE = "agno.db"
"""The file, in the current directory, when nothing is given: agno's."""


class SqliteDb(SyncDb):
    """A SQLite database with agno's tables: agno's class of that name can open the same file."""

    def __init__(
        self,
        db_file: str | None = None,
        db_engine: Engine | None = None,
        db_url: str | None = None,
        *,
        id: str | None = None,  # noqa: A002 - agno's name
        **tables: Unpack[TableNames],
    ) -> None:
        """Open `db_engine`, else `db_url`, else `db_file`, else `agno.db` in the current directory.

        Without an `id`, the same address gives the same one, and the one that agno's class gives it.
        """
        seed = db_url or db_file or (str(db_engine.url) if db_engine else f"sqlite:///{DEFAULT_FILE}")
        self.db_file = _file(db_file, given=db_engine is not None or db_url is not None)
        self.db_url = db_url
        store = SqliteStore(
            None if db_engine is not None or db_url else self.db_file,
            url=db_url,
            engine=db_engine,
            tables=physical_names(tables),
        )
        self.db_engine = store.engine
        super().__init__(store, id=id or generate_id(seed))

    def to_dict(self) -> dict[str, Any]:
        """What agno stores of this db beside a component, as its own class has it."""
        return {**super().to_dict(), "db_file": self.db_file, "db_url": self.db_url, "type": "sqlite"}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> SqliteDb:
        """Open what `to_dict` described."""
        return cls(data.get("db_file"), None, data.get("db_url"), id=data.get("id"), **table_names_in(data))


class AsyncSqliteDb(AsyncDb):
    """A SQLite database with agno's tables, through aiosqlite."""

    def __init__(
        self,
        db_file: str | None = None,
        db_engine: AsyncEngine | None = None,
        db_url: str | None = None,
        *,
        id: str | None = None,  # noqa: A002 - agno's name
        **tables: Unpack[TableNames],
    ) -> None:
        """Open `db_engine`, else `db_url`, else `db_file`, else `agno.db` in the current directory.

        Without an `id`, the same address gives the same one, and the one that agno's class gives it.
        """
        seed = db_url or db_file or (str(db_engine.url) if db_engine else f"sqlite+aiosqlite:///{DEFAULT_FILE}")
        self.db_file = _file(db_file, given=db_engine is not None or db_url is not None)
        self.db_url = db_url
        names = physical_names(tables)
        store = AsyncSqliteStore(
            None if db_engine is not None or db_url else self.db_file,
            url=db_url,
            engine=db_engine,
            tables=names,
        )

        def blocking() -> Opened:
            url = db_url if db_engine is None else str(db_engine.url)
            return Opened.alone(SqliteStore(self.db_file, url=url, tables=names))

        # Memory is of the connections that have it.
        super().__init__(store, id=id or generate_id(seed), blocking=None if store.is_in_memory else blocking)

    def to_dict(self) -> dict[str, Any]:
        """What agno stores of this db beside a component, as its own class has it."""
        return {**super().to_dict(), "db_file": self.db_file, "db_url": self.db_url, "type": "async_sqlite"}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> AsyncSqliteDb:
        """Open what `to_dict` described."""
        return cls(data.get("db_file"), None, data.get("db_url"), id=data.get("id"), **table_names_in(data))


def _file(db_file: str | None, *, given: bool) -> str | None:
    """The file as an absolute path; `given`: what to open is said otherwise, a file then only if it is named."""
    if given:
        return db_file
    return str(Path(db_file or DEFAULT_FILE).resolve())
