"""Calls that wait more than once for a Postgres that does not answer: each is told within its deadline."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from dbrouter import AsyncDbRouter, DbRouter
from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.backends.kernel.ops import Commit, Put
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.postgres.store import AsyncPostgresStore, PostgresStore
from scripts.servers import Server
from tests.outage.asking import ask_all

DEADLINE = 5.0
WITHIN = 1.9 * DEADLINE
"""A wait for a connection and then one for the server would end after 2 deadlines."""
LIMITS: dict[str, Any] = {"deadline": DEADLINE, "pool_size": 2, "max_overflow": 1}
CALLS = ("get_session", "upsert_session", "get_user_memories", "upsert_user_memory", "get_eval_runs", "get_approvals")

pytestmark = pytest.mark.backend("postgres", mode="outage")


@pytest.mark.parametrize("blocking", [True, False], ids=["blocking", "async"])
def test_who_waits_for_a_connection_or_opens_one_is_told_in_time(own_postgres: Server, *, blocking: bool) -> None:
    db: Any
    if blocking:
        db = DbRouter(PostgresStore(own_postgres.url, schema="queue", **LIMITS))
    else:
        db = AsyncDbRouter(AsyncPostgresStore(own_postgres.url, schema="queue", **LIMITS))
    with own_postgres.paused():
        outcomes = ask_all(db, blocking=blocking, names=CALLS)
    wrong = {
        name: each
        for name, each in outcomes.items()
        if not isinstance(each.error, Unavailable) or each.seconds > WITHIN
    }
    assert wrong == {}


def large_commit() -> Commit:
    """More than the sockets between client and server take up: sending it has to wait."""
    record = {"session_type": "agent", "created_at": 1, "session_data": {"text": "x" * 400_000}}
    return Commit(writes=tuple(Put(table="sessions", record={**record, "session_id": f"s{n}"}) for n in range(60)))


def assert_told_of(error: pytest.ExceptionInfo[Unavailable], seconds: float) -> None:
    assert "no answer within the deadline" in str(error.value)
    assert seconds < WITHIN


def test_what_could_not_be_sent_is_not_waited_for_again(own_postgres: Server) -> None:
    store = PostgresStore(own_postgres.url, schema="queue", **LIMITS)
    finish(store.create_tables(("sessions",)))
    with own_postgres.paused():
        began = time.monotonic()
        with pytest.raises(Unavailable) as told:
            finish(store.execute(large_commit()))
        assert_told_of(told, time.monotonic() - began)
    finish(store.close())


def test_what_could_not_be_sent_is_not_waited_for_again_by_a_task(own_postgres: Server) -> None:
    async def body() -> None:
        store = AsyncPostgresStore(own_postgres.url, schema="queue", **LIMITS)
        await store.create_tables(("sessions",))
        with own_postgres.paused():
            began = time.monotonic()
            with pytest.raises(Unavailable) as told:
                await store.execute(large_commit())
            assert_told_of(told, time.monotonic() - began)
        await store.close()

    asyncio.run(body())
