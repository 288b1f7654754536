"""Servers that are away, alone or someone's own; loops that end; processes that fork."""

from __future__ import annotations

import asyncio
import gc
import os
import warnings
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pymongo
import pytest
from pymongo.errors import OperationFailure

from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.errors import Unavailable, Unsupported
from dbrouter.backends.kernel.ops import Commit, Get, Insert, Put, Scan, Upsert
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.mongo.clients import SHARED
from dbrouter.backends.mongo.failures import has_no_transactions
from dbrouter.backends.mongo.store import AsyncMongoStore, MongoStore
from dbrouter.testing.conformance.records import session
from scripts.servers import Server
from scripts.servers.places import free_port
from tests.waiting import PATIENCE, told_within


def test_a_server_that_is_away_is_an_error_within_the_deadline() -> None:
    store = MongoStore(f"mongodb://127.0.0.1:{free_port()}/", deadline=0.4, name="primary")
    for op in (Get(table="sessions", key=("s1",)), Scan(table="sessions", total=True)):
        with told_within(0.4), pytest.raises(Unavailable, match="primary"):
            finish(store.execute(op))
    with pytest.raises(Unavailable):
        finish(store.ping())
    finish(store.close())


def test_a_transaction_whose_server_falls_silent_ends_at_the_deadline(mongo: Server, database: str) -> None:
    store = AsyncMongoStore(mongo.url, database=database, deadline=1.0)

    async def body() -> None:
        for number in range(2):
            two = Insert(table="sessions", records=(session(f"a{number}"), session(f"b{number}")))
            if number == 0:
                await store.execute(two)
                continue
            # Whoever forgets the deadline tries for ever.
            with mongo.paused(), told_within(1.0), pytest.raises(Unavailable):
                await asyncio.wait_for(store.execute(two), PATIENCE)
        await store.close()

    asyncio.run(body())


@pytest.fixture(scope="session")
def alone(start_server: Callable[[str], Server]) -> Server:
    """The server of this run that is in no replica set."""
    return start_server("mongo alone")


def test_a_server_alone_that_is_said_to_have_transactions_says_what_to_do(alone: Server) -> None:
    store = MongoStore(alone.url, database="alone", transactions=True)
    with pytest.raises(Unavailable, match="transactions: false"):
        finish(store.ping())
    finish(store.close())
    store = MongoStore(alone.url, database="alone")
    finish(store.ping())
    finish(store.close())


def test_a_server_alone_commits_no_two_records(alone: Server) -> None:
    store = Emulated(MongoStore(alone.url, database="alone"))
    writes = tuple(Put(table="sessions", record=session(each)) for each in ("s1", "s2"))
    for op in (Commit(writes=writes), Insert(table="sessions", records=(session("s1"), session("s2")))):
        with pytest.raises(Unsupported, match="nothing was written"):
            finish(store.execute(op))
    assert finish(store.execute(Scan(table="sessions"))).records == []
    finish(store.close())


def test_what_mongod_answers_to_a_transaction_when_it_is_alone_is_recognised() -> None:
    # SecantusDB has transactions even then.
    words = "Transaction numbers are only allowed on a replica set member or mongos"
    assert has_no_transactions(OperationFailure(words, 20))
    assert not has_no_transactions(OperationFailure("WriteConflict", 112))


@pytest.mark.parametrize("records", [1, 10])
def test_a_write_that_too_few_members_have_is_not_acknowledged(mongo: Server, database: str, records: int) -> None:
    store = MongoStore(mongo.url, database=database, options={"w": 3})
    some = tuple(session(f"s{number}") for number in range(records))
    with pytest.raises(Unavailable):
        finish(store.execute(Upsert(table="sessions", records=some, returning=False)))
    assert len(finish(store.execute(Scan(table="sessions"))).records) == records
    finish(store.close())


def test_a_put_without_an_expectation_is_written_whoever_else_writes_that_record(mongo: Server, database: str) -> None:
    store = MongoStore(mongo.url, database=database)
    finish(store.create_tables(("sessions",)))

    def put(key: str) -> None:
        finish(store.execute(Commit(writes=(Put(table="sessions", record=session(key)),))))

    with ThreadPoolExecutor(6) as pool:
        for number in range(20):
            list(pool.map(put, [f"s{number}"] * 6))
    assert len(finish(store.execute(Scan(table="sessions"))).records) == 20
    finish(store.close())


def test_what_the_address_says_of_the_client_holds() -> None:
    # DocumentDB has no writes that can be sent again.
    store = MongoStore("mongodb://db.internal/?retryWrites=false&appName=mine")
    options = store.wire.clients.current().options
    assert (options.retry_writes, options.pool_options.appname) == (False, "mine")
    finish(store.close())


def test_an_address_that_cannot_be_read_is_told_without_it() -> None:
    with pytest.raises(Unavailable, match="must be escaped") as told:
        finish(MongoStore("mongodb://user:hid/den@127.0.0.1/").ping())
    assert "hid" not in str(told.value)


def test_a_call_beside_which_the_store_is_closed_is_unavailable(mongo: Server, database: str) -> None:
    async def body() -> None:
        store = AsyncMongoStore(mongo.url, database=database)
        client = store.wire.clients.current()
        await client.close()
        with pytest.raises(Unavailable, match="closed while it was asked"):
            await store.ping()
        await store.close()

    asyncio.run(body())


def test_stores_of_one_address_share_a_client_and_the_last_one_closes_it(mongo: Server) -> None:
    one, two = (MongoStore(mongo.url, database=name) for name in ("x", "y"))
    client = one.wire.clients.current()
    assert two.wire.clients.current() is client
    finish(one.close())
    finish(two.ping())
    finish(two.close())
    assert client not in [each for each, _ in SHARED._open.values()]
    finish(one.ping())
    assert one.wire.clients.current() is not client
    finish(one.close())


def test_a_client_of_the_users_own_is_never_closed(client: Any) -> None:
    finish(MongoStore(client=client).close())
    assert client.admin.command("ping")["ok"]


def test_every_loop_has_a_client_and_one_that_ended_leaves_nothing_open(mongo: Server, database: str) -> None:
    store = AsyncMongoStore(mongo.url, database=database)

    async def count() -> int:
        return len((await store.execute(Scan(table="sessions"))).records)

    async def add(key: str) -> None:
        await store.execute(Insert(table="sessions", records=(session(key),)))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for key in ("s1", "s2", "s3"):
            asyncio.run(add(key))
        with asyncio.Runner() as runner:
            assert runner.run(count()) == 3
            runner.run(store.close())
            assert runner.run(count()) == 3
            runner.run(store.close())
        gc.collect()


def test_the_clients_of_loops_that_ended_are_forgotten(mongo: Server, database: str) -> None:
    store = AsyncMongoStore(mongo.url, database=database)
    seen: list[weakref.ref[Any]] = []

    async def turn() -> None:
        await store.ping()
        seen.append(weakref.ref(store.wire.clients.current()))

    for _ in range(4):
        asyncio.run(turn())
    gc.collect()
    assert sum(each() is not None for each in seen) == 1
    asyncio.run(store.close())
    gc.collect()
    assert sum(each() is not None for each in seen) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_opens_connections_of_its_own(mongo: Server, database: str) -> None:
    store = MongoStore(mongo.url, database=database)
    finish(store.execute(Insert(table="sessions", records=(session("s1"),))))
    with warnings.catch_warnings():
        # Python warns of forks beside threads, which pymongo's monitors are: servers fork all the same.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        code = 1
        try:
            finish(store.execute(Insert(table="sessions", records=(session("s2"),))))
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(finish(store.execute(Scan(table="sessions"))).records) == 2
    finish(store.close())


def test_a_namespace_has_a_database_of_its_own_whose_name_fits(client: Any, database: str) -> None:
    store = MongoStore(client=client, database=database)
    apart: Any = store.in_namespace("t" * 63)
    finish(apart.execute(Insert(table="sessions", records=(session("s1"),))))
    assert finish(store.execute(Scan(table="sessions"))).records == []
    name = apart.wire.database
    assert name.startswith(f"{database}-ttt")
    assert len(name) <= 63
    client.drop_database(name)
    assert isinstance(client, pymongo.MongoClient)
