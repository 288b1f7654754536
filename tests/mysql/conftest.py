"""Databases of MariaDB, read through pymysql, and what our stores send to it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pymysql
import pytest

from dbrouter.backends.kernel.running import finish
from dbrouter.backends.mysql.store import MySqlStore
from scripts.servers import Server

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def mariadb(start_server: Callable[[str], Server]) -> Server:
    """The MariaDB of this run. Whoever pauses or kills it starts one of their own instead."""
    return start_server("mariadb")


@pytest.fixture
def admin(mariadb: Server) -> Iterator[Any]:
    """A cursor of pymysql's own, as root."""
    where = urlsplit(mariadb.url)
    arguments: Any = {"host": where.hostname, "port": where.port, "user": "root", "charset": "utf8mb4"}
    connection = pymysql.connect(**arguments, autocommit=True)
    with connection, connection.cursor() as cursor:
        yield cursor


@pytest.fixture
def schema(admin: Any) -> Iterator[str]:
    """The name of a database that nobody else uses and that does not exist yet; dropped afterwards."""
    name = f"special{next(_numbers)}"
    yield name
    admin.execute("select schema_name from information_schema.schemata")
    for (found,) in admin.fetchall():
        if found == name or found.startswith(f"{name}$"):
            admin.execute(f"drop database `{found}`")


@pytest.fixture
def opened(mariadb: Server, schema: str) -> Iterator[Callable[..., MySqlStore]]:
    """Opens stores over that database."""
    stores: list[MySqlStore] = []

    def opening(**more: Any) -> MySqlStore:
        stores.append(MySqlStore(mariadb.url, schema=schema, **more))
        return stores[-1]

    yield opening
    for each in stores:
        finish(each.close())


@pytest.fixture
def store(opened: Callable[..., MySqlStore]) -> MySqlStore:
    """A store over that database."""
    return opened()
