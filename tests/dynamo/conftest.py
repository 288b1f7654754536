"""Tables of DynamoDB, and stores over them whose requests can be counted."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dbrouter.backends.dynamo.store import DynamoStore
from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.testing.ran import could_not_run
from scripts.servers import CannotStart, Server
from scripts.servers.dynamo import start_dynamo
from tests.backends.dynamo import client

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def dynamo(start_server: Callable[[str], Server]) -> Server:
    """The DynamoDB server of this run."""
    return start_server("dynamo")


@pytest.fixture(scope="session")
def admin(dynamo: Server) -> Iterator[Any]:
    """The vendor's client, for looking behind our back."""
    made = client(dynamo.url)
    yield made
    made.close()


@pytest.fixture
def table(admin: Any) -> Iterator[str]:
    """The name of a table that no other test uses and that does not exist yet; dropped afterwards."""
    name = f"special.{next(_numbers)}"
    yield name
    if name in admin.list_tables()["TableNames"]:
        admin.delete_table(TableName=name)


class Wire:
    """A client that notes the names of the requests it passes on, and may be told what to do with them first."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.sent: list[str] = []
        self.before: Callable[[str, dict[str, Any]], None] = lambda _name, _arguments: None
        self.after: Callable[[str, dict[str, Any]], None] = lambda _name, _arguments: None

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._inner, name)

        def passed_on(**arguments: Any) -> Any:
            self.sent.append(name)
            self.before(name, arguments)
            answer = call(**arguments)
            self.after(name, arguments)
            return answer

        return passed_on


@pytest.fixture
def wire(admin: Any) -> Wire:
    """A client that is watched."""
    return Wire(admin)


@pytest.fixture
def store(wire: Wire, table: str) -> Iterator[Emulated]:
    """A store over a table of its own, as routers use it, through the watched client."""
    made = Emulated(DynamoStore(wire, table=table, deadline=10))
    yield made
    made.runtime.close()


def items_of(admin: Any, table: str) -> list[dict[str, Any]]:
    """Everything that is in a table."""
    return [item for page in admin.get_paginator("scan").paginate(TableName=table) for item in page["Items"]]


@pytest.fixture
def own_dynamo(pytestconfig: pytest.Config) -> Iterator[Server]:
    """A server that nobody else uses."""
    try:
        server = start_dynamo()
    except CannotStart as error:
        could_not_run(pytestconfig, "dynamo", str(error))
    yield server
    server.stop()
