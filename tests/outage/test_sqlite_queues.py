"""Many callers at once on a held SQLite file: whatever each waits for in turn, it is told within its deadline."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.backends.kernel.ops import Get, Insert
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.sql.connections import Unit
from dbrouter.backends.sql.statements import Statement
from dbrouter.backends.sqlite import session as sqlite_session
from dbrouter.backends.sqlite.store import READERS, AsyncSqliteStore, SqliteStore
from tests.outage.asking import Outcome

DEADLINE = 3.0
WITHIN = 1.9 * DEADLINE
"""Two whole waits in a row end after 2 deadlines; on a busy machine one may end a little late."""
LATER = 0.7 * DEADLINE
APART = 0.15 * DEADLINE

pytestmark = pytest.mark.backend("sqlite", mode="outage")

Call = Callable[[], Awaitable[Any]]


def write(number: int) -> Insert:
    record = {"session_id": f"s{number}", "session_type": "agent", "created_at": 1}
    return Insert(table="sessions", records=(record,))


def nap(seconds: float, *, writes: bool = False) -> Unit:
    return Unit([Statement(f"SELECT nap({seconds})", (), writes=writes)])


@pytest.fixture(params=[SqliteStore, AsyncSqliteStore], ids=["blocking", "async"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A store of a file that has its tables; its connections know a function that takes its time."""
    monkeypatch.setattr(sqlite_session, "FUNCTIONS", (*sqlite_session.FUNCTIONS, ("nap", 1, time.sleep)))
    path = tmp_path / "a.db"
    made = SqliteStore(path)
    finish(made.execute(write(0)))
    finish(made.close())
    return request.param(path, deadline=DEADLINE)


@contextmanager
def held(path: Path, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    """The file while a connection that is none of ours has a lock on it."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(begin)
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


async def timed(call: Call) -> Outcome:
    began = time.monotonic()
    try:
        return Outcome(await call(), None, time.monotonic() - began)
    except Exception as error:  # noqa: BLE001  # whatever comes is what the test is about
        return Outcome(None, error, time.monotonic() - began)


def outcomes_of(store: Any, calls: list[tuple[float, Call]]) -> list[Outcome]:
    """What came of each call, from a thread or as a task of its own, begun after so many seconds; ends the store."""
    if store.runtime.blocking:

        def one(each: tuple[float, Call]) -> Outcome:
            time.sleep(each[0])
            return finish(timed(each[1]))

        with ThreadPoolExecutor(len(calls)) as pool:
            outcomes = list(pool.map(one, calls))
        finish(store.close())
        return outcomes

    async def later(seconds: float, call: Call) -> Outcome:
        await asyncio.sleep(seconds)
        return await timed(call)

    async def body() -> list[Outcome]:
        # The first engine of a process imports much of SQLAlchemy, which is nothing to wait for in line.
        store.connections._pool()
        try:
            return await asyncio.gather(*(later(*each) for each in calls))
        finally:
            await store.close()

    return asyncio.run(body())


def writers(store: Any) -> list[tuple[float, Call]]:
    """Writers that begin one after the other: each gets its turn when some of its time is gone."""
    return [(APART * number, lambda number=number: store.execute(write(number))) for number in range(1, 7)]


def assert_told_in_time(outcomes: list[Outcome]) -> None:
    assert [each for each in outcomes if not isinstance(each.error, Unavailable) or each.seconds > WITHIN] == []


def test_writers_behind_one_that_waits_for_another_process_do_not_wait_twice(store: Any, tmp_path: Path) -> None:
    with held(tmp_path / "a.db"):
        assert_told_in_time(outcomes_of(store, writers(store)))


def test_writers_that_have_to_open_a_connection_to_a_locked_file_do_not_wait_twice(store: Any, tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "a.db")
    # Outside of WAL an exclusive lock keeps readers out too, and opening has to read.
    connection.execute("PRAGMA journal_mode = DELETE").fetchall()
    connection.close()
    opening: list[tuple[float, Call]] = [
        (APART * each, lambda: store.connections.run(nap(0, writes=True))) for each in range(6)
    ]
    with held(tmp_path / "a.db", "BEGIN EXCLUSIVE"):
        assert_told_in_time(outcomes_of(store, opening))


def test_writers_behind_a_long_write_of_our_own_do_not_wait_twice(store: Any) -> None:
    long = nap(2.5 * DEADLINE, writes=True)
    first, *others = outcomes_of(store, [(0.0, lambda: store.connections.run(long)), *writers(store)])
    assert first.error is None
    assert_told_in_time(others)


def test_a_writer_that_waited_for_its_turn_waits_no_second_time_for_a_connection(store: Any) -> None:
    async def keep_the_turn() -> None:
        if store.runtime.blocking:
            turn = store.connections._writing
            assert turn.acquire(timeout=0)
            threading.Timer(LATER, turn.release).start()
        else:
            turn = store.connections._pool().writing
            await turn.acquire()
            asyncio.get_running_loop().call_later(LATER, turn.release)

    long = nap(2 * DEADLINE)
    readers: list[tuple[float, Call]] = [(0.0, lambda: store.connections.run(long))] * (2 * READERS)
    *read, kept, writer = outcomes_of(
        store, [*readers, (0.0, keep_the_turn), (0.2, lambda: store.connections.run(nap(0, writes=True)))]
    )
    assert [each.error for each in [*read, kept]] == [None] * len([*read, kept])
    assert_told_in_time([writer])


def test_a_writer_that_got_its_turn_late_writes_if_the_file_is_free(store: Any) -> None:
    async def both() -> Any:
        await store.execute(write(9))
        return await store.execute(Get(table="sessions", key=("s9",)))

    _, wrote = outcomes_of(store, [(0.0, lambda: store.connections.run(nap(0.8 * DEADLINE, writes=True))), (0.2, both)])
    assert wrote.error is None
    assert wrote.answer is not None


def test_a_connection_that_waited_for_less_has_its_whole_patience_for_the_next_caller(
    store: Any, tmp_path: Path
) -> None:
    async def patience() -> Any:
        outcome = await store.connections.run(Unit([Statement("PRAGMA busy_timeout")]))
        return outcome[0].rows[0][0]

    with held(tmp_path / "a.db"):
        first, second, then = outcomes_of(
            store,
            [
                (0.0, lambda: store.execute(write(1))),
                (0.3 * DEADLINE, lambda: store.execute(write(2))),
                # The pool lends first what came back last.
                (2 * DEADLINE, patience),
            ],
        )
    assert_told_in_time([first, second])
    assert (then.error, then.answer) == (None, int(DEADLINE * 1000))
