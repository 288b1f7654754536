"""Deployments with tenants, on every backend that keeps them apart, in both modes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.tenancy.catalogs import Place
from tests.tenancy.deployments import Databases, Deployment, memory, postgres_in, sqlite_in

if TYPE_CHECKING:
    from scripts.servers import Server

BACKENDS = ("memory", "sqlite", "postgres")


@pytest.fixture(params=[True, False], ids=["blocking", "async"])
def blocking(request: pytest.FixtureRequest) -> bool:
    """The mode."""
    return bool(request.param)


@pytest.fixture(params=[pytest.param(each, marks=pytest.mark.backend(each)) for each in BACKENDS])
def databases(request: pytest.FixtureRequest) -> Iterator[Databases]:
    """Makes configurations of databases of one backend."""
    match request.param:
        case "memory":
            yield memory
        case "sqlite":
            yield sqlite_in(request.getfixturevalue("tmp_path"))
        case _:
            server, schema = request.getfixturevalue("postgres"), request.getfixturevalue("postgres_schema")
            yield postgres_in(server.url, schema)
            _drop(server.url, schema)


@pytest.fixture
def deploy(request: pytest.FixtureRequest, blocking: bool) -> Iterator[Callable[..., Deployment]]:
    """Makes deployments: `deploy(databases, tenancy=...)`."""
    made: list[Deployment] = []

    def make(databases: Databases, /, **said: Any) -> Deployment:
        schema = request.getfixturevalue("postgres_schema") if databases("x")["kind"] == "postgres" else "own"
        made.append(Deployment(databases, blocking, namespace=f"{schema}_globex", said=said))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def deployment(deploy: Callable[..., Deployment], databases: Databases) -> Deployment:
    """Three tenants of three isolations: acme, globex and initech."""
    return deploy(databases)


@pytest.fixture
def files(tmp_path: Path) -> Databases:
    """SQLite files, for what is the same on every backend."""
    return sqlite_in(tmp_path)


def _drop(url: str, prefix: str) -> None:
    import psycopg
    from psycopg.sql import SQL, Identifier

    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute("select nspname from pg_namespace where nspname like %s", (f"{prefix}\\_%",))
        for (name,) in found.fetchall():
            connection.execute(SQL("drop schema {} cascade").format(Identifier(name)))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A file, and a table in SQLite."""
    made = Place(tmp_path, "kind: sqlite, path: table.db")
    yield made
    made.close()


@pytest.fixture(params=["sqlite", "postgres"])
def any_place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A file, and a table in a database of each kind."""
    table = "kind: sqlite, path: table.db"
    if request.param == "postgres":
        server: Server = request.getfixturevalue("postgres")
        table = f"kind: postgres, url: '{server.url}', schema: {request.getfixturevalue('postgres_schema')}"
    made = Place(tmp_path, table)
    yield made
    made.close()
