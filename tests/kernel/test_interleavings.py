"""Emulated writes keep their promises whatever the order of the requests beneath them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbrouter.backends.kernel.errors import Duplicate
from dbrouter.backends.kernel.filters import EVERYTHING, Field, eq, is_null
from dbrouter.backends.kernel.merging import Next, Replace
from dbrouter.backends.kernel.ops import ABSENT, Claim, Delete, Insert, Order, Scan, Update, Upsert
from dbrouter.backends.kernel.store import Store
from tests.kernel.interleaving import alone, drive, emulated
from tests.kernel.rows import metric, run, schedule, session

# Stretches in which one writer goes on: most races need one writer asleep while another does several requests.
CHOICES = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 12)), max_size=20).map(
    lambda stretches: [who for who, requests in stretches for _ in range(requests)]
)
COMMITS = st.booleans()


@given(choices=CHOICES, commits=COMMITS, writers=st.integers(2, 3))
def test_one_of_the_writers_gets_a_unique_value(choices: list[int], commits: bool, writers: int) -> None:
    store = emulated(commits=commits)
    inserts = [Insert(table="schedules", records=(schedule(f"s{each}", "same"),)) for each in range(writers)]
    outcomes = drive([store.execute(insert) for insert in inserts], choices)
    assert sum(outcome is None for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Duplicate) for outcome in outcomes) == writers - 1
    assert len(_all(store, "schedules")) == 1


@given(choices=CHOICES, commits=COMMITS)
def test_a_unique_value_is_had_once_while_records_change_theirs(choices: list[int], commits: bool) -> None:
    store = emulated(commits=commits)
    for each in ("a", "b"):
        alone(store.execute(Insert(table="schedules", records=(schedule(each, each),))))
    outcomes = drive(
        [
            store.execute(Update(table="schedules", where=eq("id", "a"), changes={"name": "c"})),
            store.execute(Update(table="schedules", where=eq("id", "b"), changes={"name": "a"})),
            store.execute(Insert(table="schedules", records=(schedule("c", "a"),))),
        ],
        choices,
    )
    _only_duplicates_fail(outcomes)
    names = [row["name"] for row in _all(store, "schedules")]
    assert len(names) == len(set(names))
    # Whoever was told so has the name.
    assert isinstance(outcomes[2], Duplicate) is ("c" not in [row["id"] for row in _all(store, "schedules")])


@given(choices=CHOICES, commits=COMMITS)
def test_a_value_given_up_can_be_taken_and_is_had_once(choices: list[int], commits: bool) -> None:
    store = emulated(commits=commits)
    alone(store.execute(Insert(table="schedules", records=(schedule("a", "same"),))))
    outcomes = drive(
        [
            store.execute(Delete(table="schedules", where=eq("id", "a"))),
            store.execute(Insert(table="schedules", records=(schedule("b", "same"),))),
            store.execute(Insert(table="schedules", records=(schedule("a", "same"),))),
        ],
        choices,
    )
    _only_duplicates_fail(outcomes)
    assert len(_all(store, "schedules")) <= 1
    alone(store.execute(Delete(table="schedules", where=EVERYTHING)))
    alone(store.execute(Insert(table="schedules", records=(schedule("z", "same"),))))


@given(choices=CHOICES, commits=COMMITS)
def test_upserts_that_are_one_record_by_a_unique_set_become_one(choices: list[int], commits: bool) -> None:
    store = emulated(commits=commits)
    upserts = [
        Upsert(
            table="metrics",
            records=(metric(f"m{each}", "u", users_count=each),),
            rules={"users_count": Replace()},
            on=("user_id", "date", "aggregation_period"),
        )
        for each in range(3)
    ]
    outcomes = drive([store.execute(upsert) for upsert in upserts], choices)
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    (stored,) = _all(store, "metrics")
    assert {answers[0].record["id"] for answers in outcomes} == {stored["id"]}


@given(choices=CHOICES, commits=COMMITS, writers=st.integers(2, 4))
def test_no_position_is_given_twice(choices: list[int], commits: bool, writers: int) -> None:
    store = emulated(commits=commits)
    alone(store.execute(Insert(table="sessions", records=(session("s"),))))
    upserts = [_run(f"r{each}", 1 if each % 2 else None) for each in range(writers)]
    outcomes = drive([store.execute(upsert) for upsert in upserts], choices)
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    positions = [row["run_index"] for row in _all(store, "runs")]
    assert len(set(positions)) == len(positions) == writers


@given(choices=CHOICES, commits=COMMITS)
def test_two_writers_of_one_run_agree_on_its_position(choices: list[int], commits: bool) -> None:
    store = emulated(commits=commits)
    alone(store.execute(Insert(table="sessions", records=(session("s"),))))
    outcomes = drive([store.execute(_run("r", None)), store.execute(_run("r", None))], choices)
    assert [answers[0].record["run_index"] for answers in outcomes] == [0, 0]
    assert alone(store.execute(_run("next", None)))[0].record["run_index"] == 1  # type: ignore[union-attr]


@given(choices=CHOICES, commits=COMMITS)
def test_each_claim_gets_a_record_of_its_own(choices: list[int], commits: bool) -> None:
    store = emulated(commits=commits)
    for each in range(2):
        alone(store.execute(Insert(table="schedules", records=(schedule(f"s{each}", f"{each}", next_run_at=each),))))
    outcomes = drive([store.execute(_claim(f"worker {each}")) for each in range(3)], choices)
    claimed = [outcome for outcome in outcomes if outcome is not None]
    assert {row["id"] for row in claimed} == {"s0", "s1"}
    assert len(claimed) == 2
    assert {row["id"]: row["locked_by"] for row in _all(store, "schedules")} == {
        row["id"]: row["locked_by"] for row in claimed
    }


@given(choices=CHOICES)
def test_a_claim_is_not_put_off_by_a_change_that_leaves_the_record_free(choices: list[int]) -> None:
    store = emulated()
    alone(store.execute(Insert(table="schedules", records=(schedule("s", "n"),))))
    heartbeat = Update(table="schedules", where=eq("id", "s"), changes={"updated_at": 9})
    claimed, _ = drive([store.execute(_claim("w")), store.execute(heartbeat)], choices)
    assert claimed is not None
    (row,) = _all(store, "schedules")
    assert (row["locked_by"], row["updated_at"]) == ("w", 9)


@given(choices=CHOICES, commits=COMMITS)
def test_one_writer_creates_and_every_change_is_kept(choices: list[int], commits: bool) -> None:
    store = emulated(commits=commits)

    async def created(who: int) -> bool:
        upsert = Upsert(table="sessions", records=(session("s", user_id=f"u{who}"),), expect=ABSENT)
        return (await store.execute(upsert))[0] is not None

    assert sum(drive([created(0), created(1), created(2)], choices)) == 1
    columns = ("session_data", "metadata", "summary")
    changes = [Update(table="sessions", where=eq("session_id", "s"), changes={each: {each: 1}}) for each in columns]
    drive([store.execute(change) for change in changes], choices)
    (row,) = _all(store, "sessions")
    assert [row[each] for each in columns] == [{each: 1} for each in columns]


@given(choices=CHOICES)
def test_an_update_changes_nothing_that_stopped_matching(choices: list[int]) -> None:
    store = emulated()
    alone(store.execute(Insert(table="sessions", records=(session("s", user_id="old"),))))
    takeovers = [
        Update(table="sessions", where=eq("user_id", "old"), changes={"user_id": who}) for who in ("one", "two")
    ]
    outcomes = drive([store.execute(each) for each in takeovers], choices)
    assert sorted(map(len, outcomes)) == [0, 1]


def _all(store: Store, table: str) -> list[dict[str, Any]]:
    return alone(store.execute(Scan(table=table))).records


def _run(run_id: str, index: int | None) -> Upsert:
    return Upsert(table="runs", records=(run(run_id, run_index=index),), rules={"run_index": Next("session_id")})


def _claim(worker: str) -> Claim:
    return Claim(
        table="schedules",
        where=is_null("locked_by"),
        order=(Order(Field("next_run_at")),),
        changes={"locked_by": worker},
    )


def _only_duplicates_fail(outcomes: list[Any]) -> None:
    for outcome in outcomes:
        if isinstance(outcome, Exception) and not isinstance(outcome, Duplicate):
            pytest.fail(repr(outcome))
