"""What all tests share: one Postgres server, a schema of their own in it, and the stores under test."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from dbrouter.testing import Candidate
from dbrouter.testing.ran import could_not_run
from scripts.servers import IN_FRONT, STARTERS, CannotStart, Server
from tests.backends.backend import Backend
from tests.backends.known import BACKENDS
from tests.backends.places import Place, Places
from tests.candidates import CANDIDATES

if TYPE_CHECKING:
    from psycopg import Connection

_numbers = itertools.count(1)

# How fast hypothesis finds its examples is no matter of ours: two cores are shared with whatever else runs.
settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", settings.get_profile("shared machine"), max_examples=3000)
settings.load_profile("shared machine")

YOUNG = 50_000
"""Objects made before the garbage collector looks at them, in place of Python's 700. Building one AgentOS makes hundreds
of thousands that all live as long as it does: looking for garbage among them took a tenth of the suite's time."""


def pytest_collection_finish() -> None:
    """What is imported by now stays: the garbage collector need not look at it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)


@pytest.fixture(scope="module")
def little_to_look_through() -> None:
    """Spares tests that look for garbage themselves, each of them, what all tests before left: a second each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def start_server(pytestconfig: pytest.Config) -> Iterator[Callable[[str], Server]]:
    """Starts a server by its backend's name, once per run, and what it stands in front of.

    Skips if it cannot, and fails where everything must run.
    """
    servers: dict[str, Server] = {}
    failures: dict[str, CannotStart] = {}

    def start(backend: str) -> Server:
        if backend not in servers and backend not in failures:
            try:
                behind = IN_FRONT.get(backend)
                servers[backend] = STARTERS[backend]() if behind is None else behind[1](start(behind[0]))
            except CannotStart as error:
                failures[backend] = error
        if backend in failures:
            could_not_run(pytestconfig, backend, str(failures[backend]), optional=failures[backend].optional)
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
def places(start_server: Callable[[str], Server], tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Databases of every backend."""
    return Places(start_server, tmp_path_factory.mktemp)


@pytest.fixture
def fresh_place(places: Places) -> Iterator[Callable[[Backend], Place]]:
    """Makes an empty database of a backend for this test; it is dropped afterwards."""
    made: list[Place] = []

    def make(backend: Backend) -> Place:
        made.append(places.fresh(backend))
        return made[-1]

    yield make
    for each in made:
        each.drop()


@pytest.fixture
def empty_place(places: Places) -> Iterator[Callable[[Backend], Place]]:
    """Makes a database of a backend for this test that has no rows and may have tables."""
    made: list[Place] = []

    def make(backend: Backend) -> Place:
        made.append(places.empty(backend))
        return made[-1]

    yield make
    for each in made:
        places.give_back(each)


def pytest_dbrouter_stores() -> tuple[Candidate, ...]:
    """The stores under test."""
    return CANDIDATES


def pytest_configure(config: pytest.Config) -> None:
    """Declare pytest-xdist's mark, which means nothing without it."""
    config.addinivalue_line("markers", "xdist_group(name): tests for one worker")


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """A report that can be sent to the process that prints it: tests fail with texts that no encoding has."""
    return _encodable((yield))


def _encodable(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode("utf-8")
        case dict():
            return {_encodable(key): _encodable(each) for key, each in value.items()}
        case list() | tuple():
            return type(value)(map(_encodable, value))
        case _:
            return value


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Count tests that ask for a server, or are in the folder of a backend, under its name.

    Tests of one backend are for one worker, if there are several: each would start a server of its own.
    """
    folders = {backend.kind for backend in BACKENDS}
    for item in items:
        mark = item.get_closest_marker("backend")
        if mark is None:
            asked: list[str] = getattr(item, "fixturenames", [])
            named = [each for each in ("pgbouncer", "postgres") if each in asked]
            named += [each for each in (item.path.parent.name,) if each in folders]
            if not named:
                continue
            mark = pytest.mark.backend(named[0]).mark
            item.add_marker(pytest.mark.backend(named[0]))
        item.add_marker(pytest.mark.xdist_group(mark.args[0].partition(", ")[0]))
