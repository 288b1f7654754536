"""Metrics: daily usage per owner, computed from sessions wherever they are, and never stale in silence."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.backends.kernel.ops import Insert, Op, Scan, Upsert, tables_of
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.memory.store import MemoryStore
from dbrouter.router.families.context import Context
from dbrouter.router.families.daily_usage import day_of, midnight
from dbrouter.router.families.metrics import Metrics
from tests.families.recorded import Recorded
from tests.waiting import PATIENCE

if TYPE_CHECKING:
    from dbrouter.backends.kernel.merging import Record
    from dbrouter.backends.kernel.store import Store

R = TypeVar("R")

TODAY = date(2026, 1, 10)
DAY = timedelta(days=1)
NOON = midnight(TODAY) + 12 * 3600


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self, now: int = NOON) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


def metrics_in(store: Store, clock: Clock | None = None) -> Metrics:
    return Metrics(Context(store, now=clock or Clock()))


def session(session_id: str, created_at: int = NOON, **columns: Any) -> Record:
    return {"session_id": session_id, "session_type": "agent", "created_at": created_at, **columns}


def run(run_id: str, session_id: str, model: str | None = None, provider: str | None = None) -> Record:
    run_data = {"model": model, "model_provider": provider, "content": "never read"}
    return {"run_id": run_id, "session_id": session_id, "run_type": "agent", "run_data": run_data, "created_at": NOON}


async def stored(store: Store, *, sessions: list[Record], runs: list[Record] | None = None) -> None:
    await store.execute(Insert(table="sessions", records=tuple(sessions)))
    if runs:
        await store.execute(Insert(table="runs", records=tuple(runs)))


async def test_without_sessions_there_is_nothing_to_compute(store: Store) -> None:
    metrics = metrics_in(store)
    assert await metrics.calculate_metrics() is None
    assert await metrics.get_metrics() == ([], None)


async def test_a_row_sums_up_one_owners_day(store: Store) -> None:
    spent = {"session_metrics": {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7, "reasoning_tokens": None}}
    await stored(
        store,
        sessions=[
            session("a1", user_id="u", session_data=spent),
            session("a2", user_id="u", session_data=spent),
            session("t1", user_id="u", session_type="team", session_data={}),
            session("w1", user_id="u", session_type="workflow"),
        ],
        runs=[
            run("r1", "a1", "m:1", "P"),
            run("r2", "a1", "m:1", "P"),
            run("r3", "a2", "m:1"),
            run("r4", "t1"),
        ],
    )
    rows = await metrics_in(store).calculate_metrics()
    assert rows is not None
    (row,) = rows
    assert isinstance(row.pop("id"), str)
    models = row.pop("model_metrics")
    assert sorted(models, key=lambda each: each["count"]) == [
        {"model_id": "m:1", "model_provider": "", "count": 1},
        {"model_id": "m:1", "model_provider": "P", "count": 2},
    ]
    tokens = row.pop("token_metrics")
    assert tokens == {
        "input_tokens": 6,
        "output_tokens": 8,
        "total_tokens": 14,
        "audio_total_tokens": 0,
        "audio_input_tokens": 0,
        "audio_output_tokens": 0,
        "cache_read_tokens": 0,
        "cache_write_tokens": 0,
        "reasoning_tokens": 0,
    }
    assert row == {
        "date": TODAY,
        "aggregation_period": "daily",
        "user_id": "u",
        "completed": False,
        "users_count": 1,
        "agent_sessions_count": 2,
        "team_sessions_count": 1,
        "workflow_sessions_count": 1,
        "agent_runs_count": 3,
        "team_runs_count": 1,
        "workflow_runs_count": 0,
        "created_at": NOON,
        "updated_at": NOON,
    }


async def test_owners_and_days_have_rows_of_their_own_and_past_days_are_completed(store: Store) -> None:
    first = midnight(TODAY - timedelta(days=2))
    await stored(
        store,
        sessions=[
            session("s1", first, user_id="u"),
            session("s2", first + 86_399, user_id=None),
            session("s3", NOON, user_id="u"),
        ],
    )
    rows, updated_at = await metrics_in(store).get_metrics()
    assert [(row["date"], row["user_id"], row["users_count"], row["completed"]) for row in rows] == [
        (TODAY - timedelta(days=2), None, 0, True),
        (TODAY - timedelta(days=2), "u", 1, True),
        (TODAY, "u", 1, False),
    ]
    assert updated_at == NOON


async def test_reads_are_bounded_by_day_and_owner(store: Store) -> None:
    clock = Clock()
    for day in range(3):
        for owner in ("u", "v", None):
            moment = midnight(TODAY - timedelta(days=day))
            await stored(store, sessions=[session(f"{day}{owner}", moment, user_id=owner)])
    metrics = metrics_in(store, clock)
    yesterday = TODAY - timedelta(days=1)
    rows, _ = await metrics.get_metrics(starting_date=yesterday, ending_date=yesterday)
    assert [row["user_id"] for row in rows] == [None, "u", "v"]
    assert {row["date"] for row in rows} == {yesterday}
    rows, _ = await metrics.get_metrics(user_id="u")
    assert [row["date"] for row in rows] == [TODAY - timedelta(days=2), yesterday, TODAY]
    rows, _ = await metrics.get_metrics(user_id="")
    assert {row["user_id"] for row in rows} == {None}
    assert len(rows) == 3
    assert await metrics.get_metrics(user_id="nobody") == ([], None)
    assert await metrics.get_metrics(starting_date=TODAY + timedelta(days=1)) == ([], None)


async def test_a_day_computed_again_keeps_its_id_and_its_first_time(store: Store) -> None:
    clock = Clock()
    metrics = metrics_in(store, clock)
    await stored(store, sessions=[session("s1", user_id="u")])
    (before,) = await metrics.calculate_metrics() or []
    clock.now += 10
    await stored(store, sessions=[session("s2", user_id="u")])
    (after,) = await metrics.calculate_metrics() or []
    assert (after["id"], after["created_at"]) == (before["id"], NOON)
    assert (after["agent_sessions_count"], after["updated_at"]) == (2, NOON + 10)


async def test_work_resumes_at_the_first_incomplete_day_and_completes_it(store: Store) -> None:
    clock = Clock()
    metrics = metrics_in(store, clock)
    await stored(store, sessions=[session("s1", user_id="u")])
    await metrics.calculate_metrics()
    clock.now += 86_400
    await stored(store, sessions=[session("s2", NOON + 60, user_id="u"), session("s3", clock.now, user_id="u")])
    rows = await metrics.calculate_metrics()
    assert rows is not None
    assert [(row["date"], row["completed"], row["agent_sessions_count"]) for row in rows] == [
        (TODAY, True, 2),
        (day_of(clock.now), False, 1),
    ]


async def test_computed_rows_come_by_day_and_owner_too(store: Store) -> None:
    # By their ids, as a database without an order of its own gives them, the sessions are the other way round.
    owners = ("v", "u", None)
    for index, (day, owner) in enumerate((day, owner) for day in range(2) for owner in owners):
        await stored(store, sessions=[session(f"s{index}", NOON - 86_400 * day, user_id=owner)])
    rows = await metrics_in(store).calculate_metrics()
    assert rows is not None
    yesterday = TODAY - timedelta(days=1)
    assert [(row["date"], row["user_id"]) for row in rows] == [
        (day, owner) for day in (yesterday, TODAY) for owner in ("", "u", "v")
    ]


async def test_completed_days_are_not_computed_again(store: Store) -> None:
    clock = Clock(NOON + 86_400)
    await stored(store, sessions=[session("s1", user_id="u")])
    assert len(await metrics_in(store, clock).calculate_metrics() or []) == 1
    await stored(store, sessions=[session("late", NOON, user_id="v")])
    assert await metrics_in(store, clock).calculate_metrics() == []


async def test_reads_refresh_at_most_once_a_minute(store: Store) -> None:
    clock = Clock()
    metrics = metrics_in(store, clock)
    await stored(store, sessions=[session("s1")])
    assert (await metrics.get_metrics())[0][0]["agent_sessions_count"] == 1
    await stored(store, sessions=[session("s2")])
    clock.now += 59
    assert (await metrics.get_metrics())[0][0]["agent_sessions_count"] == 1
    clock.now += 1
    assert (await metrics.get_metrics())[0][0]["agent_sessions_count"] == 2


async def test_no_run_body_is_read_and_all_days_are_one_write(store: Store) -> None:
    await stored(store, sessions=[session("s1", NOON - 86_400), session("s2")], runs=[run("r1", "s1", "m", "p")])
    recorded = Recorded(store)
    await metrics_in(recorded).calculate_metrics()
    assert not [op for op in recorded.ops if isinstance(op, Scan) and op.table == "runs"]
    sessions = [op.columns for op in recorded.ops if isinstance(op, Scan) and op.table == "sessions"]
    assert all(columns is not None and "agent_data" not in columns for columns in sessions)
    assert len([op for op in recorded.ops if isinstance(op, Upsert)]) == 1


class SessionsAway(Recorded):
    """A store that cannot reach its sessions while `away`."""

    away = True

    async def execute(self, op: Op[R], /) -> R:
        if self.away and "sessions" in tables_of(op):
            raise Unavailable("sessions did not answer")
        return await super().execute(op)


async def test_a_read_fails_while_the_sessions_are_away_and_tries_again_at_once(store: Store) -> None:
    await stored(store, sessions=[session("s1")])
    away = SessionsAway(store)
    metrics = metrics_in(away)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await metrics.get_metrics()
    away.away = False
    assert len((await metrics.get_metrics())[0]) == 1


class Held(Recorded):
    """A store on which the first write of metrics waits until it may go on, and then fails if it is to."""

    def __init__(self, inner: Store, *, fails: bool = False) -> None:
        super().__init__(inner)
        self.reached, self.go_on = threading.Event(), threading.Event()
        self.fails = fails

    async def execute(self, op: Op[Any], /) -> Any:
        if isinstance(op, Upsert) and not self.reached.is_set():
            self.reached.set()
            assert self.go_on.wait(PATIENCE)
            if self.fails:
                raise Unavailable("away")
        return await super().execute(op)


@pytest.mark.parametrize("fails", [False, True])
def test_who_reads_while_another_computes_has_the_rows_too(*, fails: bool) -> None:
    held = Held(MemoryStore(), fails=fails)
    finish(stored(held, sessions=[session("s", user_id="u")]))
    metrics = metrics_in(held)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(finish, metrics.get_metrics())
        assert held.reached.wait(PATIENCE)
        second = threads.submit(finish, metrics.get_metrics())
        time.sleep(0.1)
        held.go_on.set()
        if fails:
            with pytest.raises(Unavailable):
                first.result()
        else:
            assert [row["user_id"] for row in first.result()[0]] == ["u"]
        assert [row["user_id"] for row in second.result()[0]] == ["u"]
    writes = [op for op in held.ops if isinstance(op, Upsert)]
    assert len(writes) == 1


def test_who_waited_in_vain_computes() -> None:
    held = Held(MemoryStore())
    finish(stored(held, sessions=[session("s", user_id="u")]))
    metrics = metrics_in(held)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(finish, metrics.get_metrics())
        assert held.reached.wait(PATIENCE)
        try:
            # The other holds its turn for longer than anybody waits.
            assert [row["user_id"] for row in finish(metrics.get_metrics())[0]] == ["u"]
        finally:
            held.go_on.set()
        assert [row["user_id"] for row in first.result()[0]] == ["u"]


def test_days_are_utc() -> None:
    assert day_of(midnight(TODAY)) == TODAY
    assert day_of(midnight(TODAY) - 1) == TODAY - timedelta(days=1)
    assert datetime.fromtimestamp(midnight(TODAY), tz=UTC) == datetime(2026, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "first", "last"),
    [
        (TODAY, TODAY, TODAY),
        (datetime(2026, 1, 10), TODAY, TODAY),  # noqa: DTZ001  # as callers write it
        (datetime(2026, 1, 10, 0, 0, 0, 1), TODAY + DAY, TODAY),  # noqa: DTZ001
        (datetime(2026, 1, 11, 1, tzinfo=timezone(timedelta(hours=1))), TODAY + DAY, TODAY + DAY),
        (datetime(2026, 1, 11, 0, 30, tzinfo=timezone(timedelta(hours=1))), TODAY + DAY, TODAY),
        ("2026-01-10", TODAY, TODAY),
        ("2026-01-10T00:00:00", TODAY, TODAY),
        ("2026-01-10T23:59:00", TODAY + DAY, TODAY),
        ("2026-01-11T00:30:00+01:00", TODAY + DAY, TODAY),
        (None, None, None),
    ],
)
def test_a_bound_may_be_a_point_in_time_or_text(given: Any, first: date | None, last: date | None) -> None:
    store = MemoryStore()
    finish(stored(store, sessions=[session(f"s{days}", NOON + days * 86_400) for days in (-1, 0, 1, 2)]))
    metrics = metrics_in(store, Clock(NOON + 2 * 86_400))

    def days(**bounds: Any) -> list[date]:
        return [row["date"] for row in finish(metrics.get_metrics(**bounds))[0]]

    every = days()
    assert len(every) == 4
    assert days(starting_date=given) == [day for day in every if first is None or day >= first]
    assert days(ending_date=given) == [day for day in every if last is None or day <= last]


@pytest.mark.parametrize(("given", "error"), [("yesterday", ValueError), ("", ValueError), (5, TypeError)])
def test_what_is_no_day_is_refused(given: Any, error: type[Exception]) -> None:
    metrics = metrics_in(MemoryStore())
    for name in ("starting_date", "ending_date"):
        with pytest.raises(error, match=f"`{name}` must be a date"):
            finish(metrics.get_metrics(**{name: given}))
