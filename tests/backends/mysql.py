"""MySQL: a database, and those of its tenants, whose names begin with its name. On MariaDB, and on MySQL itself."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

from tests.backends.backend import Backend, Row, Settings

BETWEEN = "$"


def _settings(url: str, name: str) -> Settings:
    return {"kind": "mysql", "url": url, "schema": name}


@contextmanager
def _admin(url: str) -> Generator[Any]:
    import pymysql

    where = urlsplit(url)
    opened = pymysql.connect(
        host=where.hostname,
        port=where.port or 3306,
        user="root",
        charset="utf8mb4",
        autocommit=True,
        # Not even looked for: pymysql would read the system's authorities each time.
        ssl_disabled=True,
    )
    with closing(opened) as connection, connection.cursor() as cursor:
        # A store that was closed and still holds a lock is a fault to report, not to wait for.
        cursor.execute("set lock_wait_timeout = 10, foreign_key_checks = 0")
        yield cursor


def _databases(cursor: Any, name: str) -> list[str]:
    cursor.execute("select schema_name from information_schema.schemata")
    return [found for (found,) in cursor.fetchall() if found == name or found.startswith(f"{name}{BETWEEN}")]


def _tables(cursor: Any, database: str) -> list[str]:
    cursor.execute("select table_name from information_schema.tables where table_schema = %s", (database,))
    return [found for (found,) in cursor.fetchall()]


def drop(url: str, name: str) -> None:
    """Remove the database and those of its tenants."""
    with _admin(url) as cursor:
        for database in _databases(cursor, name):
            cursor.execute(f"drop database `{database}`")


def empty(url: str, name: str) -> None:
    """Remove all rows."""
    with _admin(url) as cursor:
        for database in _databases(cursor, name):
            for table in _tables(cursor, database):
                cursor.execute(f"delete from `{database}`.`{table}`")


def rows(url: str, name: str) -> Iterator[Row]:
    """Every row, read with pymysql."""
    with _admin(url) as cursor:
        for database in _databases(cursor, name):
            namespace = None if database == name else database.rpartition(BETWEEN)[2]
            for table in _tables(cursor, database):
                cursor.execute(f"select * from `{database}`.`{table}`")
                columns = [each[0] for each in cursor.description]
                for row in cursor.fetchall():
                    yield namespace, f"{database}.{table}", dict(zip(columns, row, strict=True))


BACKENDS = (
    Backend(
        name="mysql",
        kind="mysql",
        server="mariadb",
        settings=_settings,
        drop=drop,
        empty=empty,
        rows=rows,
        lasts=True,
    ),
    Backend(
        name="mysql itself",
        kind="mysql",
        server="mysql",
        settings=_settings,
        drop=drop,
        empty=empty,
        rows=rows,
        lasts=True,
    ),
)
