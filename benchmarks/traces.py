"""A trace of 50 spans: as agno's exporter writes it, on Postgres."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import psycopg
from agno.db.postgres import PostgresDb as AgnoPostgresDb
from agno.tracing.schemas import Span, create_trace_from_spans

from benchmarks.chat_turn import measured, shown
from benchmarks.wire import RoundTrips
from dbrouter.backends import PostgresDb

SPANS = 50


def spans() -> list[Span]:
    """A root and 49 children with attributes of the usual size."""
    trace_id, now = uuid4().hex, datetime.now(UTC)
    root = uuid4().hex[:16]
    made = [Span(root, trace_id, None, "bench.run", "INTERNAL", "OK", None, now, now, 5, {"agno.agent.id": "a"}, now)]
    made += [
        Span(
            uuid4().hex[:16],
            trace_id,
            root,
            f"child {index}",
            "INTERNAL",
            "OK",
            None,
            now,
            now,
            1,
            {"input": "x" * 500},
            now,
        )
        for index in range(SPANS - 1)
    ]
    return made


def export(db: object, batch: list[Span]) -> None:
    """What agno's exporter calls for a batch."""
    db.upsert_trace(create_trace_from_spans(batch))  # type: ignore[attr-defined]
    db.create_spans(batch)  # type: ignore[attr-defined]


def postgres(url: str) -> None:
    """The trace on Postgres: on the caller's thread, and until it is stored."""
    with psycopg.connect(url, autocommit=True) as admin:
        for schema in ("bench_ours", "bench_agno"):
            admin.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')
    counting = RoundTrips(url)
    notes: dict[str, str] = {}
    for name, db in (
        ("dbrouter, stored", PostgresDb(counting.url, db_schema="bench_ours", id="ours")),
        (
            "agno PostgresDb",
            AgnoPostgresDb(
                counting.url.replace("postgresql://", "postgresql+psycopg://"), db_schema="bench_agno", id="agno"
            ),
        ),
    ):
        for _ in range(3):
            batch = spans()
            export(db, batch)
            db.get_span(batch[0].span_id)
        batch = spans()
        with counting:
            export(db, batch)
            if isinstance(db, PostgresDb):
                db.get_span("nothing")
        extra = " (one of them the read that waits for it)" if isinstance(db, PostgresDb) else ""
        notes[name] = f"{counting.round_trips} round trips, {counting.statements} statements{extra}"
        db.close()
    counting.close()
    ours = PostgresDb(url, db_schema="bench_ours", id="ours")
    theirs = AgnoPostgresDb(url.replace("postgresql://", "postgresql+psycopg://"), db_schema="bench_agno", id="agno")

    def stored() -> None:
        export(ours, spans())
        ours.get_span("nothing")

    times = measured(
        40,
        ("dbrouter, caller", lambda: export(ours, spans())),
        ("dbrouter, stored", stored),
        ("agno PostgresDb", lambda: export(theirs, spans())),
    )
    shown(f"a trace of {SPANS} spans on Postgres", times, notes)
    ours.close()
    theirs.close()
