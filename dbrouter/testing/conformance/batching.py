"""Batch: upserts in order, whose answers nobody needs."""

from __future__ import annotations

import pytest

from dbrouter.backends.kernel.errors import MissingParent, Unstorable
from dbrouter.backends.kernel.merging import Fill, Greatest, Least, OwnerGuard, Replace
from dbrouter.backends.kernel.ops import Batch, Upsert
from dbrouter.backends.kernel.store import Store
from dbrouter.testing.conformance.asking import all_well, at_once, found, insert, record_of
from dbrouter.testing.conformance.records import learning, run, session, span, trace

TRACE_RULES = {"start_time": Least(), "end_time": Greatest(), "run_id": Fill(), "status": Replace()}


async def batch(store: Store, *upserts: Upsert) -> None:
    """Execute the upserts as one batch."""
    assert await store.execute(Batch(upserts=upserts)) is None


async def test_a_trace_and_its_spans_are_stored_in_one_go(store: Store) -> None:
    await batch(
        store,
        Upsert(table="traces", records=(trace("t1"),), rules=TRACE_RULES),
        Upsert(table="spans", records=tuple(span(f"s{index}") for index in range(50))),
    )
    assert await found(store, "traces") == {"t1"}
    assert len(await found(store, "spans")) == 50


async def test_upserts_happen_in_order(store: Store) -> None:
    await batch(
        store,
        *(
            Upsert(table="learnings", records=(learning("a", content={"n": n}),), rules={"content": Replace()})
            for n in range(5)
        ),
        Upsert(table="learnings", records=(learning("a", content={"n": 9}),)),
    )
    assert (await record_of(store, "learnings", "a"))["content"] == {"n": 4}


async def test_a_duplicate_span_costs_nobody(store: Store) -> None:
    await insert(store, "traces", trace("t1"))
    await insert(store, "spans", span("s1", name="first"))
    spans = (span("s0"), span("s1", name="again"), span("s2"), span("s2", name="twice"), span("s3"))
    await batch(
        store, Upsert(table="traces", records=(trace("t1"),), rules=TRACE_RULES), Upsert(table="spans", records=spans)
    )
    assert await found(store, "spans") == {"s0", "s1", "s2", "s3"}
    assert (await record_of(store, "spans", "s1"))["name"] == "first"
    assert (await record_of(store, "spans", "s2"))["name"] == "step"


async def test_a_record_that_cannot_be_stored_is_reported(store: Store) -> None:
    with pytest.raises(MissingParent):
        await batch(store, Upsert(table="spans", records=(span("s1", "t9"),)))
    with pytest.raises(Unstorable):
        await batch(store, Upsert(table="learnings", records=(learning("a", content={"f": print}),)))
    assert await found(store, "spans") == set()
    assert await found(store, "learnings") == set()


async def test_guards_and_several_tables_work_as_in_single_upserts(store: Store) -> None:
    await insert(store, "sessions", session("s1", user_id="ann"))
    guard = OwnerGuard("user_id", claim=True)
    await batch(
        store,
        Upsert(table="sessions", records=(session("s1", user_id="bob"),), rules={"user_id": Replace()}, guard=guard),
        Upsert(table="runs", records=(run("r1", run_data={"n": 1}),), rules={"run_data": Replace()}),
    )
    assert (await record_of(store, "sessions", "s1"))["user_id"] == "ann"
    assert (await record_of(store, "runs", "r1"))["run_data"] == {"n": 1}


async def test_an_empty_batch_is_no_work(store: Store) -> None:
    await batch(store)
    await batch(store, Upsert(table="learnings", records=()))


async def test_batches_at_the_same_moment_merge_into_one_trace(store: Store) -> None:
    def part(number: int) -> Batch:
        end = f"2024-05-01T10:00:{number:02}+00:00"
        spans = (*(span(f"{number}-{index}") for index in range(10)), span("shared"))
        return Batch(
            upserts=(
                Upsert(table="traces", records=(trace("t1", end_time=end),), rules=TRACE_RULES),
                Upsert(table="spans", records=spans),
            )
        )

    await all_well(at_once(store, [lambda number=number: store.execute(part(number)) for number in range(8)]))
    assert len(await found(store, "spans")) == 81
    assert (await record_of(store, "traces", "t1"))["end_time"] == "2024-05-01T10:00:07+00:00"
