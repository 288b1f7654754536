"""A Postgres that was restarted or crashed: connections are replaced, and what was acknowledged is there."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dbrouter import AsyncDbRouter, DbRouter
from dbrouter.backends.kernel.errors import Duplicate, MissingParent, StoreError
from dbrouter.backends.postgres.store import AsyncPostgresStore, PostgresStore
from dbrouter.router.agno_types import AgentSession
from scripts.servers import Server
from tests.families.trace_samples import span, trace
from tests.outage.asking import METHODS, Outcome, ask_from_threads, gathered

pytestmark = pytest.mark.backend("postgres", mode="outage")

WRITERS = 8
CONNECTIONS = len(METHODS)


def opened(server: Server, schema: str) -> Any:
    return DbRouter(PostgresStore(server.url, schema=schema, deadline=10, connect_timeout=5, pool_size=CONNECTIONS))


def opened_async(server: Server, schema: str) -> Any:
    return AsyncDbRouter(
        AsyncPostgresStore(server.url, schema=schema, deadline=10, connect_timeout=5, pool_size=CONNECTIONS)
    )


def unreachable(outcomes: Mapping[str, Outcome]) -> dict[str, BaseException]:
    """The methods that were not answered by the server. (A second creation of the same row is refused by it.)"""
    return {
        name: each.error
        for name, each in outcomes.items()
        if each.error is not None and not isinstance(each.error, Duplicate | MissingParent)
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


class Ledger:
    """What each writer was told is stored."""

    def __init__(self) -> None:
        self.runs: dict[str, set[str]] = defaultdict(set)
        self.counts: dict[str, int] = {}
        self.errors: list[BaseException] = []
        self.crashed = threading.Event()
        self.back = threading.Event()
        self.after = 0

    @property
    def enough(self) -> bool:
        """Whether writing went well for a while after the crash."""
        return self.after >= 5 * WRITERS

    def wrote(self, session_id: str, run_id: str, count: int) -> None:
        """A turn was acknowledged."""
        self.runs[session_id].add(run_id)
        self.counts[session_id] = count
        self.after += self.back.is_set()

    def failed(self, error: BaseException) -> None:
        """A call raised."""
        self.errors.append(error)

    def check(self, stored: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]]) -> None:
        """Every acknowledged run is stored once and in a place of its own; every count at least as acknowledged."""
        assert self.enough
        assert len(self.errors) >= 1
        assert all(isinstance(each, StoreError) and each.retryable for each in self.errors), self.errors
        assert not any(isinstance(each, NotImplementedError) for each in self.errors)
        for session_id, run_ids in self.runs.items():
            session, runs = stored[session_id]
            ids = [run["run_id"] for run in runs]
            assert run_ids <= set(ids)
            assert len(ids) == len(set(ids))
            assert sorted(run["run_index"] for run in runs) == sorted({run["run_index"] for run in runs})
            assert session["session_data"]["session_state"]["n"] >= self.counts[session_id]


def turn_of(session: Any, session_id: str, count: int) -> tuple[Any, dict[str, Any]]:
    """A session with one more in its state, and the run that goes with it."""
    session = session or AgentSession(session_id=session_id, agent_id="a", created_at=1)
    session.session_data = {"session_state": {"n": count}}
    return session, {"run_id": f"{session_id}-{count}", "agent_id": "a", "status": "COMPLETED", "created_at": 1}


def crash_and_restart(server: Server, ledger: Ledger) -> None:
    """Kill the server while writers write, and start it again."""
    while sum(ledger.counts.values()) < 10 * WRITERS:
        time.sleep(0.01)
    server.kill()
    ledger.crashed.set()
    time.sleep(0.3)
    server.restart()
    ledger.back.set()


@pytest.mark.timeout(120)
def test_no_acknowledged_write_is_lost_in_a_crash(own_postgres: Server) -> None:
    db, ledger = opened(own_postgres, "crashed"), Ledger()
    db._create_all_tables()

    def write(number: int) -> None:
        session_id, count = f"s{number}", 0
        while not ledger.enough:
            try:
                session, run = turn_of(db.get_session(session_id), session_id, count + 1)
                assert db.upsert_session(session) is not None
                db.upsert_run(run, session_id)
            except Exception as error:  # noqa: BLE001  # judged at the end
                ledger.failed(error)
                time.sleep(0.02)
            else:
                count += 1
                ledger.wrote(session_id, run["run_id"], count)

    with ThreadPoolExecutor(WRITERS) as pool:
        writers = [pool.submit(write, number) for number in range(WRITERS)]
        crash_and_restart(own_postgres, ledger)
        for each in writers:
            each.result()
    ledger.check(
        {
            each: (db.get_session(each, deserialize=False), db.get_runs(each, deserialize=False)[0])
            for each in ledger.counts
        }
    )
    db.close()


@pytest.mark.timeout(120)
def test_no_acknowledged_write_of_tasks_is_lost_in_a_crash(own_postgres: Server) -> None:
    async def body() -> None:
        db, ledger = opened_async(own_postgres, "crashed_async"), Ledger()
        await db._create_all_tables()

        async def write(number: int) -> None:
            session_id, count = f"s{number}", 0
            while not ledger.enough:
                try:
                    session, run = turn_of(await db.get_session(session_id), session_id, count + 1)
                    assert await db.upsert_session(session) is not None
                    await db.upsert_run(run, session_id)
                except Exception as error:  # noqa: BLE001  # judged at the end
                    ledger.failed(error)
                    await asyncio.sleep(0.02)
                else:
                    count += 1
                    ledger.wrote(session_id, run["run_id"], count)

        await asyncio.gather(
            asyncio.to_thread(crash_and_restart, own_postgres, ledger), *(write(number) for number in range(WRITERS))
        )
        stored = {
            each: (await db.get_session(each, deserialize=False), (await db.get_runs(each, deserialize=False))[0])
            for each in ledger.counts
        }
        await db.close()
        ledger.check(stored)

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
    deadline = time.monotonic() + 20
    other = opened(own_postgres, "traced")
    while other.get_trace("during") is None and time.monotonic() < deadline:
        time.sleep(0.1)
    assert {each.span_id for each in other.get_spans()} == {"1", "2"}
    other.close()
    db.close()
