"""Listings and statistics over several databases are those of one."""

from __future__ import annotations

from typing import Any

import pytest

from dbrouter.backends.kernel.filters import EVERYTHING, Field, Related, all_of, eq
from dbrouter.backends.kernel.ops import Aggregate, Computed, Insert, Measure, Order, Scan
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.memory.store import MemoryStore
from dbrouter.router.agno_types import AgentSession, UserMemory
from tests.families.trace_samples import at, span, trace
from tests.router.world import OPS_BOT, World

AGENTS = ("helper", "ops-bot", "clerk")


@pytest.fixture
def filled(world: World) -> World:
    """Thirty sessions over two databases, with ties in every order."""
    for number in range(30):
        session = AgentSession(
            session_id=f"s{number:02}",
            agent_id=AGENTS[number % 3],
            user_id=("ann", "bob")[number % 2],
            created_at=number // 4,
            session_data={"session_name": f"Talk {number}"},
        )
        world.db.upsert_session(session)
        world.db.upsert_run({"run_id": f"r{number:02}", "agent_id": "a", "created_at": number}, session.session_id)
    assert {len(each.keys("sessions")) for each in (world.primary, world.ops)} == {20, 10}
    return world


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("limit", [1, 4, 7, 30, 50])
def test_pages_neither_repeat_nor_miss_a_row(filled: World, limit: int, *, descending: bool) -> None:
    asked: dict[str, Any] = {
        "sort_by": "created_at",
        "sort_order": "desc" if descending else "asc",
        "deserialize": False,
    }
    everything, total = filled.db.get_sessions(**asked)
    assert total == 30
    assert [row["created_at"] for row in everything] == sorted(
        (row["created_at"] for row in everything), reverse=descending
    )
    pages = [filled.db.get_sessions(limit=limit, page=page, **asked) for page in range(1, 32 // limit + 2)]
    assert [row["session_id"] for rows, _ in pages for row in rows] == [row["session_id"] for row in everything]
    assert {count for _, count in pages} == {30}


def test_a_page_asks_each_database_for_no_more_than_its_end(filled: World) -> None:
    filled.forget_counts()
    filled.db.get_sessions(sort_by="created_at", limit=3, page=2, deserialize=False, include_runs=False)
    scans = [op for each in filled.databases.values() for op in each.ops if isinstance(op, Scan)]
    assert {(scan.limit, scan.offset) for scan in scans} == {(6, 0)}


def test_filters_and_totals_are_of_all_databases(filled: World) -> None:
    rows, total = filled.db.get_sessions(
        user_id="ann", limit=2, page=1, sort_by="session_id", sort_order="asc", deserialize=False
    )
    assert ([row["session_id"] for row in rows], total) == (["s00", "s02"], 15)
    assert len(rows[0]["runs"]) == 1
    rows, total = filled.db.get_sessions(session_name="talk 1", deserialize=False)
    assert total == 11
    assert filled.db.get_runs(deserialize=False, limit=5)[1] == 30


def test_columns_that_only_the_order_needs_do_not_come_along(filled: World) -> None:
    scan = Scan(table="sessions", order=(Order(Field("created_at"), descending=True),), columns=("user_id",), limit=3)
    assert filled.db.ask(scan).records == [{"user_id": "bob"}, {"user_id": "ann"}, {"user_id": "bob"}]


@pytest.fixture
def traced(world: World) -> World:
    """Traces of three components, in three databases."""
    for number in range(40):
        owner = ({"agent_id": "helper"}, {"agent_id": "ops-bot"}, {"workflow_id": "digest"})[number % 3]
        world.db.upsert_trace(
            trace(
                f"t{number}",
                number,
                number + 1 + number % 7,
                session_id=f"s{number % 5}",
                name=("one", "two")[number % 2],
                status=("OK", "OK", "ERROR")[number % 3],
                **owner,
            )
        )
        world.db.create_spans(
            [span(f"{number}", f"t{number}", number, number + number % 9, name=("a", "b")[number % 2])]
        )
    assert all(each.keys("traces") for each in world.databases.values())
    return world


def model_of(world: World) -> Any:
    """One memory store with all that the three hold."""
    model = MemoryStore()
    for table in ("traces", "spans"):
        records = tuple(row for each in world.databases.values() for row in each.inner_rows(table))
        finish(model.execute(Insert(table=table, records=records)))
    return model


MEASURES = (
    Computed(name="count", measure=Measure.COUNT),
    Computed(name="slow", measure=Measure.COUNT, where=eq("status", "ERROR")),
    Computed(name="sessions", measure=Measure.DISTINCT, field=Field("session_id")),
    Computed(name="first", measure=Measure.MIN, field=Field("start_time")),
    Computed(name="last", measure=Measure.MAX, field=Field("start_time")),
    Computed(name="mean", measure=Measure.MEAN, field=Field("duration_ms")),
    Computed(name="p95", measure=Measure.P95, field=Field("duration_ms")),
)


@pytest.mark.parametrize(
    "measures", [MEASURES[:1], MEASURES[:2] + MEASURES[3:5], MEASURES, MEASURES[5:6], MEASURES[6:]]
)
@pytest.mark.parametrize("by", [{}, {"name": Field("name")}, {"session": Field("session_id"), "name": Field("name")}])
@pytest.mark.parametrize("where", [EVERYTHING, eq("status", "ERROR"), eq("status", "nothing")])
def test_groups_are_combined(traced: World, by: dict[str, Field], measures: tuple[Computed, ...], where: Any) -> None:
    order = (Order(Field(measures[0].name), descending=True),)
    for limit, offset in ((None, 0), (2, 1)):
        op = Aggregate(
            table="traces",
            by=by,
            measures=measures,
            where=where,
            order=order,
            limit=limit,
            offset=offset,
            total=bool(by),
        )
        assert traced.db.ask(op) == finish(model_of(traced).execute(op))


@pytest.mark.parametrize("group_by", ["session", "agent", "team", "workflow", "endpoint"])
def test_statistics_of_traces_are_those_of_one_database(traced: World, group_by: str) -> None:
    from tests.router.world import Calls

    one = Calls(model_of(traced))
    for asked in ({}, {"limit": 1, "page": 2}, {"agent_id": "ops-bot"}, {"start_time": at(10)}):
        assert traced.db.get_trace_stats(group_by=group_by, **asked) == one.get_trace_stats(group_by=group_by, **asked)
    for asked in ({}, {"agent_id": "helper"}, {"workflow_id": "digest"}, {"sort_by": "avg_duration_ms", "limit": 1}):
        assert traced.db.get_span_stats(**asked) == one.get_span_stats(**asked)
    assert traced.db.get_traces(limit=7, page=2) == one.get_traces(limit=7, page=2)


def test_questions_to_another_family_are_answered_from_wherever_it_is(traced: World) -> None:
    """Traces of sessions that a user has: the sessions are in other databases than the traces."""
    for number in range(5):
        session = AgentSession(
            session_id=f"s{number}", agent_id=AGENTS[number % 3], user_id=f"u{number % 2}", created_at=1
        )
        traced.db.upsert_session(session)
    where = Related("session_id", "sessions", "session_id", eq("user_id", "u0"))
    found = traced.db.ask(Scan(table="traces", where=where, columns=("trace_id",))).records
    assert {row["trace_id"] for row in found} == {f"t{number}" for number in range(40) if number % 5 % 2 == 0}
    one = traced.db.ask(Scan(table="traces", where=all_of(where, eq("status", "ERROR")), total=True, limit=1))
    assert one.total == sum(number % 5 % 2 == 0 and number % 3 == 2 for number in range(40))


def test_metrics_count_the_sessions_of_every_database(world: World) -> None:
    import time

    now = int(time.time())
    for number, agent_id in enumerate(("helper", "ops-bot", "ops-bot")):
        world.db.upsert_session(AgentSession(session_id=f"s{number}", agent_id=agent_id, user_id="ann", created_at=now))
    for db in (world.view(OPS_BOT), world.db, world.cold()):
        db.calculate_metrics()
        rows, _ = db.get_metrics()
        assert sum(row["agent_sessions_count"] for row in rows) == 3
    assert {len(each.inner_rows("metrics")) for each in (world.ops, world.cheap)} == {0}


def test_topics_and_memories_of_all_databases_come_together(world: World) -> None:
    for number, agent_id in enumerate((None, "ops-bot", "helper")):
        memory = UserMemory(
            memory=f"m{number}", memory_id=f"m{number}", user_id="ann", agent_id=agent_id, topics=[f"t{number}"]
        )
        world.db.upsert_user_memory(memory)
    assert sorted(world.db.get_all_memory_topics()) == ["t0", "t1", "t2"]
    assert len(world.db.get_user_memories(user_id="ann")) == 3
    (stats,), total = world.db.get_user_memory_stats()
    assert (stats["total_memories"], total) == (3, 1)
