"""A hundred thousand random calls by tenants who share hostile ids; not one row crosses.

`make leaks` plays ten times as many (DBROUTER_LEAKS sets the factor).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dbrouter import AsyncDbRouter, DbRouter
from dbrouter.config import load_mapping
from dbrouter.config.capable import ISOLATIONS, KINDS
from dbrouter.testing.leaks import aplay, play
from tests.tenancy.leaks.worlds import World, look_into_memory, look_into_postgres, look_into_sqlite, world

if TYPE_CHECKING:
    from psycopg import Connection

    from scripts.servers import Server

FACTOR = float(os.environ.get("DBROUTER_LEAKS", "1"))

MIXED = ("rows", "schema", "database")

PLAN: dict[str, tuple[str, tuple[str, ...], int, int]] = {
    "memory, two tenants, rows": ("memory", ("rows",), 2, 16_000),
    "memory, two tenants, schemas": ("memory", ("schema",), 2, 8_000),
    "memory, fifty tenants, mixed": ("memory", MIXED, 50, 26_000),
    "sqlite, two tenants, rows": ("sqlite", ("rows",), 2, 10_000),
    "sqlite, two tenants, schemas": ("sqlite", ("schema",), 2, 6_000),
    "sqlite, fifty tenants, mixed": ("sqlite", MIXED, 50, 14_000),
    "postgres, two tenants, rows": ("postgres", ("rows",), 2, 10_000),
    "postgres, two tenants, schemas": ("postgres", ("schema",), 2, 5_000),
    "postgres, fifty tenants, mixed": ("postgres", MIXED, 50, 10_000),
}
"""Name -> backend, isolations, tenants, calls. Half of the calls are made on the blocking router, half on the async."""


def test_the_plan_is_long_enough() -> None:
    assert sum(calls for *_, calls in PLAN.values()) >= 100_000


@pytest.mark.parametrize("kind", KINDS)
def test_every_backend_is_played_in_every_isolation_that_it_has(kind: str) -> None:
    played = {each for backend, isolations, *_ in PLAN.values() if backend == kind for each in isolations}
    assert played >= {each.value for each in ISOLATIONS[kind]}, f"add {kind} to the plan"


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.backend(of[0])) for name, of in PLAN.items()])
def planned(request: pytest.FixtureRequest) -> tuple[str, tuple[str, ...], int, int]:
    """A line of the plan."""
    return PLAN[request.param]


@pytest.fixture
def databases(
    planned: tuple[str, tuple[str, ...], int, int], request: pytest.FixtureRequest, tmp_path: Path
) -> tuple[dict[str, Any], list[dict[str, Any]], Callable[[World], int]]:
    """The shared database, those for tenants' own, and how to look into all of them."""
    backend = planned[0]
    if backend == "memory":
        return {"kind": "memory"}, [{"kind": "memory"} for _ in range(4)], lambda _: 0
    if backend == "sqlite":
        files = {f"silo-{number}": tmp_path / f"silo-{number}.db" for number in range(4)}
        primary = tmp_path / "primary.db"
        silos = [{"kind": "sqlite", "path": str(file)} for file in files.values()]
        return {"kind": "sqlite", "path": str(primary)}, silos, lambda one: look_into_sqlite(one, primary, files)
    return _on_postgres(request.getfixturevalue("postgres_of_tenants"))


@pytest.fixture
def postgres_of_tenants(postgres: Server) -> Iterator[tuple[Callable[[str], str], list[str]]]:
    """Databases of their own on the server, for an ordinary role: a function from name to URL, and the names."""
    import psycopg

    names = [f"leaks{os.getpid()}_{number}" for number in range(3)]
    with psycopg.connect(postgres.url, autocommit=True) as admin:
        admin.execute("DROP ROLE IF EXISTS leaks_app")
        admin.execute("CREATE ROLE leaks_app LOGIN PASSWORD 'app'")
        for name in names:
            admin.execute(f"CREATE DATABASE {name} OWNER leaks_app")
        yield _url_of(postgres.url), names
        for name in names:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        admin.execute("DROP ROLE leaks_app")


def _url_of(admin: str) -> Callable[[str], str]:
    from sqlalchemy import make_url

    address = make_url(admin.replace("postgresql://", "postgresql+psycopg://", 1))

    def url(database: str, *, user: str | None = "leaks_app") -> str:
        there = address.set(database=database, drivername="postgresql")
        if user is not None:
            there = there.set(username=user, password="app")
        return there.render_as_string(hide_password=False)

    return url


def _on_postgres(
    given: tuple[Callable[..., str], list[str]],
) -> tuple[dict[str, Any], list[dict[str, Any]], Callable[[World], int]]:
    import psycopg

    url, names = given
    first, *own = [{"kind": "postgres", "url": url(name)} for name in names]

    def look(one: World) -> int:
        seen = 0
        for position, name in enumerate(names):
            owner = one.silos.get(f"silo-{position - 1}") if position else None
            connection: Connection[Any]
            with closing(psycopg.connect(url(name, user=None))) as connection:
                seen += look_into_postgres(one, connection, owner)
        return seen

    return first, own, look


def test_no_row_crosses(
    planned: tuple[str, tuple[str, ...], int, int],
    databases: tuple[dict[str, Any], list[dict[str, Any]], Callable[[World], int]],
) -> None:
    backend, isolations, count, calls = planned
    primary, silos, look = databases
    one = world(primary, isolations, count, silos)
    half = int(calls * FACTOR / 2)
    # Where there are few, each tenant also has a database to itself, and must not notice the difference.
    compared = count == 2

    async def asynchronously(alone: list[DbRouter]) -> None:
        router = AsyncDbRouter.from_settings(load_mapping(settings(one, compared)))
        try:
            await aplay([router.for_tenant(name) for name in one.names], half, seed=2, alone=alone)
            if backend == "memory":
                assert look_into_memory(one, router) >= min(count, 20)
        finally:
            await router.close()

    with ExitStack() as stack:
        alone = [stack.enter_context(of_ones_own()) for _ in one.names] if compared else []
        with closing(DbRouter.from_settings(load_mapping(settings(one, compared)))) as router:
            played = play([router.for_tenant(name) for name in one.names], half, seed=1, alone=alone)
            if backend == "memory":
                assert look_into_memory(one, router) >= min(count, 20)
        assert not played.dumb()
        if compared and backend == "memory":
            # A memory database ends with its router.
            alone = [stack.enter_context(of_ones_own()) for _ in one.names]
        asyncio.run(asynchronously(alone))
    if backend != "memory":
        assert look(one) >= min(count, 20)


def settings(one: World, compared: bool) -> dict[str, Any]:
    """The world's settings. What is compared call by call writes its traces at once: batches depend on the moment."""
    return {**one.settings, "traces": {"buffer": not compared}}


def of_ones_own() -> closing[DbRouter]:
    """A db that nobody else uses."""
    described = {
        "databases": {"own": {"kind": "memory"}},
        "agentos": {"db": "own"},
        "traces": {"buffer": False},
    }
    return closing(DbRouter.from_settings(load_mapping(described)))
