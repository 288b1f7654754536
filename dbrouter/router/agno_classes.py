"""agno's own classes over databases of ours, for what agno does with them and with nothing else.

Import it inside a function.
"""

from __future__ import annotations

import inspect
from typing import Any

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.errors import RoutingError
from dbrouter.backends.kernel.store import Store
from dbrouter.router.any_agno.store import AgnoStore

KINDS = ("postgres", "sqlite")


def agnos_own(driver: Store, *, kind: str, name: str, id_: str, asynchronous: bool) -> Any:
    """An object of agno's class for this kind, over the same database, schema and tables.

    It has connections of its own, opened when it is first used and to be closed by whoever asked for it.
    `RoutingError` for a kind that those features of agno's do not know either.
    """
    if isinstance(driver, AgnoStore):
        return driver.methods.instances.here()
    match kind:
        case "postgres":
            given = {"db_url": _address(driver, "postgresql+psycopg"), "db_schema": _schema(driver)}
            return _made(_class(kind, asynchronous=asynchronous), driver, id=id_, **given)
        case "sqlite":
            address: Any = getattr(driver, "address")  # noqa: B009  # of this driver, which is imported on use
            if not address.database or address.database == ":memory:" or "mode" in address.query:
                raise RoutingError(f"{name} is in memory, where nobody else can reach it; give it a path")
            drivername = "sqlite+aiosqlite" if asynchronous else "sqlite"
            given = {"db_url": _address(driver, drivername)}
            return _made(_class(kind, asynchronous=asynchronous), driver, id=id_, **given)
        case _:
            raise RoutingError(
                f"{name} is of kind {kind}, and agno has these features on {' and '.join(KINDS)} only; name such a"
                " database, or make an object of agno's class yourself"
            )


def _class(kind: str, *, asynchronous: bool) -> Any:
    if kind == "postgres":
        from agno.db.postgres import AsyncPostgresDb, PostgresDb

        return AsyncPostgresDb if asynchronous else PostgresDb
    from agno.db.sqlite import AsyncSqliteDb, SqliteDb

    return AsyncSqliteDb if asynchronous else SqliteDb


def _address(driver: Store, drivername: str) -> str:
    address: Any = getattr(driver, "address")  # noqa: B009
    return str(address.set(drivername=drivername).render_as_string(hide_password=False))


def _schema(driver: Store) -> str:
    dialect: Any = getattr(driver, "dialect")  # noqa: B009
    return str(dialect.schema)


def _made(cls: Any, driver: Store, **given: Any) -> Any:
    """An object of the class that is told the names of all tables: from some that it is told it makes up others."""
    taken = inspect.signature(cls.__init__).parameters
    named = {spec.attribute.removesuffix("_name"): driver.physical_name(spec.name) for spec in TABLES.values()}
    return cls(**given, **{key: each for key, each in named.items() if key in taken})
