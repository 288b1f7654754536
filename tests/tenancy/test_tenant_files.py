"""SQLite files of many tenants: few are open at a time, and nothing is lost or mixed up for it."""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest

from dbrouter.backends.kernel.ops import Insert, Scan
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.sql.connections import Connections, Unit
from dbrouter.backends.sql.statements import Outcome
from dbrouter.backends.sqlite.store import AsyncSqliteStore, SqliteStore
from dbrouter.backends.sqlite.tenant_files import OPEN_FILES, TenantFiles
from tests.waiting import PATIENCE, cancelled, until

TENANTS = OPEN_FILES + 36


def open_files(folder: Path) -> int:
    """How many files below the folder this process has open."""
    count = 0
    for entry in Path("/proc/self/fd").iterdir():
        try:
            count += entry.readlink().is_relative_to(folder)
        except OSError:
            continue  # closed meanwhile
    return count


async def write(store: Store, name: str, key: str) -> None:
    record = {"memory_id": key, "memory": name, "user_id": "u", "created_at": 1, "updated_at": 1}
    await store.execute(Insert(table="memories", records=(record,)))


async def owners(store: Store) -> list[str]:
    return sorted({record["memory"] for record in (await store.execute(Scan(table="memories"))).records})


def test_threads_of_a_hundred_tenants_keep_few_files_open(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "rows.db")
    names = [f"tenant_{number}" for number in range(TENANTS)]

    def use(name: str, key: str) -> None:
        finish(write(store.in_namespace(name), name, key))

    with ThreadPoolExecutor(8) as threads:
        for key in ("first", "second"):
            for done in [threads.submit(use, name, key) for name in names]:
                done.result()
    assert store.tenant_files.open <= OPEN_FILES
    # Of each, as many connections as its callers had at once, with a log and its index.
    assert open_files(tmp_path) < OPEN_FILES * 8
    assert [finish(owners(store.in_namespace(name))) for name in names] == [[name] for name in names]
    assert {file.stem for file in (tmp_path / "rows.db.tenants").glob("*.db")} == set(names)
    finish(store.close())
    assert (store.tenant_files.open, open_files(tmp_path)) == (0, 0)
    assert finish(owners(store.in_namespace(names[0]))) == [names[0]]
    finish(store.close())


def test_tasks_of_a_hundred_tenants_keep_few_files_open(tmp_path: Path) -> None:
    async def main() -> None:
        store = AsyncSqliteStore(tmp_path / "rows.db")
        names = [f"tenant_{number}" for number in range(TENANTS)]
        at_once = asyncio.Semaphore(8)

        async def use(name: str) -> None:
            async with at_once:
                await write(store.in_namespace(name), name, "first")

        await asyncio.gather(*(use(name) for name in names))
        assert store.tenant_files.open <= OPEN_FILES
        for name in names:
            assert await owners(store.in_namespace(name)) == [name]
        await store.close()
        assert (store.tenant_files.open, open_files(tmp_path)) == (0, 0)

    asyncio.run(main())


def test_the_files_of_an_event_loop_that_is_gone_are_closed_by_the_next(tmp_path: Path) -> None:
    store = AsyncSqliteStore(tmp_path / "rows.db")
    for number in range(3):
        asyncio.run(write(store.in_namespace("acme"), "acme", str(number)))

    async def last() -> None:
        assert await owners(store.in_namespace("acme")) == ["acme"]
        await store.close()

    asyncio.run(last())
    assert store.tenant_files.open == 0
    # Each connection of a loop that is gone is closed by its own thread.
    until(lambda: open_files(tmp_path) == 0)


def test_a_file_in_use_stays_open_while_others_come_and_go(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "rows.db")
    started, go_on = threading.Event(), threading.Event()
    file = store.tenant_files

    def slowly() -> list[str]:
        async def inside() -> list[str]:
            async with file._used("slow") as _:  # a call that lasts as long as we want
                started.set()
                go_on.wait(PATIENCE)
                return await owners(store.in_namespace("slow"))

        return finish(inside())

    finish(write(store.in_namespace("slow"), "slow", "k"))
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(slowly)
        assert started.wait(PATIENCE)
        for number in range(TENANTS):
            finish(write(store.in_namespace(f"t{number}"), "t", "k"))
        go_on.set()
        assert answer.result() == ["slow"]
    assert store.tenant_files.open <= OPEN_FILES
    finish(store.close())


class Connected:
    """The connections of a file that says when it is closed, which takes as long as its world wants."""

    def __init__(self, files: Files, name: str) -> None:
        self.files, self.name = files, name

    async def run(self, unit: Unit) -> list[Outcome]:  # the protocol's signature
        while self.name in self.files.slow:  # noqa: ASYNC110  # until the test says
            await asyncio.sleep(0.001)
        return []

    async def close(self) -> None:
        await self.run(cast("Unit", None))
        if self.name in self.files.broken:
            raise OSError("no")
        self.files.closed.append(self.name)


class Files:
    """Files of an event loop, of which so many stay open."""

    def __init__(self, limit: int) -> None:
        self.slow: set[str] = set()
        self.broken: set[str] = set()
        self.closed: list[str] = []
        self.files = TenantFiles(self.opening, asynchronous=True, limit=limit)

    def opening(self, name: str) -> Connections:
        return cast("Connections", Connected(self, name))

    async def ask(self, *names: str) -> None:
        for name in names:
            await self.files.run(name, cast("Unit", None))


def test_a_file_that_cannot_be_closed_is_told_of_and_costs_no_other_tenants_call(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = Files(limit=1)
    world.broken.add("a")
    with caplog.at_level(logging.WARNING, "dbrouter.sqlite"):
        asyncio.run(world.ask("a", "b", "c"))
    assert (caplog.messages, world.closed) == (["a: could not be closed: no"], ["b"])


def test_what_a_cancelled_call_left_open_is_closed_by_the_next() -> None:
    async def main() -> list[str]:
        world = Files(limit=1)
        await world.ask("a")
        world.slow.add("a")
        await cancelled(world.ask("b"))
        world.slow.clear()
        await world.ask("c")
        assert sorted(world.closed) == ["a", "b"]
        world.slow.add("c")
        await cancelled(world.files.close())
        world.slow.clear()
        await world.files.close()
        return sorted(world.closed)

    assert asyncio.run(main()) == ["a", "b", "c"]


def test_one_file_that_cannot_be_closed_leaves_no_other_open() -> None:
    async def main() -> list[str]:
        world = Files(limit=3)
        world.broken.add("a")
        await world.ask("a", "b", "c")
        with pytest.raises(OSError, match="no"):
            await world.files.close()
        return world.closed

    assert asyncio.run(main()) == ["b", "c"]


def test_a_call_may_end_while_another_opens_its_file() -> None:
    """As the garbage collector ends calls that nobody awaits any more: on whatever thread, in the middle of anything."""
    world = Files(limit=1)
    world.slow.add("a")
    abandoned = cast("Any", world.ask("a"))

    def opening(name: str) -> Connections:
        if name == "b":
            abandoned.close()
            world.slow.clear()
        return Files.opening(world, name)

    world.files._opening = opening

    async def main() -> None:
        abandoned.send(None)
        await world.ask("b", "c")

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert sorted(world.closed) == ["a", "b"]
