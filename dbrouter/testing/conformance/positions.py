"""Next: a position within the parent, given to one writer at a time."""

from __future__ import annotations

from dbrouter.backends.kernel.filters import eq
from dbrouter.backends.kernel.merging import Next, Record, Replace
from dbrouter.backends.kernel.ops import Get, Scan, Upsert
from dbrouter.backends.kernel.store import Store
from dbrouter.testing.candidates import OpenStore
from dbrouter.testing.conformance.asking import all_well, at_once, insert
from dbrouter.testing.conformance.records import run, session

RULES = {"run_index": Next("session_id"), "run_data": Replace()}


async def add(store: Store, *runs: Record) -> list[int]:
    """Upsert runs; the positions they have now."""
    answers = await store.execute(Upsert(table="runs", records=runs, rules=RULES))
    return [answer.record["run_index"] for answer in answers if answer is not None]


async def positions(store: Store, session_id: str) -> list[int]:
    """All positions in a session, sorted."""
    page = await store.execute(Scan(table="runs", where=eq("session_id", session_id)))
    return sorted(record["run_index"] for record in page.records)


async def test_positions_count_from_zero_within_each_parent(store: Store) -> None:
    await insert(store, "sessions", session("s1"), session("s2"))
    assert [await add(store, run(f"a{n}", "s1")) for n in range(3)] == [[0], [1], [2]]
    assert await add(store, run("b0", "s2")) == [0]


async def test_several_new_records_get_positions_in_order(store: Store) -> None:
    await insert(store, "sessions", session("s1"), session("s2"))
    assert await add(store, run("a", "s1"), run("b", "s2"), run("c", "s1"), run("d", "s1")) == [0, 0, 1, 2]


async def test_a_free_position_is_granted_and_a_taken_one_is_not(store: Store) -> None:
    await insert(store, "sessions", session("s1"), session("s2"))
    assert await add(store, run("a", run_index=4)) == [4]
    assert await add(store, run("b")) == [5]
    assert await add(store, run("c", run_index=2)) == [2]
    assert await add(store, run("d", run_index=4)) == [6]
    assert await add(store, run("e", "s2", run_index=4)) == [4]


async def test_a_stored_position_stays_whatever_comes_in(store: Store) -> None:
    await insert(store, "sessions", session("s1"))
    await add(store, run("a"), run("b"))
    assert await add(store, run("a")) == [0]
    assert await add(store, run("b", run_index=7, run_data={"n": 1})) == [1]


async def test_a_stored_null_is_filled_like_a_new_record(store: Store) -> None:
    await insert(store, "sessions", session("s1"))
    await insert(store, "runs", run("old", run_index=3), run("null"), run("other"))
    assert await add(store, run("null")) == [4]
    assert await add(store, run("other", run_index=1)) == [1]


async def test_a_stored_null_is_filled_where_its_version_is_expected_too(store: Store) -> None:
    await insert(store, "sessions", session("s1"))
    await insert(store, "runs", run("old", run_index=3), run("null"), run("other"))
    for key, asked, given in (("null", None, 4), ("other", 1, 1)):
        stored = await store.execute(Get(table="runs", key=(key,), versioned=True))
        assert stored is not None
        op = Upsert(table="runs", records=(run(key, run_index=asked),), rules=RULES, expect=stored.version)
        assert [answer and answer.record["run_index"] for answer in await store.execute(op)] == [given]
        assert await store.execute(op) == [None]


async def test_writers_at_the_same_moment_get_a_position_each(store: Store) -> None:
    await insert(store, "sessions", session("s1"))

    async def turns(writer: int) -> None:
        for turn in range(8):
            await add(store, run(f"{writer}-{turn}"))

    await all_well(at_once(store, [lambda writer=writer: turns(writer) for writer in range(8)]))
    assert await positions(store, "s1") == list(range(64))


async def test_writers_from_several_processes_get_a_position_each(store: Store, open_store: OpenStore) -> None:
    await insert(store, "sessions", session("s1"), session("s2"))
    stores = [store, open_store(), open_store()]

    async def turns(writer: int) -> None:
        for turn in range(6):
            await add(stores[writer % 3], run(f"{writer}-{turn}", ["s1", "s2"][writer % 2]))

    await all_well(at_once(store, [lambda writer=writer: turns(writer) for writer in range(6)]))
    assert await positions(store, "s1") == list(range(18))
    assert await positions(store, "s2") == list(range(18))


async def test_writers_that_ask_for_the_same_position_get_different_ones(store: Store) -> None:
    await insert(store, "sessions", session("s1"))
    answers = await all_well(at_once(store, [lambda n=n: add(store, run(f"r{n}", run_index=0)) for n in range(12)]))
    assert sorted(index for answer in answers for index in answer) == list(range(12))


async def test_the_same_record_from_several_writers_keeps_one_position(store: Store) -> None:
    await insert(store, "sessions", session("s1"))
    await add(store, run("first"))
    answers = await all_well(at_once(store, [lambda: add(store, run("same"))] * 12))
    assert {index for answer in answers for index in answer} == {1}
    assert await positions(store, "s1") == [0, 1]
