"""A database in memory keeps its rows for as long as it is open: it is gone with its last connection."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.backends.kernel.ops import Insert, Scan
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.sql.connections import Unit
from dbrouter.backends.sql.statements import Outcome, Statement
from dbrouter.backends.sqlite.session import SqliteDriver
from dbrouter.backends.sqlite.store import AsyncSqliteStore, SqliteStore
from dbrouter.testing.conformance.records import learning

EVERY = Scan(table="learnings", columns=("learning_id",))


def inserted(*ids: str) -> Insert:
    return Insert(table="learnings", records=tuple(map(learning, ids)))


async def ids(store: AsyncSqliteStore) -> list[str]:
    return [each["learning_id"] for each in (await store.execute(EVERY)).records]


def test_every_event_loop_finds_what_another_wrote() -> None:
    store = AsyncSqliteStore()
    asyncio.run(store.execute(inserted("a")))
    assert asyncio.run(ids(store)) == ["a"]


def test_loops_of_several_threads_write_to_one_database() -> None:
    store = AsyncSqliteStore()

    def write(name: int) -> None:
        async def several() -> None:
            await asyncio.gather(*(store.execute(inserted(f"{name}-{each}")) for each in range(20)))

        asyncio.run(several())

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(4)))
    assert len(asyncio.run(ids(store))) == 80


def test_a_cancelled_call_takes_nothing_with_it() -> None:
    store = AsyncSqliteStore()

    async def cancelled() -> None:
        await store.execute(inserted("a"))
        for _ in range(20):
            call = asyncio.ensure_future(store.execute(inserted(*map(str, range(2000)))))
            await asyncio.sleep(0)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
        assert "a" in await ids(store)

    asyncio.run(cancelled())


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_an_interrupt_in_the_middle_of_a_transaction_undoes_only_that(
    error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqliteStore()
    finish(store.execute(inserted("a")))
    send = SqliteDriver.send

    def interrupted(driver: SqliteDriver, connection: Any, unit: Unit) -> list[Outcome]:
        connection.execute("BEGIN IMMEDIATE")
        send(driver, connection, Unit([Statement("DELETE FROM agno_learnings", (), True, False), *unit.statements]))
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(SqliteDriver, "send", interrupted)
        with pytest.raises(Unavailable if error is OSError else error):
            finish(store.execute(inserted("b")))
    assert [each["learning_id"] for each in finish(store.execute(EVERY)).records] == ["a"]
    finish(store.execute(inserted("c")))
