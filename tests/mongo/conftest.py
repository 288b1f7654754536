"""Databases of MongoDB, read and counted through pymongo, and our class and agno's over one of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pymongo
import pytest
from pymongo.monitoring import CommandListener

from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.mongo.store import MongoStore
from scripts.servers import Server

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def mongo(start_server: Callable[[str], Server]) -> Server:
    """The replica set of this run."""
    return start_server("mongo")


class Requests(CommandListener):
    """Notes the commands that a client sends."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def started(self, event: Any) -> None:
        """A command goes out."""
        self.sent.append(event.command_name)

    def succeeded(self, event: Any) -> None:
        """Its answer is no request."""

    def failed(self, event: Any) -> None:
        """Nor is its failure."""


@pytest.fixture
def requests() -> Requests:
    """What `client` sent."""
    return Requests()


@pytest.fixture
def client(mongo: Server, requests: Requests) -> Iterator[Any]:
    """A client that is watched."""
    with pymongo.MongoClient[dict[str, Any]](mongo.url, event_listeners=[requests]) as made:
        yield made


@pytest.fixture
def database(client: Any) -> Iterator[str]:
    """The name of a database that nobody else uses; dropped afterwards."""
    name = f"special{next(_numbers)}"
    yield name
    client.drop_database(name)


@pytest.fixture
def store(client: Any, database: str) -> Iterator[Emulated]:
    """A store as routers use it, through the watched client."""
    made = Emulated(MongoStore(client=client, database=database, transactions=True))
    yield made
    made.runtime.close()
