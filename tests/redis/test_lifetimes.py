"""`ttl`: records end by themselves, with their entries, and not before what they belong to."""

from __future__ import annotations

import time
from typing import Any

import pytest

from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.errors import Duplicate
from dbrouter.backends.kernel.filters import Field, eq
from dbrouter.backends.kernel.merging import Replace
from dbrouter.backends.kernel.ops import Batch, Commit, Get, Insert, Order, Put, Scan, Upsert
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.redis.store import RedisStore
from dbrouter.testing.conformance.records import run, session, token
from scripts.servers import Server
from tests.redis.entries import disagreements
from tests.waiting import until

NEWEST = (Order(Field("created_at"), descending=True),)
TTL = 4
"""Seconds. What must still be there is asked for after half of them: a busy machine may be late by as much."""


@pytest.fixture
def store(redis_server: Server, prefix: str) -> Emulated:
    return Emulated(RedisStore(redis_server.url, prefix=prefix, ttl={"sessions": TTL, "auth_tokens": TTL}))


def page(store: Emulated, **columns: str) -> tuple[list[str], int | None]:
    where = eq(*next(iter(columns.items())))
    found = finish(store.execute(Scan(table="sessions", where=where, order=NEWEST, limit=5, total=True)))
    return [record["session_id"] for record in found.records], found.total


def runs(store: Emulated) -> list[dict[str, Any]]:
    return finish(store.execute(Scan(table="runs", where=eq("session_id", "s1")))).records


def test_what_is_over_is_in_no_page_and_in_no_total(store: Emulated, client: Any, prefix: str) -> None:
    finish(store.execute(Insert(table="sessions", records=(session("old", user_id="ann"),))))
    time.sleep(TTL / 2)
    finish(store.execute(Insert(table="sessions", records=(session("new", user_id="ann"),))))
    assert page(store, user_id="ann") == (["old", "new"], 2)
    until(lambda: page(store, user_id="ann") == (["new"], 1))
    assert finish(store.execute(Get(table="sessions", key=("old",)))) is None
    assert disagreements(client, prefix) == []


def test_a_key_whose_record_is_over_can_be_written_anew_with_other_values(
    store: Emulated, client: Any, prefix: str
) -> None:
    finish(store.execute(Insert(table="sessions", records=(session("s1", user_id="ann"),))))
    until(lambda: page(store, user_id="ann") == ([], 0))
    finish(store.execute(Insert(table="sessions", records=(session("s1", user_id="bob"),))))
    assert page(store, user_id="ann") == ([], 0)
    assert page(store, user_id="bob") == (["s1"], 1)
    assert disagreements(client, prefix) == []


def test_unique_values_whose_holder_is_over_are_free(store: Emulated, client: Any, prefix: str) -> None:
    finish(store.execute(Insert(table="auth_tokens", records=(token("a"),))))
    with pytest.raises(Duplicate):
        finish(store.execute(Insert(table="auth_tokens", records=(token("b"),))))
    time.sleep(TTL + 0.1)
    finish(store.execute(Insert(table="auth_tokens", records=(token("b"),))))
    assert disagreements(client, prefix) == []


def test_a_conversation_ends_as_a_whole_after_its_last_turn(store: Emulated, client: Any, prefix: str) -> None:
    finish(store.execute(Insert(table="sessions", records=(session("s1"),))))
    for number in range(4):
        upsert = Upsert(table="runs", records=(run(f"r{number}"),), rules={"run_data": Replace()})
        finish(store.execute(upsert))
        time.sleep(TTL * 0.4)
    assert len(runs(store)) == 4
    until(lambda: runs(store) == [])
    assert finish(store.execute(Get(table="sessions", key=("s1",)))) is None
    finish(store.execute(Insert(table="sessions", records=(session("s2"),))))
    assert disagreements(client, prefix) == []


def test_a_conversation_ends_as_a_whole_whichever_of_it_is_written_first(
    store: Emulated, client: Any, prefix: str
) -> None:
    finish(store.execute(Insert(table="sessions", records=(session("s1"),))))
    for session_id in ("s1", "s2"):
        puts = (
            Put(table="runs", record=run(f"of {session_id}", session_id)),
            Put(table="sessions", record=session(session_id)),
        )
        finish(store.execute(Commit(writes=puts)))
    endless = [key for key in client.scan_iter(match=f"{{{prefix}/*:r:*", count=10_000) if client.pttl(key) < 0]
    assert endless == []
    assert disagreements(client, prefix) == []


def test_however_many_are_over_at_once_none_is_in_a_page_or_a_total(store: Emulated, client: Any, prefix: str) -> None:
    stays = session("stays", created_at=2**40)
    finish(
        RedisStore(client=client, prefix=prefix, ttl={"sessions": 600}).execute(
            Upsert(table="sessions", records=(stays,))
        )
    )
    many = tuple(session(f"s{number}", created_at=number) for number in range(2500))
    finish(store.execute(Batch(upserts=(Upsert(table="sessions", records=many),))))
    first, last = (f"{{{prefix}//sessions}}agno_sessions:r:ts{number}\0" for number in (0, 2499))
    until(lambda: not client.exists(first, last))
    oldest = (Order(Field("created_at")),)
    found = finish(store.execute(Scan(table="sessions", order=oldest, limit=5, total=True)))
    assert ([record["session_id"] for record in found.records], found.total) == (["stays"], 1)
    assert disagreements(client, prefix) == []


@pytest.fixture
def lasting(redis_server: Server, prefix: str) -> Emulated:
    """The same database, opened by who has no `ttl` configured any more."""
    return Emulated(RedisStore(redis_server.url, prefix=prefix))


def test_without_ttl_the_unique_values_of_what_was_over_are_free(
    store: Emulated, lasting: Emulated, client: Any, prefix: str
) -> None:
    finish(store.execute(Insert(table="auth_tokens", records=(token("a"),))))
    with pytest.raises(Duplicate):
        finish(lasting.execute(Insert(table="auth_tokens", records=(token("b"),))))
    time.sleep(TTL + 0.1)
    finish(lasting.execute(Insert(table="auth_tokens", records=(token("b"),))))
    assert disagreements(client, prefix) == []


def test_unique_values_whose_holder_is_not_there_are_free(lasting: Emulated, client: Any, prefix: str) -> None:
    finish(lasting.execute(Insert(table="auth_tokens", records=(token("a"),))))
    (key,) = client.scan_iter(match=f"{{{prefix}/*auth_tokens:r:*", count=10_000)
    client.delete(key)
    finish(lasting.execute(Insert(table="auth_tokens", records=(token("b"),))))


def test_without_ttl_what_was_over_is_in_no_total_and_its_key_is_free(
    store: Emulated, lasting: Emulated, client: Any, prefix: str
) -> None:
    finish(store.execute(Insert(table="sessions", records=(session("s1", user_id="ann"), session("s2")))))
    time.sleep(TTL + 0.1)
    assert page(lasting, user_id="ann") == ([], 0)
    finish(lasting.execute(Insert(table="sessions", records=(session("s1", user_id="bob"),))))
    assert page(lasting, user_id="ann") == ([], 0)
    assert page(lasting, user_id="bob") == (["s1"], 1)
    assert disagreements(client, prefix) == []


def test_what_is_written_to_when_ttl_is_not_configured_any_more_stays(
    store: Emulated, lasting: Emulated, client: Any, prefix: str
) -> None:
    finish(store.execute(Insert(table="sessions", records=(session("s1", user_id="ann"), session("s2")))))
    upsert = Upsert(table="sessions", records=(session("s1", user_id="bob"),), rules={"user_id": Replace()})
    finish(lasting.execute(upsert))
    time.sleep(TTL + 0.1)
    assert page(lasting, user_id="bob") == (["s1"], 1)
    assert finish(lasting.execute(Get(table="sessions", key=("s2",)))) is None
    assert disagreements(client, prefix) == []
    assert client.exists(f"{{{prefix}//sessions}}agno_sessions:e", f"{{{prefix}//sessions}}agno_sessions:m") == 0
