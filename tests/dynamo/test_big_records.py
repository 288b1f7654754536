"""Records beyond 400 KB: compressed, cut into parts, read back whole, and nothing left of them."""

from __future__ import annotations

import base64
import random
import time
from typing import Any

import pytest

from dbrouter.backends.dynamo import items
from dbrouter.backends.dynamo.parts import STALE
from dbrouter.backends.dynamo.store import DynamoStore
from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.errors import Conflict, TooLarge, Unavailable
from dbrouter.backends.kernel.filters import eq
from dbrouter.backends.kernel.ops import ABSENT, Commit, Delete, Get, GetMany, Insert, Put, Scan
from dbrouter.backends.kernel.running import finish
from dbrouter.testing.conformance.records import learning, run, session
from tests.dynamo.conftest import Wire, items_of


def noise(size: int, seed: int = 0) -> str:
    """Text that does not compress to less than three quarters."""
    return base64.b64encode(random.Random(seed).randbytes(size * 3 // 4)).decode()


def parts_in(found: list[dict[str, Any]]) -> int:
    return sum("_d" in item for item in found)


def notes_in(found: list[dict[str, Any]]) -> int:
    return sum("_old" in item for item in found)


def read(store: Emulated, run_id: str = "r1") -> Any:
    answer = finish(store.execute(Get(table="runs", key=(run_id,), versioned=True)))
    return None if answer is None else answer.record["run_data"]


def write(store: Emulated, data: Any, run_id: str = "r1", **more: Any) -> Any:
    return finish(store.execute(Commit(writes=(Put(table="runs", record=run(run_id, run_data=data), **more),))))[0]


@pytest.fixture
def filled(store: Emulated) -> Emulated:
    finish(store.execute(Insert(table="sessions", records=(session("s1"),))))
    return store


def test_a_run_of_20_mb_comes_back_the_same_and_leaves_nothing(filled: Emulated, admin: Any, table: str) -> None:
    data = {"text": noise(8_000_000), "more": "the same again " * 800_000, "nul": "\0", "half": "\ud800"}
    version = write(filled, data)
    assert version.parts > 10
    assert read(filled) == data
    finish(filled.execute(Delete(table="runs", where=eq("run_id", "r1"))))
    left = items_of(admin, table)
    assert (parts_in(left), notes_in(left), read(filled)) == (0, 0, None)


def test_text_that_repeats_itself_is_one_small_item(filled: Emulated, admin: Any, table: str) -> None:
    data = {"text": "the same again " * 100_000}
    write(filled, data)
    assert parts_in(items_of(admin, table)) == 0
    assert read(filled) == data
    assert max(len(item.get("run_data", {}).get("B", b"")) for item in items_of(admin, table)) < 50_000


def test_of_many_new_records_each_is_one_item_however_many_transactions_they_take(
    store: Emulated, admin: Any, table: str
) -> None:
    finish(store.execute(Insert(table="learnings", records=tuple(learning(f"{number}") for number in range(1000)))))
    assert parts_in(items_of(admin, table)) == 0


def test_short_text_stays_readable_in_a_console(filled: Emulated, admin: Any, table: str) -> None:
    write(filled, {"text": "short"})
    (head,) = [item for item in items_of(admin, table) if "run_data" in item]
    assert head["run_data"] == {"S": '{"text":"short"}'}
    assert head["created_at"] == {"N": "100"}


def test_a_large_record_that_becomes_another_leaves_no_part_of_the_old(
    filled: Emulated, admin: Any, table: str
) -> None:
    for size in (2_000_000, 900_000, 10, 1_500_000):
        version = write(filled, {"text": noise(size, size)})
        assert read(filled) == {"text": noise(size, size)}
    found = items_of(admin, table)
    assert parts_in(found) == version.parts
    assert notes_in(found) == 0


def test_a_refused_write_leaves_none_of_its_parts(filled: Emulated, admin: Any, table: str) -> None:
    old = write(filled, {"text": noise(1_000_000)})
    write(filled, {"text": "new"})
    with pytest.raises(Conflict):
        write(filled, {"text": noise(1_000_000)}, expect=old)
    found = items_of(admin, table)
    assert (parts_in(found), notes_in(found)) == (0, 0)
    assert read(filled) == {"text": "new"}


def test_readers_never_see_half_of_two_versions(filled: Emulated, wire: Wire) -> None:
    versions = [{"text": noise(900_000, seed)} for seed in range(4)]
    write(filled, versions[0])
    upcoming = iter(versions[1:])

    def overtake(name: str, arguments: dict[str, Any]) -> None:
        # After the record's item is read and before its parts are.
        if name == "batch_get_item" and (newer := next(upcoming, None)):
            write(Emulated(DynamoStore(wire._inner, table=next(iter(arguments["RequestItems"])))), newer)

    wire.before = overtake
    assert read(filled) == versions[3]
    assert wire.sent.count("batch_get_item") == 4


def test_a_batch_and_a_scan_read_large_records_whole(filled: Emulated) -> None:
    datas = {f"r{n}": {"text": noise(600_000, n)} for n in range(3)}
    for run_id, data in datas.items():
        write(filled, data, run_id)
    found = finish(filled._store.execute(GetMany(table="runs", keys=(("r0",), ("no",), ("r2",)))))
    assert [record and record["run_data"] for record in found] == [datas["r0"], None, datas["r2"]]
    page = finish(filled.execute(Scan(table="runs", where=eq("session_id", "s1"))))
    assert {record["run_id"]: record["run_data"] for record in page.records} == datas
    narrow = finish(filled.execute(Scan(table="runs", columns=("run_id", "status"))))
    assert {record["run_id"] for record in narrow.records} == set(datas)


def test_many_large_records_in_one_commit_fit_into_its_4_mb(filled: Emulated) -> None:
    writes = [Put(table="runs", record=run(f"r{n}", run_data=noise(500_000, n)), expect=None) for n in range(12)]
    finish(filled._store.execute(Commit(writes=tuple(writes))))
    for n in range(12):
        assert read(filled, f"r{n}") == noise(500_000, n)


def test_what_is_beyond_all_parts_is_refused_before_anything_is_written(
    filled: Emulated, admin: Any, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(items, "MOST_PARTS", 2)
    with pytest.raises(TooLarge, match="runs: a record of"):
        write(filled, {"text": noise(3_000_000)})
    found = items_of(admin, table)
    assert (parts_in(found), notes_in(found), read(filled)) == (0, 0, None)


def test_what_a_crash_left_behind_is_cleared_up_an_hour_later(
    filled: Emulated, wire: Wire, admin: Any, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = {"text": noise(900_000, 1)}
    write(filled, kept)

    def crash(name: str, _arguments: dict[str, Any]) -> None:
        if name in ("transact_write_items", "put_item"):
            raise KeyboardInterrupt

    wire.before = crash
    with pytest.raises(KeyboardInterrupt):
        write(filled, {"text": noise(900_000, 2)})
    wire.before = lambda _name, _arguments: None
    left = items_of(admin, table)
    assert notes_in(left) == 1
    parts = filled._store._writing._parts
    deadline = filled._store._shared.requests.deadline
    assert parts.clear(deadline()) == 0, "whoever made the note may still be at work"
    an_hour_later = time.time() + STALE + 5
    monkeypatch.setattr("dbrouter.backends.dynamo.parts.time.time", lambda: an_hour_later)
    assert parts.clear(deadline()) == 1
    found = items_of(admin, table)
    assert notes_in(found) == 0
    assert parts_in(found) < parts_in(left)
    assert read(filled) == kept


def test_however_many_crashes_there_were_the_next_writes_clear_up(
    filled: Emulated, wire: Wire, admin: Any, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dbrouter.backends.dynamo.parts.CLEARED_AT_ONCE", 2)

    def crash(name: str, arguments: dict[str, Any]) -> None:
        if name in ("transact_write_items", "put_item"):
            raise KeyboardInterrupt
        if name == "query":
            arguments["Limit"] = 1

    wire.before = crash
    for number in range(3):
        with pytest.raises(KeyboardInterrupt):
            write(filled, {"text": noise(700_000, number)})
    wire.before = lambda name, arguments: arguments.update(Limit=1) if name == "query" else None
    an_hour_later = time.time() + STALE + 5
    monkeypatch.setattr("dbrouter.backends.dynamo.parts.time.time", lambda: an_hour_later)
    for number in range(2):
        write(filled, {"text": noise(700_000, 10 + number)})
    assert notes_in(items_of(admin, table)) == 0


def test_a_write_whose_fate_is_unknown_keeps_the_parts_it_may_need(
    filled: Emulated, wire: Wire, admin: Any, table: str
) -> None:
    from botocore.exceptions import ReadTimeoutError

    version = write(filled, {"text": "old"})
    data = {"text": noise(900_000)}

    def silence(name: str, _arguments: dict[str, Any]) -> None:
        if name in ("put_item", "get_item"):
            raise ReadTimeoutError(endpoint_url="x")

    wire.after = silence
    with pytest.raises(Unavailable):
        finish(
            filled._store.execute(Commit(writes=(Put(table="runs", record=run("r1", run_data=data), expect=version),)))
        )
    wire.after = lambda _name, _arguments: None
    assert read(filled) == data
    assert notes_in(items_of(admin, table)) == 1


def test_a_new_record_expects_none_however_large(filled: Emulated) -> None:
    first = {"text": noise(900_000)}
    write(filled, first, expect=ABSENT)
    assert read(filled) == first
