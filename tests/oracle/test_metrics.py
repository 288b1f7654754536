"""Metrics as agno's own classes compute them from the same sessions and runs."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dbrouter.backends.kernel.ops import Insert
from dbrouter.backends.kernel.running import finish
from dbrouter.router.families.daily_usage import day_of, midnight

if TYPE_CHECKING:
    from dbrouter.backends.kernel.merging import Record
    from dbrouter.backends.kernel.store import Store
    from tests.oracle.conftest import Both

SPENT = {"session_metrics": {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7, "cache_read_tokens": 1}}


def put(both: Both, store: Store, table: str, *records: Record) -> None:
    """The same rows on both sides."""
    finish(store.execute(Insert(table=table, records=records)))
    theirs = both.agno._get_table(table_type=table, create_table_if_not_found=True)
    with both.agno.Session() as session, session.begin():
        for record in records:
            session.execute(theirs.insert().values(**record))


@pytest.fixture
def today(both: Both) -> int:
    """The real day: agno's helpers look at the real clock."""
    both.clock.seconds = int(time.time())
    return midnight(day_of(both.clock.seconds))


def session(session_id: str, created_at: int, user_id: str | None, session_type: str = "agent", **more: Any) -> Record:
    return {
        "session_id": session_id,
        "session_type": session_type,
        "user_id": user_id,
        "created_at": created_at,
        **more,
    }


def run(run_id: str, session_id: str, created_at: int, **run_data: Any) -> Record:
    return {
        "run_id": run_id,
        "session_id": session_id,
        "run_type": "agent",
        "run_data": run_data,
        "created_at": created_at,
    }


def fill(both: Both, store: Store, today: int) -> None:
    day = 86_400
    put(
        both,
        store,
        "sessions",
        session("a1", today - 3 * day, "ann", session_data=SPENT),
        session("a2", today - 2 * day - 1, "ann", session_data=SPENT | {"session_name": "x"}),
        session("t1", today - day, "ann", "team", session_data={}),
        session("w1", today - day + 5, None, "workflow"),
        session("a3", today, "bob", session_data=SPENT),
        session("a4", today, ""),
    )
    put(
        both,
        store,
        "runs",
        run("1", "a1", today, model="m:x", model_provider="P"),
        run("2", "a1", today, model="m:x", model_provider="P"),
        run("3", "a2", today, model="m"),
        run("4", "t1", today, model="m", model_provider=None),
        run("5", "t1", today, content="no model"),
        run("6", "a3", today, model="", model_provider="P"),
    )


def comparable(rows: list[Record] | None) -> list[Record] | None:
    """The rows without their random ids, in one order; models in one order."""
    if rows is None:
        return None
    stripped = [{name: value for name, value in row.items() if name not in {"id", "created_at"}} for row in rows]
    for row in stripped:
        # SqliteDb writes a missing provider as "None"; PostgresDb, the reference, as "".
        models = [
            each | {"model_provider": each["model_provider"].replace("None", "")} for each in row["model_metrics"]
        ]
        row["model_metrics"] = sorted(models, key=repr)
        row["updated_at"] = row["updated_at"] is not None
    return sorted(stripped, key=lambda row: (row["date"], row["user_id"] or ""))


def test_computed_rows_agree(both: Both, our_store: Store, today: int) -> None:
    assert both.answers("calculate_metrics") == (None, None)
    fill(both, our_store, today)
    theirs, mine = both.answers("calculate_metrics")
    assert comparable(mine) == comparable(theirs)
    assert len(mine) == 5


def test_work_resumes_alike(both: Both, our_store: Store, today: int) -> None:
    fill(both, our_store, today)
    both.answers("calculate_metrics")
    put(both, our_store, "sessions", session("late", today - 86_400, "late"), session("new", today, "bob"))
    theirs, mine = both.answers("calculate_metrics")
    assert comparable(mine) == comparable(theirs)
    assert {row["user_id"] for row in mine} == {"bob", ""}


@pytest.mark.parametrize("user_id", [None, "ann", "", "nobody"])
@pytest.mark.parametrize(("first", "last"), [(None, None), (1, None), (None, 1), (1, 1), (9, 9)])
def test_reads_agree(
    both: Both, our_store: Store, today: int, user_id: str | None, first: int | None, last: int | None
) -> None:
    fill(both, our_store, today)
    asked = {
        "starting_date": None if first is None else day_of(today) - timedelta(days=first),
        "ending_date": None if last is None else day_of(today) - timedelta(days=last),
        "user_id": user_id,
    }
    (their_rows, their_time), (my_rows, my_time) = both.answers("get_metrics", **asked)
    assert comparable(my_rows) == comparable(their_rows)
    assert (my_time is None) == (their_time is None)
