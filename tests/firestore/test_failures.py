"""What becomes of requests that fail: repeated where that is safe, told apart where it is not, never an empty answer."""

from __future__ import annotations

import asyncio
import secrets
import weakref
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from grpc import StatusCode

from dbrouter.backends.firestore import channels
from dbrouter.backends.firestore.channels import AsyncSending, BlockingSending
from dbrouter.backends.firestore.errors import translated
from dbrouter.backends.firestore.messages import REQUESTS
from dbrouter.backends.firestore.store import AsyncFirestoreStore, FirestoreStore
from dbrouter.backends.firestore.target import Target
from dbrouter.backends.kernel.errors import Conflict, StoreError, Throttled, TooLarge, Unavailable
from dbrouter.backends.kernel.ops import ABSENT, Commit, Get, Put, Remove, Scan
from dbrouter.backends.kernel.running import finish
from dbrouter.testing.conformance.records import learning
from tests.firestore.between import Between
from tests.waiting import told_within

DEADLINE = 5.0


@pytest.fixture
def between(target: Target, firestore: FirestoreStore) -> Iterator[Between]:
    assert target.emulator is not None
    # The first request of an emulator takes it seconds.
    finish(firestore.ping())
    finish(firestore.close())
    made = Between(target.emulator)
    yield made
    made.close()


@pytest.fixture
def store(target: Target, between: Between) -> Iterator[FirestoreStore]:
    made = FirestoreStore(replace(target, emulator=between.address), deadline=DEADLINE)
    yield made
    finish(made.close())


def put(store: FirestoreStore, name: str, expect: Any = None, **more: Any) -> Any:
    write = Put(table="learnings", record=learning(name, **more), expect=expect)
    return finish(store.execute(Commit(writes=(write,))))[0]


def got(store: FirestoreStore, name: str) -> Any:
    return finish(store.execute(Get(table="learnings", key=(name,), versioned=True)))


def test_a_read_is_repeated_when_the_server_was_away_for_a_moment(store: FirestoreStore, between: Between) -> None:
    put(store, "a")
    between.requests.clear()
    between.fail["BatchGetDocuments"] = [StatusCode.UNAVAILABLE, StatusCode.UNAVAILABLE]
    assert got(store, "a") is not None
    assert between.requests["BatchGetDocuments"] == 3


def test_who_is_told_to_slow_down_does_and_gets_its_answer(store: FirestoreStore, between: Between) -> None:
    between.fail["Commit"] = [StatusCode.RESOURCE_EXHAUSTED] * 3
    between.fail["RunQuery"] = [StatusCode.RESOURCE_EXHAUSTED]
    put(store, "a", ABSENT)
    assert between.requests["Commit"] == 4
    assert len(finish(store.execute(Scan(table="learnings"))).records) == 1


def test_who_is_told_to_slow_down_all_the_time_is_throttled_within_the_deadline(
    store: FirestoreStore, between: Between
) -> None:
    between.fail["Commit"] = [StatusCode.RESOURCE_EXHAUSTED] * 100
    with told_within(DEADLINE), pytest.raises(Throttled):
        put(store, "a", ABSENT)
    between.fail.clear()
    assert got(store, "a") is None


def test_a_commit_that_met_others_is_sent_again(store: FirestoreStore, between: Between) -> None:
    between.fail["Commit"] = [StatusCode.ABORTED, StatusCode.ABORTED]
    version = put(store, "a", ABSENT)
    assert got(store, "a").version == version


def test_a_commit_whose_answer_was_lost_is_known_to_have_happened(store: FirestoreStore, between: Between) -> None:
    between.lose["Commit"] = 1
    version = put(store, "a", ABSENT)
    assert between.requests["Commit"] == 2
    assert got(store, "a").version == version
    between.lose["Commit"] = 1
    newer = put(store, "a", version, user_id="u")
    assert got(store, "a").version == newer != version


def test_a_lost_answer_is_unknown_when_another_writer_came_since(
    store: FirestoreStore, between: Between, firestore: FirestoreStore
) -> None:
    between.lose["Commit"] = 1
    between.meanwhile = lambda: put(firestore, "a", user_id="another")
    with pytest.raises(Unavailable):
        put(store, "a", ABSENT)
    assert got(store, "a").record["user_id"] == "another"
    finish(firestore.close())


def test_a_lost_answer_is_unknown_when_the_server_asks_to_slow_down_since(
    store: FirestoreStore, between: Between
) -> None:
    large = {"text": secrets.token_hex(4_000_000)}
    # Two commits write parts, and a third the record.
    between.spared["Commit"], between.lose["Commit"] = 2, 1
    between.meanwhile = lambda: between.fail.update(Commit=[StatusCode.RESOURCE_EXHAUSTED] * 100)
    with pytest.raises(Unavailable, match="the answer was lost"):
        put(store, "a", ABSENT, content=large)
    between.fail.clear()
    assert got(store, "a").record["content"] == large


def test_a_removal_whose_answer_was_lost_is_unknown(store: FirestoreStore, between: Between) -> None:
    version = put(store, "a", ABSENT)
    between.lose["Commit"] = 1
    with pytest.raises(Unavailable):
        finish(store.execute(Commit(writes=(Remove(table="learnings", key=("a",), expect=version),))))
    assert got(store, "a") is None


def test_a_conflict_is_no_reason_to_send_again(store: FirestoreStore, between: Between) -> None:
    version = put(store, "a", ABSENT)
    put(store, "a", version, user_id="u")
    between.requests.clear()
    with pytest.raises(Conflict):
        put(store, "a", version)
    assert between.requests["Commit"] == 1


@pytest.mark.parametrize("status", [StatusCode.UNAVAILABLE, StatusCode.INTERNAL, StatusCode.PERMISSION_DENIED])
def test_a_failure_is_never_an_empty_answer(store: FirestoreStore, between: Between, status: StatusCode) -> None:
    for method in ("BatchGetDocuments", "RunQuery"):
        between.fail[method] = [status] * 10
    with pytest.raises(Unavailable):
        got(store, "a")
    with pytest.raises(Unavailable):
        finish(store.execute(Scan(table="learnings")))


def test_a_server_that_is_not_there_is_told_within_seconds(target: Target) -> None:
    nobody = replace(target, emulator="127.0.0.1:1")
    store = FirestoreStore(nobody, deadline=DEADLINE)
    with told_within(DEADLINE), pytest.raises(Unavailable, match="check that it runs"):
        finish(store.ping())
    with told_within(DEADLINE), pytest.raises(Unavailable):
        put(store, "a", ABSENT)
    finish(store.close())

    async def from_a_loop() -> None:
        away = AsyncFirestoreStore(nobody)
        try:
            with pytest.raises(Unavailable):
                await away.ping()
        finally:
            await away.close()

    asyncio.run(from_a_loop())


def test_a_call_beside_which_the_store_is_closed_is_not_cancelled(async_store: AsyncFirestoreStore) -> None:
    async def body() -> None:
        for _ in range(5):
            asked = [asyncio.create_task(async_store.ping()) for _ in range(5)]
            await asyncio.sleep(0)
            await async_store.close()
            outcomes = await asyncio.gather(*asked, return_exceptions=True)
            assert {type(each) for each in outcomes} <= {type(None), Unavailable}
        cancelled = asyncio.create_task(async_store.ping())
        await asyncio.sleep(0)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        await async_store.close()

    asyncio.run(body())


def test_a_thread_beside_which_the_store_is_closed_is_told_so(firestore: FirestoreStore) -> None:
    sending = firestore._client.exchange._sending
    assert isinstance(sending, BlockingSending)
    finish(firestore.ping())
    methods = sending._ready()
    # Another thread's call has them already, and has not begun.
    finish(firestore.close())
    sending._methods, sending._channel = methods, object()
    with pytest.raises(Unavailable, match="closed while it was asked"):
        finish(sending.send("Commit", REQUESTS["Commit"][0](), 1.0))
    sending._channel = None


def test_the_channels_of_loops_that_ended_are_closed(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[weakref.ref[Any]] = []
    make = channels._channel

    def watched(*given: Any) -> Any:
        channel = make(*given)
        made.append(weakref.ref(channel))
        return channel

    monkeypatch.setattr(channels, "_channel", watched)
    store = AsyncFirestoreStore(target)
    for _ in range(4):
        asyncio.run(store.ping())
    # One that nobody has any more closes itself.
    assert [each() is not None for each in made] == [False, False, False, True]
    asyncio.run(store.close())
    assert made[-1]() is None


@pytest.mark.parametrize(
    ("status", "text", "error", "says"),
    [
        ("NOT_FOUND", "The database (default) does not exist for project x", StoreError, "create it in native mode"),
        ("FAILED_PRECONDITION", "The query requires an index. You can create it", StoreError, "firestore.indexes.json"),
        ("FAILED_PRECONDITION", "not available for Firestore in Datastore Mode", StoreError, "native mode"),
        ("INVALID_ARGUMENT", "The value of property x is longer than 1048487 bytes.", TooLarge, "nothing was written"),
        (
            "INVALID_ARGUMENT",
            "Request payload size exceeds the limit: 11534336 bytes.",
            TooLarge,
            "nothing was written",
        ),
        ("UNAUTHENTICATED", "no token", Unavailable, "check the credentials"),
        ("OUT_OF_RANGE", "what is this", StoreError, "OUT_OF_RANGE"),
    ],
)
def test_an_error_says_what_to_do(status: str, text: str, error: type[StoreError], says: str) -> None:
    made = translated(status, f"{text}\nand a link", "here")
    assert type(made) is error
    assert says in str(made)
    assert "link" not in str(made)


def test_blocking_and_async_send_the_same_way() -> None:
    public = [name for name in vars(BlockingSending) if not name.startswith("_")]
    assert sorted(public) == sorted(name for name in vars(AsyncSending) if not name.startswith("_"))
