"""A local folder under several processes, and under one that is killed in the middle of what it does."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.errors import Conflict, Duplicate
from dbrouter.backends.kernel.filters import eq
from dbrouter.backends.kernel.merging import Replace
from dbrouter.backends.kernel.ops import ABSENT, Commit, Get, Put, Scan, Upsert
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.objects.settings import ObjectsSettings
from dbrouter.backends.objects.store import ObjectsStore
from dbrouter.testing.conformance.records import learning
from tests.objects.conftest import age, objects

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

CONTEXT = multiprocessing.get_context("fork") if hasattr(os, "fork") else None
INCREMENTS = 500


def opened(folder: Path) -> ObjectsStore:
    return ObjectsStore(ObjectsSettings(path=folder, durable=False, deadline=30))


def add(folder: Path, times: int) -> None:
    store = opened(folder)
    for _ in range(times):
        while True:
            stored = finish(store.execute(Get(table="learnings", key=("counter",), versioned=True)))
            count = 0 if stored is None else stored.record["content"]["n"]
            put = Put(
                table="learnings",
                record=learning("counter", content={"n": count + 1}),
                expect=ABSENT if stored is None else stored.version,
            )
            try:
                finish(store.execute(Commit(writes=(put,))))
                break
            except (Conflict, Duplicate):
                time.sleep(random.uniform(0, 0.002))


def test_two_processes_lose_none_of_a_thousand_increments(folder: Path) -> None:
    assert CONTEXT is not None
    children = [CONTEXT.Process(target=add, args=(folder, INCREMENTS)) for _ in range(2)]
    for each in children:
        each.start()
    for each in children:
        each.join(120)
    assert [each.exitcode for each in children] == [0, 0]
    stored = finish(opened(folder).execute(Get(table="learnings", key=("counter",))))
    assert stored is not None
    assert stored.record["content"] == {"n": 2 * INCREMENTS}


def save_for_ever(folder: Path, said: Any) -> None:
    """Change a few records again and again, and say each that was acknowledged."""
    store = Emulated(opened(folder))
    for number in range(1_000_000):
        key = f"k{number % 5}"
        record = learning(key, user_id=f"u{number % 3}", content={"n": number, "fill": "x" * 5000}, updated_at=number)
        rules = {column: Replace() for column in ("user_id", "content", "updated_at")}
        finish(store.execute(Upsert(table="learnings", records=(record,), rules=rules)))
        os.write(said, number.to_bytes(8, "big"))


def test_a_killed_writer_leaves_every_record_whole_and_every_listing_right(folder: Path) -> None:
    assert CONTEXT is not None
    last = -1
    for _ in range(8):
        reading, writing = os.pipe()
        child = CONTEXT.Process(target=save_for_ever, args=(folder, writing))
        child.start()
        os.close(writing)
        os.read(reading, 8)  # it is at work
        time.sleep(random.uniform(0.01, 0.15))
        os.kill(child.pid or 0, signal.SIGKILL)
        child.join()
        with os.fdopen(reading, "rb") as said:
            acknowledged = said.read()
        numbers = [int.from_bytes(acknowledged[start : start + 8], "big") for start in range(0, len(acknowledged), 8)]
        last = max(numbers, default=last)

        store = Emulated(opened(folder))
        page = finish(store.execute(Scan(table="learnings")))
        by_key = {each["learning_id"]: each for each in page.records}
        for key, record in by_key.items():
            number = record["content"]["n"]
            assert (key, record["user_id"], record["updated_at"]) == (f"k{number % 5}", f"u{number % 3}", number)
        # The last that was acknowledged is there, or the one after it that overwrote it without an answer.
        if numbers:
            assert by_key[f"k{last % 5}"]["content"]["n"] >= last
        for user in ("u0", "u1", "u2"):
            found = finish(store.execute(Scan(table="learnings", where=eq("user_id", user)))).records
            expected = sorted(key for key, each in by_key.items() if each["user_id"] == user)
            assert sorted(each["learning_id"] for each in found) == expected


def test_what_killed_writers_left_is_removed_when_it_is_old(folder: Path) -> None:
    assert CONTEXT is not None
    reading, writing = os.pipe()
    for _ in range(4):
        child = CONTEXT.Process(target=save_for_ever, args=(folder, writing))
        child.start()
        os.read(reading, 8)
        time.sleep(random.uniform(0.01, 0.1))
        os.kill(child.pid or 0, signal.SIGKILL)
        child.join()
    age(folder)
    store = opened(folder)
    finish(store.compact())
    entries = objects(folder, "tables/agno_learnings/l")
    records = len(objects(folder, "tables/agno_learnings/r"))
    # By user, by type, and the whole table: `learning` leaves the other columns empty.
    assert len(entries) == records * 3
    again = finish(store.compact())
    assert (again.stale_entries, again.added_entries) == (0, 0)
