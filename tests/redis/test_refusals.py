"""What a server refuses, forgets or does not answer: an error that says so, and nothing half written."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import socket
import threading
import time
import warnings
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import redis

from dbrouter.backends.kernel.errors import StoreError, TooLarge, Unavailable
from dbrouter.backends.kernel.ops import Commit, Get, Insert, Put, Scan
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.tenant_tables import PREFIX, TENANT
from dbrouter.backends.redis.store import AsyncRedisStore, RedisStore
from dbrouter.testing.conformance.records import learning, run, session
from scripts.servers import Server
from tests.redis.entries import disagreements
from tests.waiting import PATIENCE, told_within, until

pytestmark = pytest.mark.backend("redis", mode="outage")


@pytest.fixture
def admin(own_redis: Server) -> Any:
    return redis.Redis.from_url(own_redis.url)


@contextmanager
def configured(admin: Any, **settings: str) -> Generator[None]:
    """A server with other settings for a while."""
    names = {name: name.replace("_", "-") for name in settings}
    before = {name: admin.config_get(called)[called] for name, called in names.items()}
    for name, value in settings.items():
        admin.config_set(names[name], value)
    try:
        yield
    finally:
        for name, value in before.items():
            admin.config_set(names[name], value)


def sessions(store: RedisStore) -> set[str]:
    return {record["session_id"] for record in finish(store.execute(Scan(table="sessions"))).records}


def test_a_server_that_has_forgotten_the_scripts_is_told_them_again(own_redis: Server, admin: Any, prefix: str) -> None:
    store = RedisStore(own_redis.url, prefix=prefix)
    finish(store.execute(Insert(table="sessions", records=(session("s1"),))))
    admin.script_flush()
    finish(store.execute(Insert(table="sessions", records=(session("s2"),))))
    admin.script_flush()
    assert sessions(store) == {"s1", "s2"}


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"maxmemory": "1"}, "OOM"), ({"min_replicas_to_write": "1"}, "NOREPLICAS")],
    ids=["no memory", "no replicas"],
)
def test_a_server_that_takes_no_writes_is_unavailable_and_keeps_nothing_of_them(
    own_redis: Server, admin: Any, prefix: str, settings: dict[str, str], words: str
) -> None:
    store = RedisStore(own_redis.url, prefix=prefix)
    finish(store.execute(Insert(table="sessions", records=(session("s1"),))))
    with configured(admin, **settings), pytest.raises(Unavailable, match=words):
        finish(store.execute(Insert(table="sessions", records=(session("s2"), session("s3")))))
    assert sessions(store) == {"s1"}
    assert disagreements(admin, prefix) == []


def test_a_value_over_the_servers_limit_is_too_large_and_not_written(
    own_redis: Server, admin: Any, prefix: str
) -> None:
    store = RedisStore(own_redis.url, prefix=prefix)
    finish(store.execute(Insert(table="sessions", records=(session("s1"),))))
    big = learning("a", content={"text": "x" * 3_000_000})
    with configured(admin, proto_max_bulk_len="1mb"), pytest.raises(TooLarge):
        finish(store.execute(Insert(table="learnings", records=(big,))))
    assert finish(store.execute(Get(table="learnings", key=("a",)))) is None


def test_a_wrong_password_is_said_without_showing_it(own_redis: Server, admin: Any) -> None:
    admin.acl_setuser("reader", enabled=True, passwords=["+right"], keys=["*"], commands=["+@all"])
    host = own_redis.url.removeprefix("redis://")
    with pytest.raises(Unavailable, match="WRONGPASS") as refused:
        finish(RedisStore(f"redis://reader:s3cret@{host}").ping())
    assert "s3cret" not in str(refused.value)
    finish(RedisStore(f"redis://reader:right@{host}").ping())


def test_a_server_that_evicts_does_not_pass_the_check(own_redis: Server, admin: Any) -> None:
    store = RedisStore(own_redis.url)
    evicting = configured(admin, maxmemory="1gb", maxmemory_policy="allkeys-lru")
    with evicting, pytest.raises(Unavailable, match="noeviction"):
        finish(store.ping())
    finish(store.ping())


def test_a_user_who_may_not_ask_about_the_server_passes_the_check(own_redis: Server, admin: Any) -> None:
    admin.acl_setuser("narrow", enabled=True, passwords=["+right"], keys=["*"], commands=["+@all", "-info"])
    finish(RedisStore(f"redis://narrow:right@{own_redis.url.removeprefix('redis://')}").ping())


@pytest.mark.parametrize("command", ["unlink", "zadd", "hdel", "persist", "hgetall"])
def test_a_user_who_may_not_do_all_of_a_write_does_nothing_of_it(
    own_redis: Server, admin: Any, prefix: str, command: str
) -> None:
    finish(RedisStore(own_redis.url, prefix=prefix).execute(Insert(table="sessions", records=(session("s1"),))))
    admin.acl_setuser("partial", enabled=True, passwords=["+right"], keys=["*"], commands=["+@all", f"-{command}"])
    store = RedisStore(f"redis://partial:right@{own_redis.url.removeprefix('redis://')}", prefix=prefix)
    with pytest.raises(Unavailable, match=f"NOPERM .* {command.upper()}, .* nothing was written"):
        finish(store.execute(Commit(writes=(Put(table="sessions", record=session("s1", user_id="ann")),))))
    finish(store.close())
    admin.acl_deluser("partial")
    assert disagreements(admin, prefix) == []


def test_a_write_that_too_few_replicas_have_is_not_acknowledged(own_redis: Server, prefix: str) -> None:
    store = RedisStore(own_redis.url, prefix=prefix, wait_replicas=1, wait_timeout=0.05)
    with pytest.raises(Unavailable, match="0 of 1 replicas"):
        finish(store.execute(Insert(table="sessions", records=(session("s1"),))))


def test_a_write_whose_replicas_the_server_does_not_tell_is_not_told_as_refused(
    own_redis: Server, admin: Any, prefix: str
) -> None:
    store = RedisStore(own_redis.url, prefix=prefix, wait_replicas=1, wait_timeout=PATIENCE / 2)

    def interrupted() -> bool:
        # As a primary does that becomes a replica.
        waiting = [each["id"] for each in admin.client_list() if each["cmd"] == "wait"]
        return any(admin.client_unblock(int(each), error=True) for each in waiting)

    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(finish, store.execute(Insert(table="sessions", records=(session("s1"),))))
        until(interrupted)
        with pytest.raises(Unavailable, match=r"UNBLOCKED .*; it is written, and whether replicas have it is unknown"):
            written.result()
    assert sessions(store) == {"s1"}


def test_a_server_that_comes_back_with_less_is_told_again_what_there_is(
    own_redis: Server, admin: Any, prefix: str
) -> None:
    store = RedisStore(own_redis.url, prefix=prefix)
    row = {TENANT: "acme", **session("s1")}
    finish(store.execute(Insert(table=f"{PREFIX}sessions", records=(row,))))
    # Another one in its place, which the replicated writes had not reached; nobody was in a call meanwhile.
    for key in admin.scan_iter(match=f"{{{prefix}/*", count=10_000):
        admin.delete(key)
    admin.client_kill_filter(_type="normal", skipme=True)
    finish(store.execute(Insert(table=f"{PREFIX}sessions", records=(row,))))
    assert finish(store.existing_tables()) == {store.physical_name(f"{PREFIX}sessions")}
    assert len(finish(store.execute(Scan(table=f"{PREFIX}sessions"))).records) == 1


def test_no_server_is_no_empty_answer() -> None:
    with pytest.raises(Unavailable):
        finish(RedisStore("redis://127.0.0.1:1").execute(Get(table="sessions", key=("s1",))))


def test_a_silent_server_is_unavailable_at_the_deadline_and_a_write_is_sent_once(
    own_redis: Server, admin: Any, prefix: str
) -> None:
    store = RedisStore(own_redis.url, prefix=prefix, deadline=0.5)
    finish(store.execute(Insert(table="sessions", records=(session("s1"),))))
    admin.config_resetstat()
    with own_redis.paused(), told_within(0.5), pytest.raises(Unavailable, match="whether it was written is unknown"):
        finish(store.execute(Insert(table="sessions", records=(session("s2"),))))
    assert sessions(store) == {"s1", "s2"}  # the server had it all the same
    # The scan is the other one.
    assert admin.info("commandstats")["cmdstat_evalsha"]["calls"] == 2


def test_a_silent_server_is_unavailable_at_the_deadline_of_an_event_loop(own_redis: Server, prefix: str) -> None:
    async def body() -> None:
        store = AsyncRedisStore(own_redis.url, prefix=prefix, deadline=0.5)
        await store.execute(Insert(table="sessions", records=(session("s1"),)))
        unknown = "whether it was written is unknown"
        with own_redis.paused(), told_within(0.5), pytest.raises(Unavailable, match=unknown):
            await store.execute(Insert(table="sessions", records=(session("s2"),)))
        assert len((await store.execute(Scan(table="sessions"))).records) == 2
        await store.close()

    asyncio.run(body())


def trickle(listening: socket.socket, ended: threading.Event) -> None:
    """Begin an answer to whoever connects and asks, and send a byte of it now and then."""
    connection, _ = listening.accept()
    with connection:
        while b"HMGET" not in (asked := connection.recv(65536)):
            connection.sendall(b"+OK\r\n" * asked.count(b"*"))
        connection.sendall(b"*1\r\n$1000000\r\n")
        for _ in range(int(PATIENCE * 10)):
            if ended.wait(0.1):
                return
            connection.sendall(b"x")


@pytest.mark.parametrize("kind", [RedisStore, AsyncRedisStore])
def test_an_answer_that_only_trickles_ends_at_the_deadline(kind: type[RedisStore | AsyncRedisStore]) -> None:
    async def body(url: str) -> None:
        await kind(url, deadline=0.5).execute(Get(table="sessions", key=("s1",)))

    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor(1) as pool:
        server = pool.submit(trickle, listening, ended)
        url = f"redis://127.0.0.1:{listening.getsockname()[1]}/0"
        try:
            with told_within(0.5), pytest.raises(Unavailable):
                finish(body(url)) if kind is RedisStore else asyncio.run(body(url))
        finally:
            ended.set()
        with suppress(OSError):
            server.result()


def test_a_bounded_number_of_connections_serves_many_threads(own_redis: Server, admin: Any, prefix: str) -> None:
    store = RedisStore(own_redis.url, prefix=prefix, pool_size=3)
    others = len(admin.client_list())
    most: list[int] = []

    def write(number: int) -> None:
        finish(store.execute(Insert(table="sessions", records=(session(f"s{number}"),))))
        if number % 10 == 0:
            most.append(len(admin.client_list()) - others)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(60)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(sessions(store)) == 60
    # The test's own client opens some for its threads, too.
    assert 1 <= max(most) <= 3 + 6
    finish(store.close())


def test_one_async_store_serves_one_event_loop_after_the_other(own_redis: Server, prefix: str) -> None:
    store = AsyncRedisStore(own_redis.url, prefix=prefix)

    async def turn(number: int) -> int:
        await store.execute(Insert(table="sessions", records=(session(f"s{number}"),)))
        found = len((await store.execute(Scan(table="sessions"))).records)
        await store.close()
        return found

    assert [asyncio.run(turn(number)) for number in range(3)] == [1, 2, 3]


def test_an_event_loop_that_ended_leaves_one_connection_open_at_most(
    own_redis: Server, admin: Any, prefix: str
) -> None:
    store = AsyncRedisStore(own_redis.url, prefix=prefix)
    others = len(admin.client_list())

    async def turn() -> None:
        await store.execute(Get(table="sessions", key=("s1",)))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(5):
            asyncio.run(turn())
        gc.collect()
    until(lambda: len(admin.client_list()) <= others + 1)
    asyncio.run(store.close())
    until(lambda: len(admin.client_list()) <= others)


def test_a_server_killed_in_the_middle_has_every_acknowledged_write_whole(own_redis: Server, prefix: str) -> None:
    store = RedisStore(own_redis.url, prefix=prefix, deadline=5)
    acknowledged: set[str] = set()
    ended = threading.Event()

    def write(writer: int) -> None:
        number = 0
        while not ended.is_set():
            name = f"{writer}-{number}"
            number += 1
            try:
                records = (session(name, user_id=f"u{number % 5}"),)
                finish(store.execute(Insert(table="sessions", records=records)))
                finish(store.execute(Insert(table="runs", records=(run(f"r{name}", name),))))
            except Unavailable:
                continue
            except StoreError:  # what failed "unknown" may be there, and a run without its session may not
                continue
            acknowledged.add(name)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for each in threads:
        each.start()
    until(lambda: len(acknowledged) > 20)
    own_redis.kill()
    time.sleep(0.2)
    own_redis.restart()
    before = len(acknowledged)
    until(lambda: len(acknowledged) > before)
    ended.set()
    for each in threads:
        each.join()
    runs = {record["run_id"] for record in finish(store.execute(Scan(table="runs"))).records}
    assert acknowledged <= sessions(store)
    assert {f"r{name}" for name in acknowledged} <= runs
    assert disagreements(redis.Redis.from_url(own_redis.url), prefix) == []


def test_a_process_that_was_forked_speaks_on_connections_of_its_own(own_redis: Server, prefix: str) -> None:
    store = RedisStore(own_redis.url, prefix=prefix)
    finish(store.execute(Insert(table="sessions", records=(session("parent"),))))

    def child(number: int) -> None:
        for turn in range(20):
            finish(store.execute(Insert(table="sessions", records=(session(f"{number}-{turn}"),))))

    forked = [multiprocessing.get_context("fork").Process(target=child, args=(number,)) for number in range(3)]
    for each in forked:
        each.start()
    for turn in range(20):
        finish(store.execute(Insert(table="sessions", records=(session(f"parent-{turn}"),))))
    for each in forked:
        each.join(PATIENCE)
    assert [each.exitcode for each in forked] == [0, 0, 0]
    assert len(sessions(store)) == 81
