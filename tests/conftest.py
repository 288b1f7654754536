"""What all tests share: one Postgres server, a schema of their own in it, and the stores under test."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dbrouter.testing import Candidate
from dbrouter.testing.ran import could_not_run
from scripts.servers import IN_FRONT, STARTERS, CannotStart, Server
from tests.candidates import CANDIDATES
from tests.tenancy.namespaces import NAMESPACES

if TYPE_CHECKING:
    from psycopg import Connection

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def start_server(pytestconfig: pytest.Config) -> Iterator[Callable[[str], Server]]:
    """Starts a server by its backend's name, once per run, and what it stands in front of.

    Skips if it cannot, and fails where everything must run.
    """
    servers: dict[str, Server] = {}
    failures: dict[str, str] = {}

    def start(backend: str) -> Server:
        if backend not in servers and backend not in failures:
            try:
                behind = IN_FRONT.get(backend)
                servers[backend] = STARTERS[backend]() if behind is None else behind[1](start(behind[0]))
            except CannotStart as error:
                failures[backend] = str(error)
        if backend in failures:
            could_not_run(pytestconfig, backend, failures[backend])
        return servers[backend]

    yield start
    for server in reversed(servers.values()):
        server.stop()


@pytest.fixture(scope="session")
def postgres(start_server: Callable[[str], Server]) -> Server:
    """The Postgres server of this run. Whoever pauses or kills it starts one of their own instead."""
    return start_server("postgres")


@pytest.fixture(scope="session")
def pgbouncer(start_server: Callable[[str], Server]) -> Server:
    """PgBouncer in front of the Postgres server of this run: transactions take turns on three connections."""
    return start_server("pgbouncer")


@pytest.fixture(scope="session")
def _postgres_admin(postgres: Server) -> Iterator[Connection]:
    import psycopg

    with psycopg.connect(postgres.url, autocommit=True) as connection:
        # A store that was closed and still holds a lock is a fault to report, not to wait for.
        connection.execute("set lock_timeout = '10s'")
        yield connection


@pytest.fixture
def postgres_schema(_postgres_admin: Connection) -> Iterator[str]:
    """The name of a schema that no other test uses and that does not exist yet; dropped afterwards."""
    name = f"t{next(_numbers)}"
    yield name
    _postgres_admin.execute(f'drop schema if exists "{name}" cascade')


@pytest.fixture(scope="session")
def run_schema(_postgres_admin: Connection) -> Iterator[str]:
    """The name of a schema for all tests that keep apart in it by themselves."""
    yield "lasting"
    _postgres_admin.execute("drop schema if exists lasting cascade")


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for all tests that keep apart in it by themselves."""
    return tmp_path_factory.mktemp("lasting")


def pytest_dbrouter_stores() -> tuple[Candidate, ...]:
    """The stores under test."""
    return (*CANDIDATES, *NAMESPACES)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Count tests that ask for a server under its backend, whoever wrote them."""
    for item in items:
        asked: list[str] = getattr(item, "fixturenames", [])
        for backend in ("pgbouncer", "postgres"):
            if backend in asked and item.get_closest_marker("backend") is None:
                item.add_marker(pytest.mark.backend(backend))
