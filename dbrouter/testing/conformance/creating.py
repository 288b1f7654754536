"""Tables come into being on first use, once, however many start at once; and what a store is apart from ops."""

from __future__ import annotations

import pytest

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.errors import MissingParent
from dbrouter.backends.kernel.filters import EVERYTHING, Field
from dbrouter.backends.kernel.ops import (
    Aggregate,
    Children,
    Claim,
    Computed,
    Delete,
    Get,
    Insert,
    Load,
    Measure,
    Page,
    Scan,
    Update,
)
from dbrouter.backends.kernel.store import Store
from dbrouter.testing.candidates import OpenStore
from dbrouter.testing.conformance.asking import all_well, at_once, found, insert, record_of
from dbrouter.testing.conformance.records import learning, run, session


async def test_a_table_that_does_not_exist_yet_reads_as_empty(store: Store) -> None:
    children = Children(table="runs", on=("session_id",), columns=("run_id",), order=())
    assert await store.execute(Get(table="sessions", key=("s1",))) is None
    assert await store.execute(Scan(table="sessions", total=True)) == Page([], 0)
    assert await store.execute(Load(table="sessions", key=("s1",), children=children)) is None
    assert await store.execute(Update(table="sessions", where=EVERYTHING, changes={"agent_id": "a"})) == []
    assert await store.execute(Claim(table="sessions", where=EVERYTHING, order=(), changes={"agent_id": "a"})) is None
    assert await store.execute(Delete(table="sessions", where=EVERYTHING)) == 0
    count = Computed(name="n", measure=Measure.COUNT)
    by_user = Aggregate(table="sessions", by={"user": Field("user_id")}, measures=(count,), total=True)
    assert await store.execute(by_user) == Page([], 0)


async def test_children_whose_table_does_not_exist_yet_are_none(store: Store) -> None:
    await insert(store, "sessions", session("s1"))
    children = Children(table="runs", on=("session_id",), columns=("run_id",), order=())
    loaded = await store.execute(Load(table="sessions", key=("s1",), children=children))
    assert loaded is not None
    assert loaded.children == []


async def test_a_write_creates_its_table(store: Store) -> None:
    assert store.physical_name("learnings") not in await store.existing_tables()
    await insert(store, "learnings", learning("a"))
    assert store.physical_name("learnings") in await store.existing_tables()


async def test_a_write_to_a_child_creates_its_parents_table_too(store: Store) -> None:
    with pytest.raises(MissingParent):
        await insert(store, "runs", run("r1"))
    await insert(store, "sessions", session("s1"))
    await insert(store, "runs", run("r1"))
    assert await found(store, "runs") == {"r1"}


async def test_tables_may_be_created_in_advance_and_again(store: Store) -> None:
    await store.create_tables(tuple(TABLES))
    await insert(store, "learnings", learning("a"))
    await store.create_tables(tuple(reversed(TABLES)))
    assert {store.physical_name(table) for table in TABLES} <= await store.existing_tables()
    assert await found(store, "learnings") == {"a"}


async def test_a_physical_name_is_the_tables_own(store: Store) -> None:
    assert len({store.physical_name(table) for table in TABLES}) == len(TABLES)


async def test_eight_processes_that_start_at_once_create_all_tables_once(store: Store, open_store: OpenStore) -> None:
    stores = [open_store() for _ in range(8)]
    await all_well(at_once(store, [lambda each=each: each.create_tables(tuple(TABLES)) for each in stores]))
    assert {store.physical_name(table) for table in TABLES} <= await store.existing_tables()


async def test_eight_processes_that_write_first_at_once_all_succeed(store: Store, open_store: OpenStore) -> None:
    async def first_write(number: int) -> None:
        mine = open_store()
        await mine.execute(Insert(table="sessions", records=(session(f"s{number}"),)))
        await mine.execute(Insert(table="runs", records=(run(f"r{number}", f"s{number}"),)))

    await all_well(at_once(store, [lambda number=number: first_write(number) for number in range(8)]))
    assert await found(store, "sessions") == {f"s{number}" for number in range(8)}
    assert await found(store, "runs") == {f"r{number}" for number in range(8)}


async def test_what_one_process_writes_another_reads(store: Store, open_store: OpenStore) -> None:
    other = open_store()
    assert await found(other, "learnings") == set()
    await insert(store, "learnings", learning("a", content={"n": 1}))
    assert (await record_of(other, "learnings", "a"))["content"] == {"n": 1}


async def test_a_store_answers_a_ping_and_may_be_used_after_closing(store: Store) -> None:
    await store.ping()
    await insert(store, "learnings", learning("a"))
    await store.close()
    await store.close()
    assert await found(store, "learnings") == {"a"}
    await store.ping()
