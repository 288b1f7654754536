"""A world of three databases for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dbrouter.backends.kernel.running import finish
from tests.router.world import World


@pytest.fixture
def world() -> Iterator[World]:
    """Three empty databases behind one store."""
    made = World()
    yield made
    for each in made.databases.values():
        each.away = False
    finish(made.store.close())
