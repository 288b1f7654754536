"""Commits of several records beside each other: threads that crash on the way, and processes that are killed."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from dbrouter.backends.kernel.errors import Conflict, Duplicate
from dbrouter.backends.kernel.ops import ABSENT, Commit, Get, Put, Stored
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.objects import drafts
from dbrouter.backends.objects.settings import ObjectsSettings
from dbrouter.backends.objects.store import ObjectsStore
from dbrouter.testing.conformance.records import learning
from tests.objects.conftest import Watched
from tests.waiting import PATIENCE

WRITERS = 6
TURNS = 12
COUNTERS = ("one", "two", "three")


class Crash(BaseException):
    """The process ends here."""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "PATIENCE", 0.05)


def counted(store: ObjectsStore, keys: tuple[str, ...]) -> list[int]:
    return [0 if each is None else each.record["content"]["n"] for each in read(store, keys)]


def read(store: ObjectsStore, keys: tuple[str, ...]) -> list[Stored | None]:
    return [finish(store.execute(Get(table="learnings", key=(key,), versioned=True))) for key in keys]


def add_one(store: ObjectsStore, keys: tuple[str, ...]) -> None:
    """Add one to each of these counters, in one commit."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        writes = tuple(
            Put(
                table="learnings",
                record=learning(key, content={"n": 1 if stored is None else stored.record["content"]["n"] + 1}),
                expect=ABSENT if stored is None else stored.version,
            )
            for key, stored in zip(keys, read(store, keys), strict=True)
        )
        try:
            finish(store.execute(Commit(writes=writes)))
        except (Conflict, Duplicate):
            time.sleep(random.uniform(0, 0.005))
        else:
            return
    raise AssertionError("others were always faster")


@pytest.mark.parametrize("like_a_cloud", [False, True], ids=["removes", "leaves tombstones"])
@pytest.mark.parametrize("crashes", [0, 0.01], ids=["undisturbed", "crashing"])
def test_counters_that_move_together_stay_together(folder: Path, crashes: float, *, like_a_cloud: bool) -> None:
    """Each writer takes them in an order of its own: who holds one that another wants gives way."""
    made: list[int] = []
    died: list[int] = []

    def write(number: int) -> None:
        rng = random.Random(number)
        keys = tuple(rng.sample(COUNTERS, len(COUNTERS)))

        def before(_request: str, _name: str) -> None:
            if rng.random() < crashes:
                raise Crash

        for turn in range(TURNS):
            bucket = Watched(folder, like_a_cloud=like_a_cloud)
            bucket.before = before
            try:
                add_one(ObjectsStore(ObjectsSettings(path=folder), bucket=bucket), keys)
                made.append(turn)
            except Crash:
                died.append(turn)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(made) + len(died) == WRITERS * TURNS
    assert bool(died) is bool(crashes)
    now = ObjectsStore(ObjectsSettings(path=folder), bucket=Watched(folder, like_a_cloud=like_a_cloud))
    counts = counted(now, COUNTERS)
    assert len(set(counts)) == 1
    assert len(made) <= counts[0] <= len(made) + len(died)
    add_one(now, COUNTERS)
    assert counted(now, COUNTERS) == [counts[0] + 1] * len(COUNTERS)


def test_who_changes_the_same_in_another_order_waits_for_nobody_to_give_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "PATIENCE", PATIENCE)
    both = threading.Barrier(2)

    def write(keys: tuple[str, ...]) -> None:
        store = ObjectsStore(ObjectsSettings(path=folder, durable=False))
        for _ in range(20):
            both.wait()
            add_one(store, keys)

    began = time.monotonic()
    threads = [threading.Thread(target=write, args=(keys,)) for keys in (COUNTERS, COUNTERS[::-1])]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert counted(ObjectsStore(ObjectsSettings(path=folder)), COUNTERS) == [40] * len(COUNTERS)
    assert time.monotonic() - began < PATIENCE


def count_for_ever(folder: Path, said: Any) -> None:
    """Add to the counters again and again, and say each time that was acknowledged."""
    store = ObjectsStore(ObjectsSettings(path=folder, durable=False))
    while True:
        add_one(store, COUNTERS)
        os.write(said, b".")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_killed_writer_leaves_all_or_nothing_of_its_last_commit(folder: Path) -> None:
    context = multiprocessing.get_context("fork")
    acknowledged = 0
    for round_ in range(12):
        reading, writing = os.pipe()
        child = context.Process(target=count_for_ever, args=(folder, writing))
        child.start()
        os.close(writing)
        acknowledged += len(os.read(reading, 1))  # it is at work
        time.sleep(random.uniform(0, 0.05))
        os.kill(child.pid or 0, signal.SIGKILL)
        child.join()
        with os.fdopen(reading, "rb") as said:
            acknowledged += len(said.read())
        counts = counted(ObjectsStore(ObjectsSettings(path=folder)), COUNTERS)
        assert len(set(counts)) == 1, counts
        assert acknowledged <= counts[0] <= acknowledged + round_ + 1
