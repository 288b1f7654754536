"""Tenants' own databases, few open at a time: calls that are cancelled, and databases that do not open or close."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from dbrouter.backends.kernel.isolation import Isolation
from dbrouter.backends.kernel.ops import Scan
from dbrouter.backends.kernel.running import AsyncRuntime
from dbrouter.backends.memory.store import AsyncMemoryStore
from dbrouter.router.tenancy.open_databases import OpenDatabases
from tests.router.world import Switched
from tests.tenancy.test_stores import World, one
from tests.waiting import PATIENCE, cancelled


class Closing(AsyncMemoryStore):
    """A database that says when it is closed, which takes as long as its world wants."""

    def __init__(self, world: Slowly, name: str) -> None:
        super().__init__()
        self.world, self.name = world, name

    async def ping(self) -> None:
        while self.name in self.world.slow:  # noqa: ASYNC110  # until the test says
            await asyncio.sleep(0.001)

    async def close(self) -> None:
        self.world.log.append(f"close {self.name}")
        await self.ping()
        if self.name in self.world.broken:
            raise OSError("no")
        self.world.log.append(f"{self.name} is closed")


class Slowly:
    """Databases of an event loop, few at a time."""

    def __init__(self, most: int = 1) -> None:
        self.log: list[str] = []
        self.slow: set[str] = set()
        self.broken: set[str] = set()
        self.open = OpenDatabases(lambda name: Closing(self, name), runtime=AsyncRuntime(), most=most)

    async def ask(self, name: str) -> None:
        await self.open.named(name).execute(Scan(table="memories"))


def test_a_call_that_is_cancelled_while_another_database_is_closed_takes_no_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dbrouter.router.tenancy.open_databases.PATIENCE", 0.1)

    async def talk() -> list[str]:
        world = Slowly()
        await world.ask("a")
        world.slow.add("a")
        await cancelled(world.ask("b"))
        world.slow.clear()
        await world.ask("c")
        return world.log

    # What was not closed to its end is closed by the next call.
    assert sorted(asyncio.run(talk())) == ["a is closed", "b is closed", "close a", "close a", "close b"]


def test_what_a_cancelled_close_left_open_is_closed_by_the_next() -> None:
    async def talk() -> list[str]:
        world = Slowly(most=3)
        for name in ("a", "b", "c"):
            await world.ask(name)
        world.slow.add("b")
        await cancelled(world.open.close())
        world.slow.clear()
        await world.open.close()
        return [each for each in world.log if each.endswith("closed")]

    assert asyncio.run(talk()) == ["a is closed", "b is closed", "c is closed"]


def test_a_database_that_cannot_be_closed_is_told_of_and_costs_no_other_call(caplog: pytest.LogCaptureFixture) -> None:
    async def talk() -> None:
        world = Slowly()
        await world.ask("a")
        world.broken.add("a")
        await world.ask("b")

    with caplog.at_level(logging.WARNING, "dbrouter.tenancy"):
        asyncio.run(talk())
    assert caplog.messages == ["a: could not be closed: no"]


def test_a_database_that_cannot_be_opened_closes_no_other() -> None:
    world = World(most=1)
    world.ask(one("a", Isolation.DATABASE, db="a"), Scan(table="memories"))
    make = world.open._make

    def refuse(_: str) -> Switched:
        raise OSError("no")

    world.open._make = refuse
    with pytest.raises(OSError, match="no"):
        world.ask(one("b", Isolation.DATABASE, db="b"), Scan(table="memories"))
    world.open._make = make
    assert world.open.names == ("a",)


def test_a_call_may_end_while_another_opens_its_database() -> None:
    """As the garbage collector ends calls that nobody awaits any more: on whatever thread, in the middle of anything."""
    world = Slowly(most=2)
    world.slow.add("a")
    abandoned = world.open.named("a").ping()

    def open_(name: str) -> Closing:
        if name == "b":
            abandoned.close()
            world.slow.clear()
        return Closing(world, name)

    world.open._make = open_

    async def talk() -> None:
        abandoned.send(None)
        await world.ask("b")
        await world.ask("c")

    thread = threading.Thread(target=lambda: asyncio.run(talk()), daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert world.log == ["close a", "a is closed"]
