"""Rows and bytes that may be stored: counted, bounded, in several processes too."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from dbrouter.backends.kernel.errors import Duplicate, Unavailable
from dbrouter.backends.kernel.filters import eq
from dbrouter.backends.kernel.merging import Replace
from dbrouter.backends.kernel.ops import (
    Batch,
    Commit,
    Delete,
    Insert,
    Put,
    Remove,
    Scan,
    Update,
    Upsert,
)
from dbrouter.backends.kernel.running import finish
from dbrouter.policies.limits.account import SHARE
from dbrouter.policies.tenancy.confining import Confined
from dbrouter.testing.conformance.records import run, session, span, trace
from tests.policies.limited_world import GET, World, memory, opened, stored


def test_inserts_stop_at_the_limit_and_the_message_says_which_and_how_many() -> None:
    world = World(rows={"memories": 3})
    for number in range(3):
        world.insert("memories", memory(number))
    refused = world.refused(Insert(table="memories", records=(memory(3),)))
    assert "tenant 'acme' stores 3 of 3 rows of memories, and this would add 1" in str(refused)
    assert refused.retry_after is None
    assert not refused.retryable
    world.insert("sessions", session())  # another family


def test_an_insert_of_several_is_let_in_whole_or_not_at_all() -> None:
    world = World(rows={"memories": 3})
    world.insert("memories", memory(0))
    world.refused(Insert(table="memories", records=tuple(memory(number) for number in range(1, 4))))
    world.insert("memories", memory(1), memory(2))
    assert stored(world, "memories") == 3


def test_upserts_that_replace_are_let_in_at_the_limit_and_those_that_insert_are_not() -> None:
    world = World(rows={"memories": 2})
    rules = {"memory": Replace()}
    for number in range(2):
        world.do(Upsert(table="memories", records=(memory(number),), rules=rules))
    for _ in range(5):
        world.do(Upsert(table="memories", records=(memory(0), memory(1)), rules=rules))
        world.do(Commit(writes=(Put(table="memories", record=memory(1)),)))
    world.refused(Upsert(table="memories", records=(memory(1), memory(2)), rules=rules))
    world.refused(Commit(writes=(Put(table="memories", record=memory(2)),)))
    world.refused(Batch(upserts=(Upsert(table="memories", records=(memory(2),)),)))
    assert stored(world, "memories") == 2


def test_many_replacing_upserts_fill_nothing_up() -> None:
    world = World(rows={"memories": 100})
    for number in range(99):
        world.insert("memories", memory(number))
    for number in range(200):
        world.do(Upsert(table="memories", records=(memory(number % 99),), rules={"memory": Replace()}))
    world.insert("memories", memory(99))
    world.refused(Insert(table="memories", records=(memory(100),)))


def test_a_delete_makes_room_at_once() -> None:
    world = World(rows={"memories": 2})
    world.insert("memories", memory(0), memory(1))
    world.refused(Insert(table="memories", records=(memory(2),)))
    world.do(Delete(table="memories", where=eq("memory_id", "m0")))
    world.insert("memories", memory(2))
    world.refused(Insert(table="memories", records=(memory(3),)))
    world.do(Commit(writes=(Remove(table="memories", key=("m1",)),)))
    world.insert("memories", memory(3))


def test_all_rows_of_a_family_count_and_those_that_go_with_their_parent_do_no_more() -> None:
    world = World(rows={"sessions": 4, "traces": 3})
    world.insert("sessions", session("s1"))
    world.insert("runs", run("r1", "s1"), run("r2", "s1"), run("r3", "s1"))
    world.refused(Insert(table="sessions", records=(session("s2"),)))
    world.do(Delete(table="sessions", where=eq("session_id", "s1")))
    world.insert("sessions", session("s2"), session("s3"), session("s4"))

    world.insert("traces", trace("t1"))
    world.insert("spans", span("a", "t1"), span("b", "t1"))
    world.refused(Batch(upserts=(Upsert(table="traces", records=(trace("t2"),)),)))
    world.do(Delete(table="spans", where=eq("trace_id", "t1")))
    world.do(Delete(table="traces", where=eq("trace_id", "t1")))
    world.do(
        Batch(
            upserts=(Upsert(table="traces", records=(trace("t2"),)), Upsert(table="spans", records=(span("c", "t2"),)))
        )
    )
    assert stored(world, "spans") == 1


def test_what_a_refused_or_failed_write_would_have_added_is_not_counted() -> None:
    world = World(rows={"memories": 2})
    world.insert("memories", memory(0))
    for _ in range(5):
        with pytest.raises(Duplicate):
            world.insert("memories", memory(0))
    world.insert("memories", memory(1))
    world.refused(Insert(table="memories", records=(memory(2),)))


def test_a_write_whose_fate_nobody_knows_counts_until_the_next_count() -> None:
    world = World(rows={"memories": 100})
    world.insert("memories", memory(0))
    account = world.store._meter.stored._of_family["memories"][0].account  # type: ignore[union-attr]
    world.asked.fails = Unavailable("away")
    with pytest.raises(Unavailable):
        world.insert("memories", memory(1))
    assert account.stored == 2
    world.asked.fails = None
    world.clock.now += 60
    world.insert("memories", memory(2))
    assert account.stored == 2


def test_a_full_family_is_not_counted_for_every_try() -> None:
    world = World(rows={"memories": 50})
    world.insert("memories", *(memory(number) for number in range(50)))
    world.refused(Insert(table="memories", records=(memory(50),)))
    before = world.asked.counts
    for _ in range(100):
        world.refused(Insert(table="memories", records=(memory(50),)))
    assert world.asked.counts == before
    # Somebody else deleted: seen within a second.
    finish(world.asked.inner.execute(Delete(table="memories", where=eq("memory_id", "m1"))))
    world.clock.now += 1.1
    world.insert("memories", memory(50))


def test_a_tenant_far_from_its_limit_is_counted_once_in_a_while() -> None:
    world = World(rows={"memories": 3200})
    for number in range(200):
        world.insert("memories", memory(number))
    assert world.asked.counts <= 1 + 200 // (3200 // SHARE)


def test_reads_ask_nothing_more() -> None:
    world = World(rows={"sessions": 1})
    world.do(GET)
    world.do(Scan(table="sessions"))
    assert world.asked.counts == 0


def test_bytes_stop_at_the_limit_and_replacing_does_not_fill_them_up() -> None:
    world = World(bytes={"memories": 10_000})
    text = "x" * 3000
    for number in range(3):
        world.insert("memories", memory(number, memory={"text": text}))
    refused = world.refused(Insert(table="memories", records=(memory(3, memory={"text": text}),)))
    assert "of 10000 bytes of memories" in str(refused)
    for _ in range(20):
        record = memory(1, memory={"text": text.upper()})
        world.do(Upsert(table="memories", records=(record,), rules={"memory": Replace()}))
        world.do(Update(table="memories", where=eq("memory_id", "m2"), changes={"memory": {"text": text.lower()}}))
    larger = {"text": "x" * 6000}
    world.refused(Update(table="memories", where=eq("memory_id", "m2"), changes={"memory": larger}))
    world.refused(Upsert(table="memories", records=(memory(2, memory=larger),), rules={"memory": Replace()}))
    # Each of three records grows by 400: together too much.
    more = {"text": "x" * 3400}
    world.refused(Update(table="memories", where=eq("agent_id", "a"), changes={"memory": more}))
    world.do(Delete(table="memories", where=eq("memory_id", "m0")))
    world.do(Update(table="memories", where=eq("memory_id", "m2"), changes={"memory": {"text": "x" * 5000}}))


@pytest.mark.parametrize("isolation", ["plain", "rows"])
@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgres"])
def test_rows_and_bytes_are_counted_where_they_are(
    kind: str, isolation: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    store = opened(kind, tmp_path, request)
    try:
        if isolation == "rows":
            others = Confined(store, "other")
            finish(others.execute(Insert(table="memories", records=tuple(memory(number) for number in range(50)))))
            world = World(Confined(store, "acme"), rows={"memories": 4}, bytes={"memories": 100_000})
        else:
            world = World(store, rows={"memories": 4}, bytes={"memories": 100_000})
        # Text that does not compress.
        noise = random.Random(5).randbytes(15_000).hex()
        world.insert("memories", memory(0, memory={"text": noise}))
        world.insert("memories", memory(1))
        world.refused(Insert(table="memories", records=tuple(memory(number) for number in range(2, 6))))
        assert "bytes" in str(
            world.refused(
                Insert(table="memories", records=(memory(2, memory={"t": random.Random(6).randbytes(45_000).hex()}),))
            )
        )
        world.insert("memories", memory(2))
        world.insert("memories", memory(3))
        assert "stores 4 of 4 rows" in str(world.refused(Insert(table="memories", records=(memory(4),))))
        world.do(Upsert(table="memories", records=(memory(3),), rules={"memory": Replace()}))
    finally:
        finish(store.close())
