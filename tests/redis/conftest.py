"""Redis servers for these tests: those of the run, and one that a test may stop."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from dbrouter.testing.ran import could_not_run
from scripts.servers import CannotStart, Server, start_redis

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def redis_server(start_server: Callable[[str], Server]) -> Server:
    """The Redis of this run. Whoever stops it or changes its settings starts one of their own instead."""
    return start_server("redis")


@pytest.fixture
def prefix() -> str:
    """A prefix that no other test uses."""
    return f"special{next(_numbers)}"


@pytest.fixture(scope="session")
def client(redis_server: Server) -> Any:
    """The vendor's client of the Redis of this run."""
    return redis.Redis.from_url(redis_server.url)


@pytest.fixture(scope="module")
def own_redis(pytestconfig: pytest.Config) -> Iterator[Server]:
    """A running Redis that nobody else uses."""
    try:
        server = start_redis()
    except CannotStart as error:
        could_not_run(pytestconfig, "redis", str(error))
    yield server
    server.stop()
