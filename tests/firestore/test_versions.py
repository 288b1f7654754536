"""Versions and listings on the emulator itself: what conditional writes and walks rest on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dbrouter.backends.firestore.store import FirestoreStore
from dbrouter.backends.kernel.errors import Conflict, Duplicate, StoreError
from dbrouter.backends.kernel.filters import EVERYTHING, Field, eq
from dbrouter.backends.kernel.ops import ABSENT, Check, Commit, Order, Put, Remove, Walk, Write
from dbrouter.backends.kernel.ordering import sort_records
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.tenant_tables import ALL_TABLES
from dbrouter.testing.conformance.records import run


def memory(memory_id: str, **more: Any) -> dict[str, Any]:
    return {"memory_id": memory_id, "memory": {"m": 1}, "user_id": "u", "created_at": 1, "updated_at": 1} | more


def commit(store: FirestoreStore, *writes: Write) -> Any:
    return finish(store.execute(Commit(writes=writes)))


def putting(record: dict[str, Any], expect: Any = None) -> Put:
    return Put(table="memories", record=record, expect=expect)


def test_writing_the_same_again_is_another_version(firestore: FirestoreStore) -> None:
    # Firestore itself takes it for no write at all, and of two that expect one version both would go through.
    (first,) = commit(firestore, putting(memory("a"), ABSENT))
    (second,) = commit(firestore, putting(memory("a"), first))
    assert first != second
    with pytest.raises(Conflict):
        commit(firestore, putting(memory("a"), first))
    finish(firestore.close())


def test_a_check_changes_nothing_and_holds_up_the_commit(firestore: FirestoreStore) -> None:
    (seen,) = commit(firestore, putting(memory("a"), ABSENT))
    nobody = Check(table="memories", key=("nobody",), expect=ABSENT)
    checked = Check(table="memories", key=("a",), expect=seen)
    for name in ("b", "c"):
        # Twice: what was checked is still the version that it was.
        commit(firestore, checked, nobody, putting(memory(name), ABSENT))
    (newer,) = commit(firestore, putting(memory("a", user_id="v"), seen))
    with pytest.raises(Conflict):
        commit(firestore, putting(memory("d"), ABSENT), checked)
    with pytest.raises(Conflict):
        commit(firestore, putting(memory("d"), ABSENT), Check(table="memories", key=("a",), expect=ABSENT))
    with pytest.raises(Duplicate) as taken:
        commit(firestore, putting(memory("d"), ABSENT), putting(memory("b"), ABSENT))
    assert taken.value.columns == ("memory_id",)
    with pytest.raises(Conflict):
        commit(firestore, putting(memory("d"), ABSENT), Remove(table="memories", key=("a",), expect=seen))
    commit(
        firestore,
        Remove(table="memories", key=("a",), expect=newer),
        Check(table="memories", key=("d",), expect=ABSENT),
    )
    finish(firestore.close())


LONG = "x" * 500
NAMES = [
    None,
    "",
    "a",
    "a\x00",
    "a\x00b",
    "a\x01",
    "b",
    "\U0001f600",
    "\uffff",
    "\ud800",
    LONG,
    f"{LONG}b",
    f"{LONG}a",
    f"{LONG}\x00",
]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("limit", [1, 3, 100])
def test_a_walk_goes_through_all_records_in_order_however_long_their_values(
    firestore: FirestoreStore, descending: bool, limit: int
) -> None:
    # Numbers are what runs are listed by; nobody can keep a text from being there.
    records = [run(f"r{number}", run_index=name) for number, name in enumerate(NAMES)]
    records += [run(f"{LONG * 2}{number}", run_index="a") for number in range(3)]
    commit(firestore, *(Put(table="runs", record=each, expect=ABSENT) for each in records))
    order = Order(Field("run_index"), descending)
    where = eq("session_id", "s1")
    walk = Walk(table="runs", where=where, order=order, limit=limit, columns=("run_id",), total=True)
    found: list[str] = []
    while True:
        walked = finish(firestore.execute(walk))
        assert walked.total == len(records)
        assert len(walked.records) <= limit
        found += [each["run_id"] for each in walked.records]
        if walked.after is None:
            break
        walk = replace(walk, after=walked.after)
    expected = sort_records(records, (order,), ALL_TABLES["runs"].key)
    assert found == [each["run_id"] for each in expected]
    finish(firestore.close())


def test_a_walk_that_no_listing_serves_is_refused(firestore: FirestoreStore) -> None:
    with pytest.raises(StoreError, match="not listed"):
        finish(firestore.execute(Walk(table="memories", where=EVERYTHING, order=Order(Field("memory")), limit=1)))
    finish(firestore.close())
