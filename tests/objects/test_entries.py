"""Entries of listings: in step with their records, harmless when a crash leaves them, removed when they are old."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.errors import Conflict, Duplicate, Throttled, Unavailable, Unstorable
from dbrouter.backends.kernel.filters import EVERYTHING, Field, eq
from dbrouter.backends.kernel.ops import ABSENT, Commit, Get, Order, Put, Remove, Scan, Walk
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.objects.body import is_tombstone, seal, sealed_for
from dbrouter.backends.objects.store import ObjectsStore
from dbrouter.testing.conformance.records import session
from tests.objects.conftest import Watched, age, objects, put_over

RECORDS = "tables/agno_sessions/r"
NEWEST = Order(Field("created_at"), descending=True)
OLDEST = Order(Field("created_at"))


class Crash(BaseException):
    """The process ends here."""


def put(driver: ObjectsStore, record: dict[str, Any], expect: Any = None) -> Any:
    return finish(driver.execute(Commit(writes=(Put(table="sessions", record=record, expect=expect),))))[0]


def remove(driver: ObjectsStore, key: str, expect: Any = None) -> None:
    finish(driver.execute(Commit(writes=(Remove(table="sessions", key=(key,), expect=expect),))))


def of_user(driver: ObjectsStore, user: str) -> list[str]:
    page = finish(driver.execute(Scan(table="sessions", where=eq("user_id", user))))
    return sorted(record["session_id"] for record in page.records)


def newest(driver: ObjectsStore, user: str | None = None, limit: int = 100) -> tuple[list[str], int | None]:
    where = EVERYTHING if user is None else eq("user_id", user)
    walked = finish(driver.execute(Walk(table="sessions", where=where, order=NEWEST, limit=limit, total=True)))
    return [record["session_id"] for record in walked.records], walked.total


def entries(folder: Path) -> set[str]:
    return set(objects(folder, "tables/agno_sessions/l"))


def test_an_entry_moves_with_its_record_and_goes_with_it(driver: ObjectsStore, folder: Path) -> None:
    version = put(driver, session("s1", user_id="ann", agent_id="a", updated_at=5))
    first = entries(folder)
    version = put(driver, session("s1", user_id="ann", agent_id="a", updated_at=6), version)
    assert entries(folder) == first
    version = put(driver, session("s1", user_id="bob", agent_id="a"), version)
    assert (of_user(driver, "ann"), of_user(driver, "bob")) == ([], ["s1"])
    assert len(first - entries(folder)) == len(entries(folder) - first) == 1
    put(driver, session("s1", user_id="bob"), version)
    assert len(entries(folder)) == len(first) - 1
    remove(driver, "s1")
    assert (of_user(driver, "bob"), newest(driver), entries(folder)) == ([], ([], 0), set())


def test_a_save_that_moves_nothing_writes_one_object(driver: ObjectsStore, bucket: Watched) -> None:
    version = put(driver, session("s1", user_id="ann"), ABSENT)
    bucket.requests.clear()
    put(driver, session("s1", user_id="ann", session_data={"a": 1}), version)
    assert bucket.requests == {"put": 1}


def test_a_refused_write_leaves_nothing(driver: ObjectsStore, folder: Path) -> None:
    version = put(driver, session("s1", user_id="ann"))
    before = entries(folder)
    put(driver, session("s1", user_id="ann", metadata={}), version)
    with pytest.raises(Conflict):
        put(driver, session("s1", user_id="bob"), version)
    with pytest.raises(Duplicate):
        put(driver, session("s1", user_id="bob"), ABSENT)
    with pytest.raises(Unstorable):
        put(driver, session("s2", user_id="bob", metadata={"socket": object()}))
    with pytest.raises(Conflict):
        remove(driver, "s1", version)
    assert entries(folder) == before
    assert of_user(driver, "bob") == []


def test_a_disk_that_is_full_is_not_filled_with_entries(driver: ObjectsStore, bucket: Watched, folder: Path) -> None:
    put(driver, session("s1", user_id="ann"))
    before = entries(folder)
    room = iter(range(2))

    def full(request: str, name: str) -> None:
        if request == "put" and "/l/" in name and next(room, None) is None:
            raise Unavailable("No space left on device")

    bucket.before = full
    with pytest.raises(Unavailable, match="No space left"):
        put(driver, session("s2", user_id="ann"))
    assert entries(folder) == before


def test_a_crash_before_the_record_is_written_shows_nothing(
    driver: ObjectsStore, bucket: Watched, folder: Path
) -> None:
    put(driver, session("s1", user_id="ann", created_at=1))

    def crash(request: str, name: str) -> None:
        if request == "put" and "/r/" in name:
            raise Crash

    bucket.before = crash
    for record in (session("s1", user_id="bob", created_at=2), session("s2", user_id="bob")):
        with pytest.raises(Crash):
            put(driver, record)
    bucket.before = lambda _request, _name: None
    assert (of_user(driver, "ann"), of_user(driver, "bob"), newest(driver)[0]) == (["s1"], [], ["s1"])
    # Young entries stay: their writer may be about to write the record.
    left = entries(folder)
    age(folder)
    assert of_user(driver, "bob") == []
    assert newest(driver) == (["s1"], 2)
    assert newest(driver) == (["s1"], 1)
    assert len(entries(folder)) < len(left)
    finish(driver.compact())
    assert newest(driver, "bob") == ([], 0)
    assert len(entries(folder)) == 3


@pytest.mark.parametrize("order", [NEWEST, OLDEST], ids=["newest first", "oldest first"])
def test_an_entry_that_a_crash_has_left_beside_the_right_one_hides_no_record(
    driver: ObjectsStore, bucket: Watched, order: Order
) -> None:
    def crash(request: str, name: str) -> None:
        if request == "put" and "/r/" in name:
            raise Crash

    for number in range(8):
        # Written again as it was, its entries differ in nothing but the token from those that the crash has left.
        bucket.before = crash
        with pytest.raises(Crash):
            put(driver, session(f"s{number}", created_at=number))
        bucket.before = lambda _request, _name: None
        put(driver, session(f"s{number}", created_at=number))
    expected = sorted((f"s{number}" for number in range(8)), reverse=order.descending)
    for limit in range(1, 9):
        seen: list[str] = []
        after: Any = None
        while len(seen) < 8:
            walk = Walk(table="sessions", where=EVERYTHING, order=order, limit=limit, after=after)
            walked = finish(driver.execute(walk))
            seen += [record["session_id"] for record in walked.records]
            after = walked.after
            if after is None:
                break
        assert seen == expected, limit


def test_a_crash_after_the_record_is_written_shows_it_once(driver: ObjectsStore, bucket: Watched, folder: Path) -> None:
    version = put(driver, session("s1", user_id="ann", created_at=1, updated_at=1))

    def crash(request: str, _name: str) -> None:
        if request == "discard":
            raise Crash

    bucket.before = crash
    with pytest.raises(Crash):
        put(driver, session("s1", user_id="ann", created_at=2, updated_at=2), version)
    bucket.before = lambda _request, _name: None
    assert newest(driver) == (["s1"], 1)
    assert newest(driver, "ann") == (["s1"], 1)
    assert of_user(driver, "ann") == ["s1"]
    age(folder)
    finish(driver.compact())
    assert len(entries(folder)) == 3


def test_writers_that_come_between_lose_no_entry(driver: ObjectsStore, bucket: Watched) -> None:
    """A writer is about to remove the old entry while another brings the old value back."""
    version = put(driver, session("s1", user_id="ann"))

    def come_between(request: str, _name: str) -> None:
        if request == "discard":
            bucket.before = lambda _request, _name: None
            stored = finish(driver.execute(Get(table="sessions", key=("s1",), versioned=True)))
            assert stored is not None
            put(driver, session("s1", user_id="ann"), stored.version)

    bucket.before = come_between
    put(driver, session("s1", user_id="bob"), version)
    assert (of_user(driver, "ann"), of_user(driver, "bob")) == (["s1"], [])


def test_an_entry_that_is_missing_is_added(driver: ObjectsStore, folder: Path) -> None:
    put(driver, session("s1", user_id="ann"))
    age(folder)
    top = folder / "tables" / "agno_sessions" / "l"
    for each in top.rglob("*"):
        if each.is_file() and "user_id" in str(each):
            each.unlink()
    assert of_user(driver, "ann") == []
    assert finish(driver.compact()).added_entries == 1
    assert of_user(driver, "ann") == ["s1"]


def test_a_removed_record_can_be_written_again(driver: ObjectsStore, bucket: Watched, folder: Path) -> None:
    put(driver, session("s1", user_id="ann"), ABSENT)
    remove(driver, "s1")
    assert finish(driver.execute(Get(table="sessions", key=("s1",)))) is None
    assert finish(driver.execute(Scan(table="sessions"))).records == []
    (record,) = objects(folder, RECORDS).values() or [b""]
    assert is_tombstone(record) is not bucket.removes
    put(driver, session("s1", user_id="bob"), ABSENT)
    assert of_user(driver, "bob") == ["s1"]
    with pytest.raises(Duplicate):
        put(driver, session("s1", user_id="cat"), ABSENT)


def test_old_tombstones_are_removed_and_young_ones_stay(folder: Path) -> None:
    from dbrouter.backends.objects.settings import ObjectsSettings

    driver = ObjectsStore(ObjectsSettings(path=folder), bucket=Watched(folder, like_a_cloud=True))
    for key in ("old", "young"):
        put(driver, session(key, user_id="ann"))
        remove(driver, key)
        if key == "old":
            age(folder, 8 * 24 * 3600)
    assert finish(driver.compact()).tombstones == 1
    assert list(objects(folder, RECORDS)) == ["tyoung!"]


def test_nobody_writes_over_a_tombstone_that_is_being_removed(folder: Path) -> None:
    from dbrouter.backends.objects.settings import ObjectsSettings

    bucket = Watched(folder, like_a_cloud=True)
    driver = ObjectsStore(ObjectsSettings(path=folder, deadline=0.5), bucket=bucket)
    put(driver, session("s1"))
    remove(driver, "s1")
    put_over(folder, f"{RECORDS}/ts1!", seal())
    with pytest.raises(Throttled, match="tombstone is being removed"):
        put(driver, session("s1"), ABSENT)
    # Its compactor never came back: after a while it is a tombstone like others.
    old = b"seal " + f"{time.time_ns() - 7200 * 10**9:016x}".encode()
    assert (sealed_for(old) or 0) > 7000
    put_over(folder, f"{RECORDS}/ts1!", old)
    put(driver, session("s1"), ABSENT)
    assert [each["session_id"] for each in finish(driver.execute(Scan(table="sessions"))).records] == ["s1"]


def test_a_tombstone_that_is_sealed_just_now_is_no_record(folder: Path) -> None:
    from dbrouter.backends.objects.settings import ObjectsSettings

    bucket = Watched(folder, like_a_cloud=True)
    driver = ObjectsStore(ObjectsSettings(path=folder, deadline=0.5), bucket=bucket)
    put(driver, session("s1"))
    remove(driver, "s1")
    puts = iter(range(2))

    def compact(request: str, name: str) -> None:
        if request == "put" and "/r/" in name and next(puts, None) == 1:  # the first finds the tombstone
            put_over(folder, name, seal())

    bucket.before = compact
    with pytest.raises(Throttled, match="tombstone is being removed"):
        put(driver, session("s1"), ABSENT)


@pytest.mark.parametrize("order", [NEWEST, OLDEST], ids=["newest first", "oldest first"])
@pytest.mark.parametrize("length", [3, 300], ids=["short keys", "keys that are cut"])
def test_walks_go_on_where_they_stopped(driver: ObjectsStore, order: Order, length: int) -> None:
    keys = [f"{'k' * length}{number:02}" for number in range(23)]
    for number, key in enumerate(keys):
        put(driver, session(key, user_id="ann", created_at=number % 4))
    put(driver, session("other", user_id="bob"))
    expected = sorted(keys, key=lambda key: (keys.index(key) % 4, key), reverse=order.descending)
    seen: list[str] = []
    after: Any = None
    while True:
        walk = Walk(
            table="sessions", where=eq("user_id", "ann"), order=order, limit=5, after=after, total=after is None
        )
        walked = finish(driver.execute(walk))
        assert walked.total == (23 if after is None else None)
        seen += [record["session_id"] for record in walked.records]
        after = walked.after
        if after is None:
            break
    assert seen == expected


def test_a_page_costs_a_listing_and_its_records(store: Emulated, driver: ObjectsStore, bucket: Watched) -> None:
    for number in range(1200):
        put(driver, session(f"s{number:04}", user_id="ann", created_at=number), ABSENT)
    bucket.requests.clear()
    page = finish(store.execute(Scan(table="sessions", order=(NEWEST,), limit=20)))
    assert [record["session_id"] for record in page.records] == [f"s{1199 - number:04}" for number in range(20)]
    assert bucket.requests == {"list": 1, "get": 20}
    bucket.requests.clear()
    page = finish(store.execute(Scan(table="sessions", order=(OLDEST,), limit=20, total=True)))
    assert ([record["session_id"] for record in page.records][:2], page.total) == (["s0000", "s0001"], 1200)
    assert bucket.requests == {"list": 2, "get": 20}


def test_an_outage_is_told_and_a_short_one_is_not_noticed(driver: ObjectsStore, bucket: Watched) -> None:
    put(driver, session("s1", user_id="ann"))
    failing = iter([Unavailable("gone"), Throttled("slower"), Throttled("slower")])

    def stumble(_request: str, _name: str) -> None:
        for error in failing:
            raise error

    bucket.before = stumble
    assert of_user(driver, "ann") == ["s1"]

    def away(_request: str, _name: str) -> None:
        raise Unavailable("gone")

    bucket.before = away
    with pytest.raises(Unavailable):
        of_user(driver, "ann")
    with pytest.raises(Unavailable):
        put(driver, session("s2"))
