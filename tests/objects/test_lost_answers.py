"""Writes that were carried out and whose answers did not come: known to be ours, or said to be unknown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.errors import StoreError, Throttled, Unavailable
from dbrouter.backends.kernel.filters import eq
from dbrouter.backends.kernel.ops import ABSENT, Commit, Get, Put, Remove, Scan
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.objects.bucket import Overloaded
from dbrouter.backends.objects.settings import ObjectsSettings
from dbrouter.backends.objects.store import ObjectsStore
from dbrouter.testing.conformance.records import session
from tests.objects.conftest import Watched

LOST = pytest.mark.parametrize("error", [Unavailable("connection reset"), Overloaded("503")], ids=["reset", "503"])


def write(driver: ObjectsStore, *puts: Put) -> Any:
    return finish(driver.execute(Commit(writes=puts)))


def put(name: str, expect: Any = ABSENT, **columns: Any) -> Put:
    return Put(table="sessions", record=session(name, user_id="ann", **columns), expect=expect)


def got(driver: ObjectsStore, name: str) -> Any:
    return finish(driver.execute(Get(table="sessions", key=(name,), versioned=True)))


def listed(store: Emulated) -> list[str]:
    page = finish(store.execute(Scan(table="sessions", where=eq("user_id", "ann"))))
    return sorted(record["session_id"] for record in page.records)


def once(bucket: Watched, of: str, error: StoreError, meanwhile: Callable[[], Any] = lambda: None) -> None:
    """The answer to the next put of such an object is lost, after something else has happened."""

    def after(request: str, name: str) -> None:
        if request == "put" and of in name:
            bucket.after = lambda _request, _name: None
            meanwhile()
            raise error

    bucket.after = after


@LOST
def test_a_new_record_is_found_to_be_stored_and_is_listed(
    driver: ObjectsStore, store: Emulated, bucket: Watched, error: StoreError
) -> None:
    once(bucket, "/r/", error)
    write(driver, put("s1"))
    assert got(driver, "s1") is not None
    assert listed(store) == ["s1"]


@LOST
def test_a_record_that_another_has_built_upon_stays_in_its_listings(
    driver: ObjectsStore, store: Emulated, bucket: Watched, error: StoreError
) -> None:
    once(bucket, "/r/", error, lambda: write(driver, put("s1", got(driver, "s1").version, agent_id="theirs")))
    with pytest.raises(Unavailable, match="whether it was written is unknown"):
        write(driver, put("s1"))
    assert got(driver, "s1").record["agent_id"] == "theirs"
    assert listed(store) == ["s1"]


@LOST
def test_a_decision_is_found_to_be_made_and_no_half_of_a_commit_is_taken_back(
    driver: ObjectsStore, bucket: Watched, error: StoreError
) -> None:
    write(driver, put("s1"), put("s2"))
    one, two = got(driver, "s1").version, got(driver, "s2").version
    once(bucket, "~decisions", error, lambda: write(driver, put("s1", None, agent_id="theirs")))
    write(driver, put("s1", one, agent_id="mine"), put("s2", two, agent_id="mine"))
    assert got(driver, "s2").record["agent_id"] == "mine"
    assert got(driver, "s1").record["agent_id"] == "theirs"


def test_a_removal_is_found_to_have_happened_or_said_to_be_unknown(
    driver: ObjectsStore, store: Emulated, bucket: Watched
) -> None:
    write(driver, put("s1"))
    removal = Remove(table="sessions", key=("s1",), expect=got(driver, "s1").version)

    def lose(request: str, name: str) -> None:
        if request in ("put", "remove") and "/r/" in name:
            bucket.after = lambda _request, _name: None
            raise Unavailable("connection reset")

    bucket.after = lose
    if bucket.removes:
        with pytest.raises(Unavailable, match="whether it was removed by this is unknown"):
            finish(driver.execute(Commit(writes=(removal,))))
    else:  # the tombstone says whose it is
        finish(driver.execute(Commit(writes=(removal,))))
    assert (got(driver, "s1"), listed(store)) == (None, [])


def test_a_write_that_may_have_happened_is_not_told_as_refused(bucket: Watched, folder: Path) -> None:
    # As long as the first request of a busy machine may take: the others are repeated until then.
    driver = ObjectsStore(ObjectsSettings(path=folder, deadline=2), bucket=bucket)

    def after(request: str, name: str) -> None:
        if request == "put" and "/r/" in name:
            bucket.before = busy
            raise Unavailable("connection reset")

    def busy(request: str, name: str) -> None:
        if "/r/" in name:
            raise Throttled("slow down")

    bucket.after = after
    with pytest.raises(Unavailable, match="whether it was written is unknown"):
        write(driver, put("s1"))
