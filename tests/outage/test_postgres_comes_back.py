"""A Postgres that was restarted: connections are replaced unseen, and traces wait. `test_any_server.py` has it crash."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from dbrouter import AsyncDbRouter, DbRouter
from dbrouter.backends.kernel.errors import Duplicate, MissingParent, StoreError
from dbrouter.config import Settings, load_mapping
from scripts.servers import Server
from tests.families.trace_samples import span, trace
from tests.outage.asking import Outcome, ask_from_threads, gathered
from tests.waiting import until

pytestmark = pytest.mark.backend("postgres", mode="outage")

CONNECTIONS = 90


def described(server: Server, schema: str) -> Settings:
    options = {"deadline": 10, "connect_timeout": 5, "pool_size": CONNECTIONS}
    return load_mapping(
        {
            "databases": {"only": {"kind": "postgres", "url": server.url, "schema": schema, **options}},
            "agentos": {"db": "only"},
        }
    )


def opened(server: Server, schema: str) -> Any:
    return DbRouter.from_settings(described(server, schema))


def opened_async(server: Server, schema: str) -> Any:
    return AsyncDbRouter.from_settings(described(server, schema))


def unreachable(outcomes: Mapping[str, Outcome]) -> dict[str, BaseException]:
    """The methods that were not answered by the server. (A second creation is refused, and what has no parent.)"""
    return {
        name: each.error
        for name, each in outcomes.items()
        if each.error is not None and not isinstance(each.error, Duplicate | MissingParent | ValueError)
    }


def test_idle_connections_that_a_restart_broke_are_replaced_unseen(own_postgres: Server) -> None:
    db = opened(own_postgres, "restarted")
    db._create_all_tables()
    ask_from_threads(db)
    own_postgres.restart()
    after = ask_from_threads(db)
    db.close()
    assert unreachable(after) == {}


def test_idle_connections_of_an_event_loop_too(own_postgres: Server) -> None:
    async def body() -> None:
        db = opened_async(own_postgres, "restarted_async")
        await db._create_all_tables()
        await gathered(db)
        await asyncio.to_thread(own_postgres.restart)
        after = await gathered(db)
        await db.close()
        assert unreachable(after) == {}

    asyncio.run(body())


def test_traces_of_the_time_without_a_server_are_written_when_it_is_back(own_postgres: Server) -> None:
    db = opened(own_postgres, "traced")
    db.upsert_trace(trace("before"))
    assert db.get_trace("before") is not None
    own_postgres.kill()
    db.upsert_trace(trace("during"))
    db.create_spans([span("1", "during"), span("2", "before")])
    with pytest.raises(StoreError):
        db.get_trace("during")
    own_postgres.restart()
    other = opened(own_postgres, "traced")
    until(lambda: other.get_trace("during"))
    assert {each.span_id for each in other.get_spans()} == {"1", "2"}
    other.close()
    db.close()
