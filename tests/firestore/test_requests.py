"""What a call costs: requests, which take a trip each, and those at once together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from agno.db.base import SessionType
from agno.session import AgentSession
from agno.tracing.schemas import Span, Trace

from dbrouter.backends.firestore.store import FirestoreStore
from dbrouter.backends.firestore.target import Target
from dbrouter.backends.kernel.ops import Commit, Put
from dbrouter.backends.kernel.running import finish
from dbrouter.router.sync_db import SyncDb
from dbrouter.testing.conformance.records import session, trace
from tests.firestore.between import Between

READ, QUERY, COUNT, WRITE = "BatchGetDocuments", "RunQuery", "RunAggregationQuery", "Commit"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def between(target: Target, firestore: FirestoreStore) -> Iterator[Between]:
    assert target.emulator is not None
    records = [
        Put(table="sessions", record=session(f"s{number}", user_id="u", created_at=number)) for number in range(60)
    ]
    traces = [
        Put(table="traces", record=trace(f"t{number}", start_time=f"2026-01-01T00:00:{number:02}+00:00"))
        for number in range(60)
    ]
    finish(firestore.execute(Commit(writes=(*records, *traces))))
    finish(firestore.close())
    made = Between(target.emulator)
    yield made
    made.close()


@pytest.fixture
def db(target: Target, between: Between) -> Iterator[SyncDb]:
    made = SyncDb(FirestoreStore(replace(target, emulator=between.address)), id="counted")
    yield made
    made.close()


def requests(between: Between, call: Callable[[], Any]) -> Counter[str]:
    between.requests.clear()
    call()
    return +between.requests


def test_a_page_of_sessions_reads_the_page_and_no_more(db: SyncDb, between: Between) -> None:
    pages: list[Any] = []

    def page(**more: Any) -> None:
        pages.append(
            db.get_sessions(
                session_type=SessionType.AGENT,
                limit=20,
                page=2,
                sort_by="created_at",
                sort_order="desc",
                deserialize=False,
                **more,
            )
        )

    # The sessions with their number, and at once all of their runs.
    assert requests(between, page) == {QUERY: 2, COUNT: 1}
    rows, total = pages[0]
    assert total == 60
    assert [each["session_id"] for each in rows] == [f"s{number}" for number in range(39, 19, -1)]


def test_a_chat_turn_is_a_load_and_two_writes(db: SyncDb, between: Between) -> None:
    db.upsert_session(AgentSession(session_id="s", agent_id="a", user_id="u"))

    def turn(number: int) -> None:
        found = db.get_session("s", session_type=SessionType.AGENT, user_id="u")
        assert isinstance(found, AgentSession)
        found.session_data = {"session_state": {"n": number}}
        db.upsert_session(found)
        db.upsert_run({"run_id": f"r{number}", "agent_id": "a", "content": "x"}, "s")

    turn(0)
    spent = requests(between, lambda: turn(1))
    assert spent[QUERY] == 1
    # The session, the run's place in it, the run.
    assert spent[WRITE] == 3
    assert spent[READ] <= 5


def test_a_trace_of_fifty_spans_is_written_in_few_requests(db: SyncDb, between: Between) -> None:
    def write() -> None:
        db.upsert_trace(
            Trace(
                trace_id="new",
                name="run",
                status="OK",
                start_time=NOW,
                end_time=NOW,
                duration_ms=1,
                total_spans=50,
                error_count=0,
                run_id="r",
                session_id="s1",
                user_id="u",
                agent_id="a",
                team_id=None,
                workflow_id=None,
                created_at=NOW,
            )
        )
        db.create_spans([span(number) for number in range(50)])
        db.close()

    spent = requests(between, write)
    # The trace is looked for; of the spans, which are new, none is.
    assert (spent[READ], spent[WRITE], sum(spent.values())) == (1, 3, 4)
    assert len(db.get_spans(trace_id="new", limit=100)) == 50


def span(number: int) -> Span:
    return Span(
        span_id=f"p{number}",
        trace_id="new",
        parent_span_id=None,
        name="step",
        span_kind="INTERNAL",
        status_code="OK",
        status_message=None,
        start_time=NOW,
        end_time=NOW,
        duration_ms=1,
        attributes={},
        created_at=NOW,
    )


def test_a_page_of_traces_reads_the_page_and_no_more(db: SyncDb, between: Between) -> None:
    pages: list[Any] = []
    spent = requests(between, lambda: pages.append(db.get_traces(limit=20, page=1)))
    assert spent == {QUERY: 2, COUNT: 1}
    found, total = pages[0]
    assert (len(found), total) == (20, 60)
    assert found[0].trace_id == "t59"
