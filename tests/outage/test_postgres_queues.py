"""More callers than connections on a Postgres that does not answer: each is told within its deadline."""

from __future__ import annotations

from typing import Any

import pytest

from dbrouter import AsyncDbRouter, DbRouter
from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.backends.postgres.store import AsyncPostgresStore, PostgresStore
from scripts.servers import Server
from tests.outage.asking import ask_all

DEADLINE = 3.0
WITHIN = 1.5 * DEADLINE
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
