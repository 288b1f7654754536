"""Records that do not fit one document: whole or not at all, never a mix of two, and nothing left behind."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

from dbrouter.backends.firestore import layout
from dbrouter.backends.firestore.addresses import PARTS
from dbrouter.backends.firestore.store import AsyncFirestoreStore, FirestoreStore
from dbrouter.backends.kernel.errors import Conflict, Duplicate, TooLarge
from dbrouter.backends.kernel.filters import Field, eq
from dbrouter.backends.kernel.ops import ABSENT, Commit, Get, GetMany, Order, Put, Remove, Scan, Stored, Walk
from dbrouter.backends.kernel.running import finish

Documents = Callable[[str], dict[str, Any]]

SEED = random.Random(7)
NOISE = SEED.randbytes(10_000_000).hex()
"""Twenty million characters that compress to a half."""


def run(run_id: str, text: str, **more: Any) -> dict[str, Any]:
    return {"run_id": run_id, "session_id": "s", "run_type": "agent", "run_index": 1, "created_at": 1} | {
        "run_data": {"text": text},
        **more,
    }


def put(store: FirestoreStore, record: dict[str, Any], expect: Any = None) -> Any:
    return finish(store.execute(Commit(writes=(Put(table="runs", record=record, expect=expect),))))[0]


def stored(store: FirestoreStore, run_id: str = "r") -> Stored:
    found = finish(store.execute(Get(table="runs", key=(run_id,), versioned=True)))
    assert found is not None
    return found


def test_twenty_megabytes_come_back_by_every_way_of_reading(firestore: FirestoreStore, documents: Documents) -> None:
    version = put(firestore, run("r", NOISE), ABSENT)
    assert stored(firestore).record["run_data"]["text"] == NOISE
    assert stored(firestore).version == version
    assert len(documents(PARTS)) > 10
    (many,) = finish(firestore.execute(GetMany(table="runs", keys=(("r",),))))
    assert many is not None
    assert many["run_data"]["text"] == NOISE
    scan = finish(firestore.execute(Scan(table="runs", where=eq("session_id", "s"), columns=("run_data",))))
    assert [each["run_data"]["text"] for each in scan.records] == [NOISE]
    finish(firestore.close())


def test_twenty_megabytes_come_back_from_an_event_loop(async_store: AsyncFirestoreStore) -> None:
    async def there_and_back() -> Any:
        await async_store.execute(Commit(writes=(Put(table="runs", record=run("r", NOISE), expect=ABSENT),)))
        found = await async_store.execute(Get(table="runs", key=("r",)))
        await async_store.close()
        return found and found.record["run_data"]["text"]

    assert asyncio.run(there_and_back()) == NOISE


def test_a_listing_that_does_not_show_the_long_column_does_not_read_it(
    firestore: FirestoreStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(firestore, run("r", NOISE[:2_000_000]))

    def unpack(_: bytes) -> bytes:
        raise AssertionError("it was read")

    monkeypatch.setattr(layout.zlib, "decompress", unpack)
    walk = Walk(
        table="runs", where=eq("session_id", "s"), order=Order(Field("run_index")), limit=9, columns=("status",)
    )
    assert finish(firestore.execute(walk)).records == [{"status": None}]
    finish(firestore.close())


@pytest.mark.parametrize("length", [3_000_000, 9_000_000])
def test_what_a_record_no_longer_needs_goes_with_the_write(
    firestore: FirestoreStore, documents: Documents, length: int
) -> None:
    first = put(firestore, run("r", NOISE[:length]), ABSENT)
    before = set(documents(PARTS))
    second = put(firestore, run("r", NOISE[1:length]), first)
    assert len(documents(PARTS)) <= len(before)
    assert not before & set(documents(PARTS))
    put(firestore, run("r", "short"), second)
    assert documents(PARTS) == {}
    put(firestore, run("r", NOISE[:length]))
    finish(firestore.execute(Commit(writes=(Remove(table="runs", key=("r",)),))))
    assert documents(PARTS) == {}
    assert documents("agno_runs") == {}
    finish(firestore.close())


@pytest.mark.parametrize("length", [3_000_000, 9_000_000])
def test_a_write_that_is_refused_leaves_nothing(firestore: FirestoreStore, documents: Documents, length: int) -> None:
    version = put(firestore, run("r", "one"), ABSENT)
    put(firestore, run("r", "two"), version)
    with pytest.raises(Conflict):
        put(firestore, run("r", NOISE[:length]), version)
    with pytest.raises(Duplicate):
        put(firestore, run("r", NOISE[:length]), ABSENT)
    assert stored(firestore).record["run_data"] == {"text": "two"}
    assert documents(PARTS) == {}
    finish(firestore.close())


def test_a_reader_beside_writers_sees_one_write_and_never_two(firestore: FirestoreStore, documents: Documents) -> None:
    texts = [letter * 10 + NOISE[:2_500_000] + letter * 10 for letter in "abc"]
    put(firestore, run("r", texts[0]))
    done = threading.Event()

    def write() -> None:
        for number in range(12):
            put(firestore, run("r", texts[number % 3]))
        done.set()

    writers = [threading.Thread(target=write) for _ in range(2)]
    for each in writers:
        each.start()
    reads = 0
    while not done.is_set() or reads < 5:
        assert stored(firestore).record["run_data"]["text"] in texts
        reads += 1
    for each in writers:
        each.join()
    put(firestore, run("r", "end"))
    assert documents(PARTS) == {}
    finish(firestore.close())


def test_a_walk_goes_on_behind_a_page_that_is_removed_while_it_is_read(
    firestore: FirestoreStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(firestore, run("r1", NOISE[:2_000_000], run_index=1))
    put(firestore, run("r2", NOISE[:2_000_000], run_index=2))
    reading = firestore._answering._reading
    read_parts = reading.parts

    async def parts(found: Any, deadline: Any) -> Any:
        if "r2" in found.name:
            await firestore.execute(Commit(writes=(Remove(table="runs", key=("r2",)),)))
        return await read_parts(found, deadline)

    monkeypatch.setattr(reading, "parts", parts)
    newest = Order(Field("run_index"), descending=True)
    walked = finish(firestore.execute(Walk(table="runs", where=eq("session_id", "s"), order=newest, limit=1)))
    assert [each["run_id"] for each in walked.records] == ["r1"]
    finish(firestore.close())


def test_records_that_are_too_large_together_are_made_smaller(firestore: FirestoreStore, documents: Documents) -> None:
    records = [run(f"r{number}", NOISE[number : number + 600_000]) for number in range(8)]
    finish(firestore.execute(Commit(writes=tuple(Put(table="runs", record=each, expect=ABSENT) for each in records))))
    for number, each in enumerate(records):
        assert stored(firestore, f"r{number}").record["run_data"] == each["run_data"]
    assert len(documents(PARTS)) == 8
    finish(firestore.close())


def test_what_cannot_be_held_is_refused_by_name_and_nothing_is_written(
    firestore: FirestoreStore, documents: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "MOST_PARTS", 3)
    with pytest.raises(TooLarge, match=r"runs: a record of 20,\d+,\d+ bytes .* nothing was written"):
        put(firestore, run("r", NOISE))
    assert documents("agno_runs") == {}
    assert documents(PARTS) == {}
    finish(firestore.close())


def test_a_key_longer_than_a_document_is_refused_by_name(firestore: FirestoreStore, documents: Documents) -> None:
    with pytest.raises(TooLarge):
        put(firestore, run("r" * 2_000_000, "x"))
    assert documents("agno_runs") == {}
    finish(firestore.close())
