"""A Postgres that is not there, not any more, or does not answer: every method raises `Unavailable`, in time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from dbrouter import AsyncDbRouter, DbRouter
from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.backends.postgres.store import AsyncPostgresStore, PostgresStore
from dbrouter.router.opening import Opened
from scripts.servers import Server
from tests.outage.asking import METHODS, READS, Outcome, ask_all, ask_from_threads, gathered
from tests.waiting import SLACK

DEADLINE = 2.0
LIMITS: dict[str, Any] = {"deadline": DEADLINE, "connect_timeout": DEADLINE, "pool_size": len(METHODS)}

pytestmark = pytest.mark.backend("postgres", mode="outage")


def opened(url: str, *, blocking: bool) -> Any:
    if blocking:
        return DbRouter(PostgresStore(url, schema="away", **LIMITS))
    return AsyncDbRouter(
        AsyncPostgresStore(url, schema="away", **LIMITS),
        blocking=lambda: Opened.alone(PostgresStore(url, schema="away", **LIMITS)),
    )


def never_there(server: Server, *, blocking: bool) -> dict[str, Outcome]:
    del server
    return ask_all(opened("postgresql://nobody@127.0.0.1:9/nowhere", blocking=blocking), blocking=blocking)


def frozen_before(server: Server, *, blocking: bool) -> dict[str, Outcome]:
    with server.paused():
        return ask_all(opened(server.url, blocking=blocking), blocking=blocking)


def stopped(server: Server, *, blocking: bool) -> dict[str, Outcome]:
    return asked_warm(server, server.kill, server.restart, blocking=blocking)


def frozen(server: Server, *, blocking: bool) -> dict[str, Outcome]:
    return asked_warm(server, server.pause, server.resume, blocking=blocking)


def asked_warm(
    server: Server, before: Callable[[], None], after: Callable[[], None], *, blocking: bool
) -> dict[str, Outcome]:
    """All methods of a db that has made its tables and has a connection for each call, once something happened."""
    db = opened(server.url, blocking=blocking)
    if not blocking:
        return asyncio.run(_asked_warm(db, before, after))
    db._create_all_tables()
    ask_from_threads(db)
    before()
    try:
        return ask_from_threads(db)
    finally:
        db.close()
        after()


async def _asked_warm(db: Any, before: Callable[[], None], after: Callable[[], None]) -> dict[str, Outcome]:
    await db._create_all_tables()
    await gathered(db)
    before()
    try:
        return await gathered(db)
    finally:
        await db.close()
        after()


STATES = (never_there, stopped, frozen, frozen_before)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((state, blocking), id=f"{state.__name__}-{'blocking' if blocking else 'async'}")
        for state in STATES
        for blocking in (True, False)
    ],
)
def outcomes(request: pytest.FixtureRequest, own_postgres: Server) -> dict[str, Outcome]:
    """What each method gave in one state of the server, all asked at once: one by one this would take minutes."""
    state, blocking = request.param
    return state(own_postgres, blocking=blocking)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_raises_and_none_answers_with_nothing(outcomes: dict[str, Outcome], name: str) -> None:
    outcome = outcomes[name]
    assert isinstance(outcome.error, Unavailable), outcome
    assert not isinstance(outcome.error, NotImplementedError)
    assert outcome.seconds < DEADLINE + SLACK, outcome


def test_no_read_was_left_out() -> None:
    assert len(READS) >= 30
