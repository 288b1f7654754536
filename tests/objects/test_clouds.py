"""S3, Google's storage and Azure's on their test servers: what goes wrong on the way is told, repeated, or found out."""

from __future__ import annotations

import asyncio
import base64
import multiprocessing
import os
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dbrouter.backends.kernel.errors import Duplicate, Throttled, Unavailable
from dbrouter.backends.kernel.filters import eq
from dbrouter.backends.kernel.ops import ABSENT, Commit, Get, Op, Put, Remove, Scan
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.objects.settings import ObjectsSettings
from dbrouter.backends.objects.store import AsyncObjectsStore, ObjectsStore
from dbrouter.router.threaded import awaited
from dbrouter.testing.conformance.records import session
from tests.backends.backend import Backend
from tests.backends.known import named
from tests.backends.places import Place
from tests.objects.between import DENIED, Between, between
from tests.waiting import PATIENCE, told_within

DEADLINE = 4.0


def opened(place: Place, **more: Any) -> ObjectsStore:
    return ObjectsStore(ObjectsSettings.model_validate(place.settings(**more)))


def put(key: str, expect: Any = None, **columns: Any) -> Commit:
    return Commit(writes=(Put(table="sessions", record=session(key, **columns), expect=expect),))


@pytest.fixture
def way(cloud: Place) -> Iterator[Between]:
    with between(cloud.url) as way:
        yield way


@pytest.fixture(params=["blocking", "async"])
def ask(request: pytest.FixtureRequest, cloud: Place, way: Between) -> Iterator[Callable[..., Any]]:
    """Executes an op over the way, in one mode."""
    settings = ObjectsSettings.model_validate(cloud.settings(endpoint=way.url, deadline=DEADLINE))
    if request.param == "blocking":
        store = ObjectsStore(settings)
        yield lambda op: finish(store.execute(op))
        finish(store.close())
        return
    # Google's client blocks, and runs on threads, as routers have it.
    awaitable = awaited(AsyncObjectsStore.from_settings(settings))
    with asyncio.Runner() as runner:
        yield lambda op: runner.run(awaitable.execute(op))
        runner.run(awaitable.close())


def times(number: int, what: int | str, only: str = "") -> Callable[[str, str], int | str | None]:
    """A rule for so many requests, of this method if one is named."""
    left = iter(range(number))
    return lambda method, _path: what if only in ("", method) and next(left, None) is not None else None


def test_a_missing_bucket_is_an_error_and_never_an_empty_answer(cloud: Place) -> None:
    missing = cloud.settings(url=cloud.settings()["url"].replace("://dbrouter", "://elsewhere"), deadline=3)
    store = ObjectsStore(ObjectsSettings.model_validate(missing))
    asked: list[Op[Any]] = [
        Get(table="sessions", key=("s1",)),
        Scan(table="sessions"),
        Scan(table="sessions", where=eq("user_id", "ann")),
        put("s1"),
        Commit(writes=(Remove(table="sessions", key=("s1",)),)),
    ]
    for op in asked:
        with pytest.raises(Unavailable, match="no such bucket"):
            finish(store.execute(op))
    with pytest.raises(Unavailable, match="no such bucket") as raised:
        finish(store.ping())
    assert "\n" not in str(raised.value)
    finish(store.close())


def test_who_is_not_let_in_is_told_at_once(cloud: Place, way: Between) -> None:
    way.rule, way.body = lambda _method, _path: 403, DENIED
    store = opened(cloud, endpoint=way.url)
    with pytest.raises(Unavailable, match="does not let us in") as raised:
        finish(store.ping())
    assert "\n" not in str(raised.value)
    assert "test" not in str(raised.value)
    # Google's client asks about the bucket too, once and on its own.
    lists = [each for each in way.asked if "/o?" in each or "list-type" in each or "comp=list" in each]
    assert len(lists) == 1


def test_a_server_that_asks_to_slow_down_is_asked_again(ask: Callable[..., Any], way: Between) -> None:
    way.rule = times(3, 503)
    ask(put("s1", user_id="ann"))
    way.rule = times(2, 503)
    assert ask(Get(table="sessions", key=("s1",))).record["user_id"] == "ann"
    way.rule = times(2, 503)
    assert len(ask(Scan(table="sessions", where=eq("user_id", "ann"))).records) == 1


def test_a_server_that_never_lets_up_is_told_within_the_deadline(ask: Callable[..., Any], way: Between) -> None:
    way.rule = lambda _method, _path: 503
    with told_within(DEADLINE), pytest.raises(Throttled):
        ask(Get(table="sessions", key=("s1",)))


@pytest.mark.parametrize("what", ["cut", "wait"])
def test_an_outage_is_told_within_the_deadline(ask: Callable[..., Any], way: Between, what: str) -> None:
    ask(put("s1"))
    way.rule = lambda _method, _path: what
    with told_within(DEADLINE), pytest.raises(Unavailable):
        ask(Get(table="sessions", key=("s1",)))
    way.rule = lambda _method, _path: None
    assert ask(Get(table="sessions", key=("s1",))) is not None


def test_a_record_that_is_spoiled_on_the_way_is_asked_for_again(fresh_place: Callable[[Backend], Place]) -> None:
    place = fresh_place(named("gcs"))  # Google says what the content's checksum is
    with between(place.url) as way:
        store = opened(place, endpoint=way.url)
        finish(store.execute(put("s1", user_id="ann")))
        way.rule = times(2, "spoiled", only="GET")
        stored = finish(store.execute(Get(table="sessions", key=("s1",))))
        assert stored is not None
        assert stored.record["user_id"] == "ann"
        way.rule = times(9, "spoiled", only="GET")
        with pytest.raises(Unavailable, match="Checksum mismatch"):
            finish(store.execute(Get(table="sessions", key=("s1",))))
        finish(store.close())


def test_a_write_whose_answer_is_lost_is_found_to_have_happened(ask: Callable[..., Any], way: Between) -> None:
    def record_lost() -> Callable[[str, str], int | str | None]:
        left = iter(range(1))
        is_record = "/r/ss1"
        return lambda method, path: (
            "lost" if method in ("PUT", "POST") and _names(is_record, path) and next(left, None) is not None else None
        )

    # On Google's way the name is in the body: the last upload of a write is the record's.
    way.rule = record_lost()
    (version,) = ask(put("s1", ABSENT, user_id="ann"))
    way.rule = record_lost()
    (again,) = ask(put("s1", version, user_id="ann", metadata={"n": 1}))
    stored = ask(Get(table="sessions", key=("s1",), versioned=True))
    assert (stored.version, stored.record["metadata"]) == (again, {"n": 1})
    with pytest.raises(Duplicate):
        ask(put("s1", ABSENT))


def _names(name: str, path: str) -> bool:
    return name in path or path.startswith("/upload/")


def test_a_session_of_twenty_megabytes_comes_back_the_same(cloud: Place) -> None:
    store = opened(cloud)
    text = base64.b64encode(random.Random(7).randbytes(15_000_000)).decode() + "\x00\ud800😀"
    finish(store.execute(put("s1", session_data={"text": text})))
    stored = finish(store.execute(Get(table="sessions", key=("s1",))))
    assert stored is not None
    assert stored.record["session_data"]["text"] == text
    finish(store.close())


def test_a_server_that_keeps_no_conditions_is_refused(fresh_place: Callable[[Backend], Place]) -> None:
    place = fresh_place(named("s3"))
    with between(place.url) as way:
        way.stripped = ("if-match", "if-none-match")
        store = opened(place, endpoint=way.url)
        with pytest.raises(Unavailable, match="If-None-Match"):
            finish(store.execute(put("s1")))
        finish(store.close())
    assert finish(opened(place).execute(Scan(table="sessions"))).records == []


def read_in_a_child(store: ObjectsStore) -> None:
    try:
        finish(store.execute(Get(table="sessions", key=("s1",))))
    except Unavailable as refused:
        os._exit(7 if "forked" in str(refused) else 8)
    os._exit(0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_works_or_is_told_that_it_cannot(cloud: Place) -> None:
    """obstore's threads stay in the parent: without the check a call in the child would wait for ever. Google's client
    has threads that a child can begin anew."""
    store = opened(cloud)
    finish(store.execute(put("s1")))
    child = multiprocessing.get_context("fork").Process(target=read_in_a_child, args=(store,))
    child.start()
    child.join(PATIENCE)
    if child.is_alive():
        child.kill()
    assert child.exitcode == (0 if cloud.backend.threaded else 7)
    finish(store.close())
