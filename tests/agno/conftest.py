"""Routers that real agno components run on: every backend, blocking and async, and agno's own class as the oracle."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from agno.db.sqlite import SqliteDb

from tests.agno.live import DATABASES, Live
from tests.backends.backend import Backend
from tests.backends.known import BACKENDS, is_flavour, named
from tests.backends.places import Place

ROUTES: dict[str, Any] = {
    "id": "live",
    "agentos": {"db": "primary", "trace_db": "traces", "eval_db": "evals"},
    "agents": {"ops-bot": {"db": "ops"}},
}

MIXED = {"primary": "sqlite", "traces": "memory", "evals": "sqlite", "ops": "postgres"}

ROUTERS = [(backend, mode) for backend in ("memory", "sqlite", "postgres") for mode in ("blocking", "async")]
"""What every test runs on."""
ALL_ROUTERS = [(each.name, mode) for each in BACKENDS for mode in each.modes]
ORACLE = ("agno", "blocking")


def parameter(backend: str, mode: str) -> Any:
    """A backend in a mode, counted under its name in the table of what ran."""
    marks = [pytest.mark.backend(backend, mode=mode)]
    if backend == "agno":
        # agno compares JSON and multiplies text in its queries, which SQLAlchemy 2.1 warns about.
        marks.append(pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning"))
    return pytest.param((backend, mode), id=f"{backend}-{mode}", marks=marks)


KINDS = [each.name for each in BACKENDS if not is_flavour(each)]
EVERY_KIND = [each for each in ALL_ROUTERS if each[0] in KINDS]
EVERY_DB = pytest.mark.parametrize("live", [parameter(*each) for each in (*EVERY_KIND, ORACLE)], indirect=True)
EVERY_ROUTER = pytest.mark.parametrize("routed", [parameter(*each) for each in ALL_ROUTERS], indirect=True)
# An app takes a third of a second to build: memory, and backends beyond the three, are served in one mode.
SERVED = [each for each in ROUTERS if each != ("memory", "async")]
ALL_SERVED = [*SERVED, *((name, named(name).modes[-1]) for name in KINDS if (name, "async") not in ROUTERS)]
EVERY_SERVED = pytest.mark.parametrize("live", [parameter(*each) for each in (*ALL_SERVED, ORACLE)], indirect=True)
"""For tests that are worth the time on all backends: together they use every family."""


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
    empty: Callable[[Backend], Place] = request.getfixturevalue("empty_place")
    kinds = MIXED if backend == "mixed" else dict.fromkeys(DATABASES, backend)
    return {name: empty(named(each)).settings() for name, each in kinds.items()}


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
