"""Commits of several records: all or nothing, whoever crashes where, and nobody waits long for one who is gone."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dbrouter.backends.kernel.errors import Conflict, Duplicate, StoreError, Unavailable
from dbrouter.backends.kernel.filters import eq
from dbrouter.backends.kernel.ops import ABSENT, Check, Commit, Get, Put, Remove, Scan, Stored
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.objects import committing, drafts, writing
from dbrouter.backends.objects.body import is_tombstone
from dbrouter.backends.objects.settings import ObjectsSettings
from dbrouter.backends.objects.store import ObjectsStore
from dbrouter.testing.conformance.records import session
from tests.objects.conftest import Watched, age, objects

KEYS = ("changed", "created", "removed", "checked")


class Crash(BaseException):
    """The process ends here."""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "PATIENCE", 0.2)


def commit(driver: ObjectsStore, *writes: Any) -> tuple[Any, ...]:
    return finish(driver.execute(Commit(writes=writes)))


def put(key: str, expect: Any = None, **columns: Any) -> Put:
    return Put(table="sessions", record=session(key, **columns), expect=expect)


def read(driver: ObjectsStore, key: str) -> Stored | None:
    return finish(driver.execute(Get(table="sessions", key=(key,), versioned=True)))


def users(driver: ObjectsStore) -> dict[str, str]:
    """Key -> user, by every way there is to the records, which must agree."""
    by_key = {key: stored.record["user_id"] for key in KEYS if (stored := read(driver, key)) is not None}
    whole = finish(driver.execute(Scan(table="sessions"))).records
    assert {each["session_id"]: each["user_id"] for each in whole} == by_key
    for user in ("old", "new"):
        listed = finish(driver.execute(Scan(table="sessions", where=eq("user_id", user)))).records
        assert {each["session_id"] for each in listed} == {key for key, of in by_key.items() if of == user}
    return by_key


BEFORE = {"changed": "old", "removed": "old", "checked": "old"}
AFTER = {"changed": "new", "created": "new", "checked": "old"}


def prepared(driver: ObjectsStore) -> tuple[Any, ...]:
    """Records, and the writes of a commit that does to them everything that there is."""
    for key in BEFORE:
        commit(driver, put(key, ABSENT, user_id="old"))
    versions = {key: stored.version for key in BEFORE if (stored := read(driver, key)) is not None}
    return (
        put("changed", versions["changed"], user_id="new"),
        put("created", ABSENT, user_id="new"),
        Remove(table="sessions", key=("removed",), expect=versions["removed"]),
        Check(table="sessions", key=("checked",), expect=versions["checked"]),
    )


def users_of(driver: ObjectsStore, keys: Any) -> dict[str, str | None]:
    return {key: None if (stored := read(driver, key)) is None else stored.record["user_id"] for key in keys}


def requests_of_a_commit(folder: Path, *, like_a_cloud: bool) -> int:
    bucket = Watched(folder, like_a_cloud=like_a_cloud)
    driver = ObjectsStore(ObjectsSettings(path=folder), bucket=bucket)
    writes = prepared(driver)
    bucket.requests.clear()
    commit(driver, *writes)
    count = sum(bucket.requests.values())
    assert users(driver) == AFTER
    return count


def nth(number: int, happens: Callable[[], None]) -> Callable[[str, str], None]:
    """What is called before each request, and does this before that one."""
    left = [number]

    def before(_request: str, _name: str) -> None:
        left[0] -= 1
        if left[0] == -1:
            happens()

    return before


def another(folder: Path, bucket: Watched) -> ObjectsStore:
    """A store over the same objects whose requests nobody watches."""
    return ObjectsStore(ObjectsSettings(path=folder), bucket=Watched(folder, like_a_cloud=not bucket.removes))


def before_the_decision(bucket: Watched, happens: Callable[[], object]) -> None:
    """Have this happen once, when all drafts of a commit are there."""

    def before(request: str, name: str) -> None:
        if request == "put" and "~decisions" in name:
            bucket.before = lambda _request, _name: None
            happens()

    bucket.before = before


def crash() -> None:
    raise Crash


@pytest.mark.parametrize("like_a_cloud", [False, True], ids=["removes", "leaves tombstones"])
def test_a_crash_at_any_request_leaves_all_or_nothing_and_holds_nobody_up(
    tmp_path: Path, *, like_a_cloud: bool
) -> None:
    steps = requests_of_a_commit(tmp_path / "whole", like_a_cloud=like_a_cloud)
    seen: list[dict[str, str]] = []
    for step in range(steps):
        folder = tmp_path / str(step)
        bucket = Watched(folder, like_a_cloud=like_a_cloud)
        driver = ObjectsStore(ObjectsSettings(path=folder), bucket=bucket)
        writes = prepared(driver)
        bucket.before = nth(step, crash)
        with pytest.raises(Crash):
            commit(driver, *writes)
        bucket.before = lambda _request, _name: None
        left = users(driver)
        assert left in (BEFORE, AFTER), step
        seen.append(left)
        # Whoever comes next writes over what is there, and does not bring back what is not.
        if left == BEFORE:
            with pytest.raises(Conflict):
                commit(driver, *writes[:2], Check(table="sessions", key=("checked",), expect=ABSENT))
        for key in left:
            stored = read(driver, key)
            assert stored is not None
            try:
                commit(driver, put(key, stored.version, user_id="new"), put("another"))
            except Conflict:
                # It was read while the commit was undecided; that has ended now, without a change.
                again = read(driver, key)
                assert again is not None
                assert again.record == stored.record
                commit(driver, put(key, again.version, user_id="new"))
        assert users_of(driver, left) == dict.fromkeys(left, "new")
        for _ in range(2):  # the first drops commits that nobody has decided on, and the second removes that decision
            age(folder)
            finish(driver.compact(tombstones_older_than=0))
        assert not [each for each in objects(folder).values() if each.startswith(b'{"commit"')]
        assert objects(folder, "tables/~decisions") == {}
        assert users_of(driver, left) == dict.fromkeys(left, "new")
    # The decision lies in between, and there is no way back from it.
    assert BEFORE in seen
    assert AFTER in seen
    assert seen == sorted(seen, key=lambda each: each == AFTER)


@pytest.mark.parametrize("like_a_cloud", [False, True], ids=["removes", "leaves tombstones"])
def test_an_outage_from_any_request_on_leaves_all_or_nothing(tmp_path: Path, *, like_a_cloud: bool) -> None:
    def away() -> None:
        bucket.before = lambda _request, _name: away()
        raise Unavailable("gone")

    for step in range(requests_of_a_commit(tmp_path / "whole", like_a_cloud=like_a_cloud)):
        folder = tmp_path / str(step)
        bucket = Watched(folder, like_a_cloud=like_a_cloud)
        driver = ObjectsStore(ObjectsSettings(path=folder, deadline=0.3), bucket=bucket)
        writes = prepared(driver)
        bucket.before = nth(step, away)
        acknowledged = False
        try:
            commit(driver, *writes)
            acknowledged = True
        except Unavailable:
            pass
        bucket.before = lambda _request, _name: None
        left = users(driver)
        assert left == AFTER if acknowledged else left in (BEFORE, AFTER), step


@pytest.mark.parametrize("like_a_cloud", [False, True], ids=["removes", "leaves tombstones"])
def test_an_answer_that_is_lost_on_the_way_changes_nothing(tmp_path: Path, *, like_a_cloud: bool) -> None:
    def lost() -> None:
        raise Unavailable("cut")

    for step in range(requests_of_a_commit(tmp_path / "whole", like_a_cloud=like_a_cloud)):
        bucket = Watched(tmp_path / str(step), like_a_cloud=like_a_cloud)
        driver = ObjectsStore(ObjectsSettings(path=tmp_path / str(step)), bucket=bucket)
        writes = prepared(driver)
        bucket.after = nth(step, lost)
        versions = commit(driver, *writes)
        bucket.after = lambda _request, _name: None
        assert users(driver) == AFTER
        commit(driver, put("changed", versions[0], user_id="newer"), put("created", versions[1], user_id="newer"))


def test_readers_see_what_is_decided_and_wait_for_nobody(driver: ObjectsStore, bucket: Watched, folder: Path) -> None:
    writes = prepared(driver)
    seen: list[dict[str, str]] = []
    other = another(folder, bucket)

    def look(request: str, name: str) -> None:
        if request == "put" and ("/r/" in name or "~decisions" in name):
            began = time.monotonic()
            seen.append(users(other))
            assert time.monotonic() - began < drafts.PATIENCE

    bucket.before = look
    commit(driver, *writes)
    # Four drafts and the decision; then what is replaced: without a tombstone it is one less.
    assert seen[:5] == [BEFORE] * 5
    assert seen[5:] == [AFTER] * (3 if bucket.removes else 4)


def test_who_waits_too_long_for_a_decision_drops_the_commit(
    driver: ObjectsStore, bucket: Watched, folder: Path
) -> None:
    writes = prepared(driver)
    other = another(folder, bucket)

    before_the_decision(bucket, lambda: commit(other, put("changed", user_id="other")))
    with pytest.raises(Conflict):
        commit(driver, *writes)
    assert users_of(driver, KEYS) == {"changed": "other", "created": None, "removed": "old", "checked": "old"}


def test_who_has_less_time_than_patience_drops_a_commit_too(
    driver: ObjectsStore, bucket: Watched, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "PATIENCE", 600)
    writes = prepared(driver)
    before_the_decision(bucket, crash)
    with pytest.raises(Crash):
        commit(driver, *writes)
    in_haste = ObjectsStore(ObjectsSettings(path=folder, deadline=1), bucket=bucket)
    commit(in_haste, put("changed", user_id="other"))
    commit(in_haste, put("created", user_id="other"), put("removed", user_id="other"))
    assert users_of(driver, KEYS) == {"changed": "other", "created": "other", "removed": "other", "checked": "old"}


def test_a_writer_that_stood_still_for_days_does_not_make_what_was_dropped_and_tidied(
    driver: ObjectsStore, bucket: Watched, folder: Path
) -> None:
    writes = prepared(driver)
    other = another(folder, bucket)

    def happens() -> None:
        commit(other, put("changed", user_id="other"))
        for _ in range(2):
            age(folder, 6 * 24 * 3600)
            finish(other.compact())

    before_the_decision(bucket, happens)
    with pytest.raises(Conflict):
        commit(driver, *writes)
    assert users_of(driver, KEYS) == {"changed": "other", "created": None, "removed": "old", "checked": "old"}
    age(folder, 8 * 24 * 3600)
    assert finish(driver.compact()).ended_commits == 1
    assert objects(folder, "tables/~decisions") == {}


def test_entries_are_written_again_by_a_writer_that_stood_still(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = Watched(folder)
    for module in (writing, committing):
        monkeypatch.setattr(module, "GRACE", timedelta(seconds=0.2))
    driver = ObjectsStore(ObjectsSettings(path=folder, deadline=1), bucket=bucket)

    def stand_still(request: str, name: str) -> None:
        if request == "put" and what in name:
            bucket.after = lambda _request, _name: None
            # Readers have taken the entries for those of a writer that was killed.
            left = objects(folder, "tables/agno_sessions/l")
            finish(Watched(folder).discard([f"tables/agno_sessions/l/{each}" for each in left]))
            time.sleep(1)

    for what, puts in (("/r/", [put("a")]), ("~decisions", [put("b"), put("c")])):
        bucket.after = stand_still
        commit(driver, *(replace(each, record={**each.record, "user_id": what}) for each in puts))
        of_user = finish(driver.execute(Scan(table="sessions", where=eq("user_id", what)))).records
        assert {each["session_id"] for each in of_user} == {each.record["session_id"] for each in puts}


def test_a_commit_that_was_dropped_for_nothing_is_made_in_a_second_try(
    driver: ObjectsStore, bucket: Watched, folder: Path
) -> None:
    writes = prepared(driver)
    other = another(folder, bucket)

    def create() -> None:
        with pytest.raises(Duplicate):
            commit(other, put("changed", ABSENT))

    before_the_decision(bucket, create)
    # Like the tags of a bucket: what was put back is what was there, byte for byte.
    commit(driver, put("created", ABSENT, user_id="new"), put("changed", user_id="new"), writes[2])
    assert users(driver) == AFTER


def contents(folder: Path) -> dict[str, bytes]:
    """Every object but tombstones, which nobody takes for one."""
    return {each: content for each, content in objects(folder).items() if not is_tombstone(content)}


def test_what_is_refused_leaves_nothing(driver: ObjectsStore, folder: Path) -> None:
    prepared(driver)
    before = contents(folder)
    stored = read(driver, "changed")
    assert stored is not None
    for refused, error in [
        (put("checked", stored.version), Conflict),
        (put("checked", ABSENT), Duplicate),
        (put("another", ABSENT, metadata={"socket": object()}), StoreError),
        (Check(table="sessions", key=("another",), expect=stored.version), Conflict),
    ]:
        with pytest.raises(error):
            commit(driver, put("created", ABSENT, user_id="new"), put("changed", stored.version), refused)
    assert contents(folder) == before


def test_a_commit_costs_three_requests_for_each_record_and_two(driver: ObjectsStore, bucket: Watched) -> None:
    writes = prepared(driver)
    bucket.requests.clear()
    commit(driver, put("changed", writes[0].expect, user_id="old", updated_at=7), writes[3])
    assert bucket.requests == {"get": 2, "put": 2 + 1 + 2, "discard": 1}


def test_one_record_is_written_once(driver: ObjectsStore) -> None:
    with pytest.raises(StoreError, match="write it once"):
        commit(driver, put("a"), put("b"), put("a", user_id="u"))
    check = Check(table="sessions", key=("a",), expect=ABSENT)
    assert commit(driver, check, put("a"))[1] is not None
    with pytest.raises(Duplicate):
        commit(driver, check, put("a"))
    assert read(driver, "b") is None


def test_a_reader_replaces_what_a_crash_has_left_long_ago_and_can_write_over_it(
    driver: ObjectsStore, bucket: Watched, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = prepared(driver)

    def look(request: str, name: str) -> None:
        if request == "put" and "/r/" in name and objects(folder, "tables/~decisions"):
            raise Crash  # before the first draft is replaced

    bucket.before = look
    with pytest.raises(Crash):
        commit(driver, *writes)
    bucket.before = lambda _request, _name: None
    monkeypatch.setattr(drafts, "LEFT_ALONE", -1.0)
    versions = {key: stored.version for key in AFTER if (stored := read(driver, key)) is not None}
    assert read(driver, "removed") is None
    assert not [each for each in objects(folder).values() if each.startswith(b'{"commit"')]
    commit(driver, *(put(key, version, user_id="newer") for key, version in versions.items()))
    assert users_of(driver, KEYS) == {**dict.fromkeys(AFTER, "newer"), "removed": None}


def test_what_was_read_before_a_decision_is_not_written_over_after_it(
    driver: ObjectsStore, bucket: Watched, folder: Path
) -> None:
    writes = prepared(driver)
    other = another(folder, bucket)
    read_before: list[Stored | None] = []

    def look(request: str, name: str) -> None:
        if request == "put" and "~decisions" in name:
            read_before.append(read(other, "changed"))
        elif read_before and request == "put":
            raise Crash  # before the first draft is replaced

    bucket.before = look
    with pytest.raises(Crash):
        commit(driver, *writes)
    (stale,) = read_before
    now = read(other, "changed")
    assert stale is not None
    assert now is not None
    assert (stale.record["user_id"], now.record["user_id"]) == ("old", "new")
    assert stale.version != now.version
    for alone in (True, False):
        with pytest.raises(Conflict):
            commit(other, put("changed", stale.version, user_id="stale"), *([] if alone else [put("another")]))
    with pytest.raises(Conflict):
        commit(other, Remove(table="sessions", key=("changed",), expect=stale.version))
    assert users(other) == AFTER
