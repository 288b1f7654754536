"""Each backend alone, under agno's names and with agno's arguments: `from dbrouter.backends import PostgresDb`.

The classes are faces over a store, so their home is the router's room; a backend knows nothing of faces. They are only
named here, and imported when asked for, so this room imports neither the router nor a vendor's client.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbrouter.router.standalone.memory import AsyncInMemoryDb, InMemoryDb
    from dbrouter.router.standalone.postgres import AsyncPostgresDb, PostgresDb
    from dbrouter.router.standalone.sqlite import AsyncSqliteDb, SqliteDb

__all__ = ["AsyncInMemoryDb", "AsyncPostgresDb", "AsyncSqliteDb", "InMemoryDb", "PostgresDb", "SqliteDb"]

_HOMES = {
    "AsyncInMemoryDb": "dbrouter.router.standalone.memory",
    "AsyncPostgresDb": "dbrouter.router.standalone.postgres",
    "AsyncSqliteDb": "dbrouter.router.standalone.sqlite",
    "InMemoryDb": "dbrouter.router.standalone.memory",
    "PostgresDb": "dbrouter.router.standalone.postgres",
    "SqliteDb": "dbrouter.router.standalone.sqlite",
}


def __getattr__(name: str) -> Any:
    """Import a database class when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
