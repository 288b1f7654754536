"""A db that is closed while a call is under way: the call gets its answer, and nothing stays open."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from dbrouter.backends.kernel.running import finish
from dbrouter.backends.postgres.store import AsyncPostgresStore, PostgresStore
from dbrouter.backends.sql.connections import Unit
from dbrouter.backends.sql.statements import Statement
from scripts.servers import Server
from tests.waiting import first_true, until

NAME = "closing"
SLOW = Unit([Statement("SELECT pg_sleep(0.5)")])

pytestmark = pytest.mark.backend("postgres", mode="outage")


@pytest.fixture
def connected(postgres: Server) -> Callable[[str], int]:
    """How many connections the server has from us, in any state or in this one."""

    def count(state: str = "%") -> int:
        with psycopg.connect(postgres.url) as client:
            asked = "select count(*) from pg_stat_activity where application_name = %s and state like %s"
            (found,) = client.execute(asked, (NAME, state)).fetchone() or (0,)
            return int(found)

    return count


def test_a_connection_in_use_is_closed_when_its_call_is_over(postgres: Server, connected: Callable[..., int]) -> None:
    store = PostgresStore(f"{postgres.url}?application_name={NAME}")
    answers: list[Any] = []
    call = threading.Thread(target=lambda: answers.append(finish(store.connections.run(SLOW))))
    call.start()
    until(lambda: connected("active"))
    finish(store.close())
    call.join()
    assert len(answers) == 1
    # The server may learn of it a moment later.
    until(lambda: connected() == 0, patience=5)


def test_a_connection_in_use_is_closed_when_its_task_is_over(postgres: Server, connected: Callable[..., int]) -> None:
    async def play() -> None:
        store = AsyncPostgresStore(f"{postgres.url}?application_name={NAME}")
        call = asyncio.create_task(store.connections.run(SLOW))
        await first_true(lambda: connected("active"))
        await store.close()
        assert len(await call) == 1
        await first_true(lambda: connected() == 0)

    asyncio.run(play())
