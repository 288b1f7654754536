"""A Postgres of these tests' own, that they may stop, freeze and kill."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dbrouter.testing.ran import could_not_run
from scripts.servers import CannotStart, Server, start_postgres


@pytest.fixture(scope="module")
def own_postgres(pytestconfig: pytest.Config) -> Iterator[Server]:
    """A running server that nobody else uses."""
    try:
        server = start_postgres()
    except CannotStart as error:
        could_not_run(pytestconfig, "postgres", str(error))
    yield server
    server.stop()
