"""Routers that real agno components run on: every backend, blocking and async, and agno's own class as the oracle."""

from __future__ import annotations

import asyncio
import inspect
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from agno.db.sqlite import SqliteDb

from tests.agno.live import DATABASES, Live

if TYPE_CHECKING:
    from scripts.servers import Server

ROUTES: dict[str, Any] = {
    "id": "live",
    "agentos": {"db": "primary", "trace_db": "traces", "eval_db": "evals"},
    "agents": {"ops-bot": {"db": "ops"}},
}

MIXED = {"primary": "sqlite", "traces": "memory", "evals": "sqlite", "ops": "postgres"}

ROUTERS = [(backend, mode) for backend in ("memory", "sqlite", "postgres") for mode in ("blocking", "async")]
ORACLE = ("agno", "blocking")

_numbers = itertools.count(1)


def parameter(backend: str, mode: str) -> Any:
    """A backend in a mode, counted under its name in the table of what ran."""
    marks = [pytest.mark.backend(backend, mode=mode)]
    if backend == "agno":
        # agno compares JSON and multiplies text in its queries, which SQLAlchemy 2.1 warns about.
        marks.append(pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning"))
    return pytest.param((backend, mode), id=f"{backend}-{mode}", marks=marks)


@pytest.fixture(params=[parameter(*each) for each in (*ROUTERS, ORACLE)])
def live(request: pytest.FixtureRequest, open_live: Callable[[str, str], Live]) -> Live:
    """A db of each backend and mode; what agno's own class would fail is no fair test."""
    return open_live(*request.param)


@pytest.fixture(params=[parameter(*each) for each in ROUTERS])
def routed(request: pytest.FixtureRequest, open_live: Callable[[str, str], Live]) -> Live:
    """A router of each backend and mode."""
    return open_live(*request.param)


@pytest.fixture
def open_live(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str, str], Live]:
    """Opens a db of a backend in a mode; the test's runner closes it in the loop that used it."""

    def open_(backend: str, mode: str) -> Live:
        if backend == "agno":
            return kept(request, Live(backend=backend, mode=mode, db=SqliteDb(db_file=str(tmp_path / "agno.db"))))
        from dbrouter import AsyncDbRouter, DbRouter

        config = tmp_path / "dbrouter.yaml"
        config.write_text(yaml.safe_dump({**ROUTES, "databases": _databases(request, backend)}))
        router = DbRouter if mode == "blocking" else AsyncDbRouter

        def reopen() -> Live:
            return kept(request, Live(backend=backend, mode=mode, db=router.from_yaml(config), reopen=reopen))

        return reopen()

    return open_


def _databases(request: pytest.FixtureRequest, backend: str) -> dict[str, dict[str, Any]]:
    kinds = MIXED if backend == "mixed" else dict.fromkeys(DATABASES, backend)
    return {name: _database(request, name, kind) for name, kind in kinds.items()}


def _database(request: pytest.FixtureRequest, name: str, kind: str) -> dict[str, Any]:
    match kind:
        case "sqlite":
            return {"kind": "sqlite", "path": f"{name}.db"}
        case "postgres":
            server: Server = request.getfixturevalue("postgres")
            schemas: Callable[[str], str] = request.getfixturevalue("schemas")
            return {"kind": "postgres", "url": server.url, "schema": schemas(name)}
        case _:
            return {"kind": kind}


@pytest.fixture
def schemas(_postgres_admin: Any) -> Iterator[Callable[[str], str]]:
    """Names schemas of the Postgres server that no other test uses; they are dropped afterwards."""
    number = next(_numbers)
    named: list[str] = []

    def name(database: str) -> str:
        named.append(f"agno{number}_{database}")
        return named[-1]

    yield name
    for schema in named:
        _postgres_admin.execute(f'drop schema if exists "{schema}" cascade')


def kept(request: pytest.FixtureRequest, live: Live) -> Live:
    """The db, to be closed in the loop of the test that asked for it."""
    opened: list[Live] = request.node.stash.setdefault(OPENED, [])
    opened.append(live)
    return live


OPENED = pytest.StashKey[list[Live]]()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an `async def` test in one event loop, and close in that loop what it opened."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    values = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}

    async def test() -> None:
        try:
            await pyfuncitem.obj(**values)
        finally:
            for live in pyfuncitem.stash.get(OPENED, []):
                await live.close()

    asyncio.run(test())
    return True
