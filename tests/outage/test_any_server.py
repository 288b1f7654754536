"""Every server that a backend needs, frozen, killed and started again under the load of a router of each mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from dbrouter import AsyncDbRouter, DbRouter
from dbrouter.config import load_mapping
from dbrouter.testing.ran import could_not_run
from scripts.servers import LASTING, STARTERS, CannotStart, Server
from tests.backends.backend import Backend
from tests.backends.known import BACKENDS
from tests.backends.places import Place, Places
from tests.outage.load import Load
from tests.waiting import SLACK, until

DEADLINE = 3.0


@pytest.fixture(
    params=[
        pytest.param(each, id=each.name, marks=pytest.mark.backend(each.name, mode="outage"))
        for each in BACKENDS
        if each.server is not None
    ]
)
def backend(request: pytest.FixtureRequest) -> Backend:
    """A backend with a server."""
    return request.param


@pytest.fixture
def server(backend: Backend, pytestconfig: pytest.Config) -> Iterator[Server]:
    """A server that nobody else uses."""
    assert backend.server is not None
    try:
        server = LASTING.get(backend.server, STARTERS[backend.server])()
    except CannotStart as error:
        could_not_run(pytestconfig, backend.server, str(error), optional=error.optional)
    yield server
    server.stop()


@pytest.fixture
def loads(backend: Backend, server: Server, tmp_path: Path) -> Iterator[list[Load]]:
    """Writers and readers on one database: threads of a blocking router, and tasks of an async one."""
    place: Place = Places(lambda _: server, lambda _: tmp_path).fresh(backend)
    described = load_mapping(
        {
            "databases": {"only": place.settings(deadline=DEADLINE)},
            "agentos": {"db": "only"},
        }
    )
    blocking = DbRouter.from_settings(described)
    yield [
        Load(blocking, deadline=DEADLINE, slack=SLACK, name="threads"),
        Load(AsyncDbRouter.from_settings(described), deadline=DEADLINE, slack=SLACK, name="tasks"),
    ]
    blocking.close()


@pytest.mark.timeout(150)
def test_it_is_frozen_killed_and_started_again_under_load(backend: Backend, server: Server, loads: list[Load]) -> None:
    with ThreadPoolExecutor(len(loads)) as pool:
        running = [pool.submit(load.run) for load in loads]
        try:
            awaited(loads, lambda load: load.turns >= 8, "turns are written")
            with server.paused():
                awaited(loads, lambda load: len(load.errors) > 0, "calls of a frozen server end")
            further(loads, "turns are written when it goes on")
            for load in loads:
                load.forgets = not backend.keeps
            server.kill()
            seen = {id(load): len(load.errors) for load in loads}
            awaited(loads, lambda load: len(load.errors) > seen[id(load)], "calls of a dead server fail")
            if backend.keeps:
                server.restart()
                further(loads, "turns are written when it is back")
        finally:
            for load in loads:
                load.stop()
        for each in running:
            each.result()
    for load in loads:
        load.check()
        if backend.keeps:
            load.check_all_is_there()


def further(loads: list[Load], what: str) -> None:
    """Wait until all have written some more."""
    before = {id(load): load.turns for load in loads}
    awaited(loads, lambda load: load.turns >= before[id(load)] + 6, what)


def awaited(loads: list[Load], when: Callable[[Load], Any], what: str) -> None:
    """Wait until this holds for all."""
    try:
        until(lambda: all(map(when, loads)), what)
    except AssertionError as error:
        error.add_note(f"{[load.errors[-3:] for load in loads]}")
        raise
