"""Texts and sizes: ids differ in case and blanks, order is by code point, what no packet takes is refused by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from dbrouter.backends.kernel.errors import TooLarge, Unstorable
from dbrouter.backends.kernel.filters import Comparison, Contains, Field, HasItem, Like, StartsWith, compare, eq
from dbrouter.backends.kernel.merging import Elapsed, Greatest, Least, Replace
from dbrouter.backends.kernel.ops import Get, Insert, Order, Scan, Upsert
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.mysql.native_filters import runs_natively
from dbrouter.backends.mysql.store import MySqlStore
from dbrouter.testing.conformance.records import learning, run, session, trace

ALIKE = ("a", "A", "a ", "á", "A\N{COMBINING ACUTE ACCENT}", "\U0001f600", "\U0001f601", "ß", "ss", "", " ")
"""Texts that one collation or another takes for equal."""


def keys(store: MySqlStore, scan: Scan) -> list[str]:
    return [record["learning_id"] for record in finish(store.execute(scan)).records]


def test_ids_that_look_alike_are_different_records(store: MySqlStore) -> None:
    finish(store.execute(Insert(table="learnings", records=tuple(learning(f"x{each}") for each in ALIKE))))
    for each in ALIKE:
        assert keys(store, Scan(table="learnings", where=eq("learning_id", f"x{each}"))) == [f"x{each}"]


def test_order_and_comparison_are_by_code_point(store: MySqlStore) -> None:
    finish(
        store.execute(Insert(table="learnings", records=tuple(learning(each, namespace=each) for each in ALIKE[:-2])))
    )
    by_name = (Order(Field("namespace")),)
    assert keys(store, Scan(table="learnings", order=by_name)) == sorted(ALIKE[:-2])
    above = compare("namespace", Comparison.GT, "a")
    assert keys(store, Scan(table="learnings", where=above, order=by_name)) == sorted(
        each for each in ALIKE if each > "a"
    )


VALUES: dict[str, Any] = {
    "text": "nul \0, lone \ud800, \U0001f600, \ufdd0, 'quotes\" \\ back \n % _ ` ; -- /* x",
    "numbers": [0.1, 1e300, -0.0, 2**63 - 1, 2**80, float("inf"), Decimal("1.10")],
    "bytes": b"\0\xff",
}


def test_values_come_back_the_same(store: MySqlStore) -> None:
    finish(
        store.execute(Insert(table="sessions", records=(session("s1", session_data=VALUES, user_id=VALUES["text"]),)))
    )
    stored = finish(store.execute(Get(table="sessions", key=("s1",))))
    assert stored is not None
    assert stored.record["session_data"] == VALUES
    assert stored.record["user_id"] == VALUES["text"]
    assert str(stored.record["session_data"]["numbers"][2]) == "-0.0"


def test_ids_and_times_become_what_agnos_encoder_makes_of_them(store: MySqlStore) -> None:
    data = {"id": UUID(int=1), "at": datetime(2024, 1, 2, tzinfo=UTC)}
    finish(store.execute(Insert(table="sessions", records=(session("s1", session_data=data),))))
    stored = finish(store.execute(Get(table="sessions", key=("s1",))))
    assert stored is not None
    assert stored.record["session_data"] == {"id": str(UUID(int=1)), "at": "2024-01-02T00:00:00+00:00"}


def test_a_record_that_no_packet_takes_is_refused_by_name_and_nothing_is_written(store: MySqlStore) -> None:
    finish(store.execute(Insert(table="sessions", records=(session("s1"),))))
    big = {**run("r1", "s1"), "run_data": {"text": "x" * 20_000_000}}
    for op in (
        Insert(table="runs", records=(big,)),
        Upsert(table="runs", records=(big,), rules={"run_data": Replace()}),
    ):
        with pytest.raises(TooLarge, match=r"agno_runs: a statement of 19\.1 MB does not fit into the 16\.0 MB"):
            finish(store.execute(op))
    assert finish(store.execute(Scan(table="runs"))).records == []
    fits = {**run("r1", "s1"), "run_data": {"text": "é" * 7_000_000}}
    finish(store.execute(Insert(table="runs", records=(fits,))))
    stored = finish(store.execute(Get(table="runs", key=("r1",))))
    assert stored is not None
    assert stored.record["run_data"] == fits["run_data"]


def test_records_that_fit_no_packet_together_go_in_several(store: MySqlStore) -> None:
    records = tuple(learning(f"{number}", content={"text": "x" * 3_000_000}) for number in range(8))
    for each in records:
        finish(store.execute(Upsert(table="learnings", records=(each,))))
    rules = {"content": Replace()}
    for each in records:
        finish(store.execute(Upsert(table="learnings", records=(each,), rules=rules)))
    assert len(finish(store.execute(Scan(table="learnings", columns=("learning_id",)))).records) == 8


def test_json_that_is_too_deep_for_the_server_is_refused_and_nothing_is_written(store: MySqlStore) -> None:
    deep: Any = 1
    for _ in range(60):
        deep = [deep]
    with pytest.raises(Unstorable, match="nothing was written"):
        finish(store.execute(Insert(table="learnings", records=(learning("a", content={"x": deep}),))))
    assert finish(store.execute(Scan(table="learnings"))).records == []


def test_searches_that_would_depend_on_how_json_was_written_are_the_kernels() -> None:
    memory, name, inside = Field("memory"), Field("name"), Field("session_data", ("session_name",))
    for native in (
        Contains(memory, "likes tea"),
        Contains(name, "50% (a, b)"),
        Contains(inside, '"quoted"'),
        StartsWith(name, "a"),
        Like("content", "%two%words%"),
        HasItem("topics", 'food "x"'),
    ):
        assert runs_natively(native), native
    for not_native in (
        Contains(memory, '", "'),
        Contains(memory, " tea"),
        Contains(memory, "é"),
        Contains(name, "É"),
        Like("content", '%"a": 1%'),
        HasItem("topics", "é"),
    ):
        assert not runs_natively(not_native), not_native


def test_the_time_between_two_moments_of_different_offsets_is_whole_milliseconds(store: MySqlStore) -> None:
    rules = {"start_time": Least(), "end_time": Greatest(), "duration_ms": Elapsed("start_time", "end_time")}
    utc = datetime(2024, 1, 1, 12, 0, 0, 123_456, tzinfo=UTC)
    for start, end, took in (
        (utc, utc + timedelta(microseconds=1_999_999), 1999),
        (utc.astimezone(timezone(timedelta(hours=-3, minutes=-30))), utc + timedelta(days=1), 86_400_000),
        (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC), 0),
    ):
        record = {**trace("t"), "start_time": start.isoformat(), "end_time": end.isoformat()}
        finish(store.execute(Insert(table="traces", records=({**record, "trace_id": f"{took}"},))))
        again = Upsert(table="traces", records=({**record, "trace_id": f"{took}"},), rules=rules)
        (stored,) = finish(store.execute(again))
        assert stored is not None
        assert stored.record["duration_ms"] == took
