"""Postgres: a schema, and schemas of tenants whose names begin with its name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from scripts.servers import OWNER
from scripts.servers.roles import url_as
from tests.backends.backend import Backend, Row, Settings

if TYPE_CHECKING:
    from psycopg import Connection


def _settings(url: str, name: str) -> Settings:
    # An ordinary role, which row-level security holds for.
    return {"kind": "postgres", "url": url_as(OWNER, url), "schema": name}


@contextmanager
def _admin(url: str) -> Iterator[Connection[Any]]:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        # A store that was closed and still holds a lock is a fault to report, not to wait for.
        connection.execute("set lock_timeout = '10s'")
        yield connection


def _schemas(connection: Connection[Any], name: str) -> list[str]:
    found = connection.execute(
        r"select nspname from pg_namespace where nspname = %s or starts_with(nspname, %s)", (name, f"{name}_")
    )
    return [schema for (schema,) in found.fetchall()]


def _drop(url: str, name: str) -> None:
    from psycopg.sql import SQL, Identifier

    with _admin(url) as connection:
        for schema in _schemas(connection, name):
            connection.execute(SQL("drop schema {} cascade").format(Identifier(schema)))


EMPTIED = r"""
DO $$
DECLARE
    each record;
BEGIN
    -- Without triggers: a parent may go before its children.
    SET LOCAL session_replication_role = replica;
    SET LOCAL synchronous_commit = off;
    FOR each IN SELECT * FROM pg_tables WHERE schemaname = '{0}' OR starts_with(schemaname, '{0}_') LOOP
        EXECUTE format('DELETE FROM %I.%I', each.schemaname, each.tablename);
    END LOOP;
END $$"""


def _empty(url: str, name: str) -> None:
    with _admin(url) as connection:
        connection.execute(EMPTIED.format(name))


def _rows(url: str, name: str) -> Iterator[Row]:
    from psycopg.rows import dict_row
    from psycopg.sql import SQL, Identifier

    with _admin(url) as connection:
        for schema in _schemas(connection, name):
            tables = connection.execute("select tablename from pg_tables where schemaname = %s", (schema,)).fetchall()
            for (table,) in tables:
                with connection.cursor(row_factory=dict_row) as cursor:
                    for row in cursor.execute(SQL("select * from {}").format(Identifier(schema, table))):
                        yield None if schema == name else schema, f"{schema}.{table}", row


BACKENDS = (
    Backend(
        name="postgres",
        kind="postgres",
        server="postgres",
        settings=_settings,
        drop=_drop,
        empty=_empty,
        rows=_rows,
        lasts=True,
    ),
)
