"""Claim: of all concurrent claimers exactly one gets a record."""

from __future__ import annotations

from dbrouter.backends.kernel.filters import Comparison, Field, all_of, any_of, compare, eq, is_null
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import KEEP_VALUE, Choice, Claim, Order
from dbrouter.backends.kernel.store import Store
from dbrouter.testing.candidates import OpenStore
from dbrouter.testing.conformance.asking import all_well, at_once, found, insert, record_of
from dbrouter.testing.conformance.records import schedule

DUE = all_of(
    eq("enabled", True),
    compare("next_run_at", Comparison.LE, 1000),
    any_of(is_null("locked_by"), compare("locked_at", Comparison.LE, 500)),
)


def claim(worker: str, now: int = 1000) -> Claim:
    """Take the schedule that has been due longest."""
    return Claim(
        table="schedules",
        where=DUE,
        order=(Order(Field("next_run_at")),),
        changes={"locked_by": worker, "locked_at": now},
    )


async def test_the_first_in_order_is_changed_and_answered_as_it_is_now(store: Store) -> None:
    await insert(store, "schedules", schedule("late", next_run_at=300), schedule("first", next_run_at=100))
    record = await store.execute(claim("w"))
    assert record == await record_of(store, "schedules", "first")
    assert record is not None
    assert (record["locked_by"], record["locked_at"]) == ("w", 1000)


async def test_ties_go_by_key(store: Store) -> None:
    await insert(store, "schedules", *(schedule(key, next_run_at=100) for key in "cab"))
    claimed = [await store.execute(claim("w")) for _ in range(3)]
    assert [record and record["id"] for record in claimed] == ["a", "b", "c"]


async def test_what_does_not_match_is_not_claimed(store: Store) -> None:
    await insert(
        store,
        "schedules",
        schedule("off", next_run_at=1, enabled=False),
        schedule("future", next_run_at=1001),
        schedule("never"),
        schedule("locked", next_run_at=1, locked_by="other", locked_at=900),
    )
    assert await store.execute(claim("w")) is None


async def test_nothing_is_claimed_from_an_empty_table(store: Store) -> None:
    assert await store.execute(claim("w")) is None


async def test_a_lock_that_is_too_old_is_taken_over(store: Store) -> None:
    await insert(store, "schedules", schedule("a", next_run_at=1, locked_by="dead", locked_at=400))
    record = await store.execute(claim("w"))
    assert record is not None
    assert record["locked_by"] == "w"


async def test_a_claim_may_choose_by_what_the_record_was(store: Store) -> None:
    await insert(store, "schedules", schedule("a", next_run_at=1, description="was"))
    changes = {
        "locked_by": "w",
        "locked_at": 1000,
        "description": Choice(where=is_null("locked_by"), then="fresh", otherwise=KEEP_VALUE),
    }
    record = await store.execute(Claim(table="schedules", where=DUE, order=(), changes=changes))
    assert record is not None
    assert record["description"] == "fresh"


async def test_of_32_claimers_exactly_one_gets_the_only_record(store: Store) -> None:
    await insert(store, "schedules", schedule("a", next_run_at=1))
    claimed = await all_well(at_once(store, [lambda n=n: store.execute(claim(f"w{n}")) for n in range(32)]))
    winners = [record for record in claimed if record is not None]
    assert len(winners) == 1
    assert await record_of(store, "schedules", "a") == winners[0]


async def test_of_32_claimers_ten_get_one_record_each(store: Store) -> None:
    await insert(store, "schedules", *(schedule(f"{index}", next_run_at=index) for index in range(10)))
    claimed = await all_well(at_once(store, [lambda n=n: store.execute(claim(f"w{n}")) for n in range(32)]))
    winners = [record for record in claimed if record is not None]
    assert sorted(record["id"] for record in winners) == [str(index) for index in range(10)]
    assert len({record["locked_by"] for record in winners}) == 10


async def test_claimers_of_several_processes_drain_a_queue_without_overlap(store: Store, open_store: OpenStore) -> None:
    await insert(store, "schedules", *(schedule(f"{index:02}", next_run_at=index) for index in range(40)))
    stores = [store, open_store(), open_store()]

    async def drain(worker: int) -> list[Record]:
        mine: list[Record] = []
        while (record := await stores[worker % 3].execute(claim(f"w{worker}"))) is not None:
            mine.append(record)
        return mine

    drained = await all_well(at_once(store, [lambda n=n: drain(n) for n in range(8)]))
    assert sorted(record["id"] for mine in drained for record in mine) == [f"{index:02}" for index in range(40)]
    assert await found(store, "schedules", is_null("locked_by")) == set()
