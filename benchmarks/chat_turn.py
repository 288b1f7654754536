"""One chat turn on Postgres and SQLite: time, statements and round trips, beside agno's class and bare psycopg."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from agno.db.postgres import PostgresDb as AgnoPostgresDb
from agno.db.sqlite import SqliteDb as AgnoSqliteDb

from benchmarks.conversation import AGENT, EARLIER_RUNS, SESSION, USER, fill, run, turn
from benchmarks.wire import RoundTrips
from dbrouter.backends import PostgresDb, SqliteDb

ROUNDS = 300


def measured(rounds: int, *subjects: tuple[str, Callable[[], None]]) -> dict[str, list[float]]:
    """Milliseconds of each subject, taken in turn so that the machine's moods hit all alike."""
    times: dict[str, list[float]] = {name: [] for name, _ in subjects}
    for _ in range(20):
        for _, call in subjects:
            call()
    for _ in range(rounds):
        for name, call in subjects:
            start = time.perf_counter()
            call()
            times[name].append((time.perf_counter() - start) * 1000)
    return times


def shown(title: str, times: dict[str, list[float]], notes: dict[str, str] | None = None) -> None:
    """A line for each subject: median, 95th percentile, and how it stands to the first."""
    print(f"\n{title}")
    first = statistics.median(next(iter(times.values())))
    for name, values in times.items():
        median = statistics.median(values)
        p95 = statistics.quantiles(values, n=20)[-1]
        note = (notes or {}).get(name, "")
        print(f"  {name:<22} median {median:7.3f} ms   p95 {p95:7.3f} ms   {median / first:5.2f} x   {note}")


def postgres(url: str) -> None:
    """The turn on Postgres."""
    with psycopg.connect(url, autocommit=True) as admin:
        for schema in ("bench_ours", "bench_agno"):
            admin.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')
    counting = RoundTrips(url)
    ours = PostgresDb(counting.url, db_schema="bench_ours", id="ours")
    theirs = AgnoPostgresDb(
        counting.url.replace("postgresql://", "postgresql+psycopg://"), db_schema="bench_agno", id="agno"
    )
    new = run(EARLIER_RUNS)
    body = json.dumps(new.to_dict())
    for db in (ours, theirs):
        fill(db)
        turn(db, new)
    notes: dict[str, str] = {}
    for name, db in (("dbrouter", ours), ("agno PostgresDb", theirs)):
        turn(db, new)
        with counting:
            turn(db, new)
        notes[name] = f"{counting.round_trips} round trips, {counting.statements} statements"
    bare = psycopg.connect(counting.url, autocommit=True)

    def bare_turn() -> None:
        schema = "bench_ours"
        row = bare.execute(
            f"SELECT * FROM {schema}.agno_sessions WHERE session_id = %s AND user_id = %s", (SESSION, USER)
        ).fetchone()
        bare.execute(
            f"SELECT run_data FROM {schema}.agno_runs WHERE session_id = %s ORDER BY run_index", (SESSION,)
        ).fetchall()
        assert row is not None
        bare.execute(
            f"UPDATE {schema}.agno_sessions SET session_data = %s, updated_at = 1 WHERE session_id = %s",
            (json.dumps(row[6]), SESSION),
        )
        bare.execute(
            f"INSERT INTO {schema}.agno_runs"
            " (run_id, session_id, run_type, agent_id, user_id, run_index, run_data, created_at)"
            " VALUES (%s, %s, 'agent', %s, %s, %s, %s, 1)"
            " ON CONFLICT (run_id) DO UPDATE SET run_data = excluded.run_data",
            (new.run_id, SESSION, AGENT, USER, EARLIER_RUNS, body),
        )
        bare.execute(f"UPDATE {schema}.agno_approvals SET run_status = 'x' WHERE run_id = %s", (new.run_id,))

    ours.create_approval(_approval())
    theirs.create_approval(_approval())
    with counting:
        bare_turn()
    notes["bare psycopg"] = f"{counting.round_trips} round trips, {counting.statements} statements"
    # Timed on direct connections: the counting proxy would add its own hops.
    direct_ours = PostgresDb(url, db_schema="bench_ours", id="ours")
    direct_theirs = AgnoPostgresDb(
        url.replace("postgresql://", "postgresql+psycopg://"), db_schema="bench_agno", id="agno"
    )
    bare = psycopg.connect(url, autocommit=True)
    times = measured(
        ROUNDS,
        ("dbrouter", lambda: turn(direct_ours, new)),
        ("agno PostgresDb", lambda: turn(direct_theirs, new)),
        ("bare psycopg", bare_turn),
    )
    shown(f"one chat turn with {EARLIER_RUNS} earlier runs on Postgres", times, notes)
    for db in (ours, theirs, direct_ours, direct_theirs):
        db.close()
    counting.close()


def sqlite(folder: Path) -> None:
    """The turn on SQLite."""
    new = run(EARLIER_RUNS)
    dbs: list[tuple[str, Any]] = [
        ("dbrouter", SqliteDb(str(folder / "ours.db"), id="ours")),
        ("agno SqliteDb", AgnoSqliteDb(str(folder / "agno.db"), id="agno")),
    ]
    for _, db in dbs:
        fill(db)
        db.create_approval(_approval())
    times = measured(ROUNDS, *((name, lambda db=db: turn(db, new)) for name, db in dbs))
    shown(f"one chat turn with {EARLIER_RUNS} earlier runs on SQLite", times)
    for _, db in dbs:
        db.close()


def _approval() -> dict[str, Any]:
    return {
        "id": "bench-approval",
        "run_id": "another-run",
        "session_id": SESSION,
        "status": "pending",
        "source_type": "agent",
        "pause_type": "confirmation",
    }
