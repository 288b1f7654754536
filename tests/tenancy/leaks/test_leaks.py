"""A hundred thousand random calls by tenants who share hostile ids, on every backend; not one row crosses.

`make leaks` plays ten times as many (DBROUTER_LEAKS sets the factor).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import pytest

from dbrouter import AsyncDbRouter, DbRouter
from dbrouter.backends.kernel.isolation import Isolation
from dbrouter.config import load_mapping
from dbrouter.config.capable import ISOLATIONS
from dbrouter.testing.leaks import aplay, play
from tests.backends.backend import Backend
from tests.backends.known import BACKENDS, is_flavour
from tests.backends.places import Place
from tests.tenancy.leaks.worlds import World, look, look_into_memory, world

FACTOR = float(os.environ.get("DBROUTER_LEAKS", "1"))

CALLS = {"memory": 94_000, "sqlite": 5_000, "postgres": 3_000}
OTHERS = 1_000
"""Calls by backend. The filters and the last lock are the same on all: memory has the calls, the others show that what
they are given to store and to find arrives."""

MANY = 50
"""Tenants of mixed isolations."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the plan. Half of the calls are made on the blocking router, half on the async one."""

    backend: Backend
    isolations: tuple[Isolation, ...]
    tenants: int
    calls: int

    @property
    def id(self) -> str:
        """What it is called."""
        return f"{self.backend.name}, {self.tenants} tenants, {' '.join(self.isolations)}"

    @property
    def compared(self) -> bool:
        """Whether each tenant also has a database to itself, and must not notice the difference."""
        return self.tenants == 2


def lines(backend: Backend) -> list[Line]:
    """Two tenants in each isolation that the backend has, and many of all isolations mixed."""
    possible = [each for each in (Isolation.ROWS, Isolation.SCHEMA) if each in ISOLATIONS.get(backend.kind, ())]
    calls = CALLS.get(backend.name, OTHERS)
    mixed = Line(backend, (*possible, Isolation.DATABASE), MANY, calls // 2)
    two = [Line(backend, (each,), 2, calls // 4) for each in possible]
    if not possible:
        return []
    return [mixed] if is_flavour(backend) else [*two, mixed]


PLAN = [line for backend in BACKENDS for line in lines(backend)]


def test_the_plan_is_long_enough() -> None:
    assert sum(line.calls for line in PLAN) >= 100_000


@pytest.mark.parametrize("kind", ISOLATIONS)
def test_every_kind_is_played_in_every_isolation_that_it_has(kind: str) -> None:
    played = {each for line in PLAN if line.backend.kind == kind for each in line.isolations}
    assert played >= ISOLATIONS[kind], f"tests/backends names no backend of kind {kind}"


@pytest.fixture(params=[pytest.param(each, id=each.id, marks=pytest.mark.backend(each.backend.name)) for each in PLAN])
def line(request: pytest.FixtureRequest) -> Line:
    """A line of the plan."""
    return request.param


def test_no_row_crosses(line: Line, fresh_place: Callable[[Backend], Place]) -> None:
    one = world(line.backend, line.isolations, line.tenants, fresh_place)
    half = int(line.calls * FACTOR / 2)
    enough = min(line.tenants, 20)
    in_process = line.backend.one_store

    async def asynchronously(alone: list[DbRouter]) -> None:
        router = AsyncDbRouter.from_settings(load_mapping(settings(one, line)))
        try:
            await aplay([router.for_tenant(name) for name in one.names], half, seed=2, alone=alone)
            if in_process:
                assert look_into_memory(one, router) >= enough
        finally:
            await router.close()

    with ExitStack() as stack:
        alone = [stack.enter_context(of_ones_own()) for _ in one.names] if line.compared else []
        with closing(DbRouter.from_settings(load_mapping(settings(one, line)))) as router:
            played = play([router.for_tenant(name) for name in one.names], half, seed=1, alone=alone)
            if in_process:
                assert look_into_memory(one, router) >= enough
        assert not played.dumb()
        assert not played.fruitless()
        if line.compared and in_process:
            # A memory database ends with its router.
            alone = [stack.enter_context(of_ones_own()) for _ in one.names]
        asyncio.run(asynchronously(alone))
    if not in_process:
        assert look(one) >= enough


def settings(one: World, line: Line) -> dict[str, Any]:
    """The world's settings. What is compared call by call writes its traces at once: batches depend on the moment."""
    return {**one.settings, "traces": {"buffer": not line.compared}}


def of_ones_own() -> closing[DbRouter]:
    """A db that nobody else uses."""
    described = {
        "databases": {"own": {"kind": "memory"}},
        "agentos": {"db": "own"},
        "traces": {"buffer": False},
    }
    return closing(DbRouter.from_settings(load_mapping(described)))
