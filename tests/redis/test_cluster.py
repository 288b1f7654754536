"""A Redis Cluster: families are shared out, what commits together is together, and slots may move."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis
from redis.crc import key_slot

from dbrouter.backends.kernel.errors import Unsupported
from dbrouter.backends.kernel.ops import Commit, Get, Insert, Put, Remove, Scan
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.tenant_tables import tenant_table
from dbrouter.backends.redis.connecting import target_of_url
from dbrouter.backends.redis.store import AsyncRedisStore, RedisStore
from dbrouter.testing.conformance.records import learning, run, session
from scripts.servers import Server
from tests.backends.redis import servers
from tests.waiting import PATIENCE

pytestmark = pytest.mark.backend("redis cluster")


@pytest.fixture(scope="module")
def cluster(start_server: Callable[[str], Server]) -> Server:
    return start_server("redis cluster")


def opened(cluster: Server, prefix: str, **options: Any) -> RedisStore:
    return RedisStore(target=target_of_url(cluster.url, cluster=True), prefix=prefix, **options)


def test_tenants_are_spread_over_the_servers(cluster: Server, prefix: str) -> None:
    store = opened(cluster, prefix)
    for number in range(30):
        record = {"dbr_tenant": f"tenant {number}", **session("s1")}
        finish(store.execute(Insert(table=tenant_table("sessions"), records=(record,))))
    held = [len(list(each.scan_iter(match=f"{{{prefix}/*:r:*", count=10_000))) for each in servers(cluster.url)]
    assert sum(held) == 30
    assert all(held)
    assert len(finish(store.execute(Scan(table=tenant_table("sessions")))).records) == 30


def test_a_commit_within_a_family_is_whole_and_one_over_two_is_refused(cluster: Server, prefix: str) -> None:
    store = opened(cluster, prefix)
    finish(store.execute(Insert(table="sessions", records=(session("s1"),))))
    within = (
        Put(table="sessions", record=session("s2")),
        Put(table="runs", record=run("r1", "s2")),
        Remove(table="sessions", key=("s1",)),
    )
    finish(store.execute(Commit(writes=within)))
    with pytest.raises(Unsupported, match="different servers"):
        finish(
            store.execute(
                Commit(
                    writes=(Put(table="sessions", record=session("s3")), Put(table="learnings", record=learning("a")))
                )
            )
        )
    assert [each["session_id"] for each in finish(store.execute(Scan(table="sessions"))).records] == ["s2"]
    assert finish(store.execute(Scan(table="learnings"))).records == []


def _move(cluster: Server, slot: int, meanwhile: Callable[[], None]) -> None:
    """Hand a slot over to the next server, as an operator would; in the middle of it, something happens."""
    nodes = servers(cluster.url)
    ids = [each.execute_command("CLUSTER MYID").decode() for each in nodes]
    owner = next(
        n
        for n, each in enumerate(nodes)
        if any(
            first <= slot <= last and node[2].decode() == ids[n]
            for first, last, node, *_ in each.execute_command("CLUSTER SLOTS")
        )
    )
    target = (owner + 1) % len(nodes)
    nodes[target].execute_command("CLUSTER SETSLOT", slot, "IMPORTING", ids[owner])
    nodes[owner].execute_command("CLUSTER SETSLOT", slot, "MIGRATING", ids[target])
    keys = nodes[owner].execute_command("CLUSTER GETKEYSINSLOT", slot, 1000)
    address = nodes[target].connection_pool.connection_kwargs
    half = len(keys) // 2
    for key in keys[:half]:
        nodes[owner].execute_command("MIGRATE", address["host"], address["port"], key, 0, 5000)
    meanwhile()
    for key in keys[half:]:
        nodes[owner].execute_command("MIGRATE", address["host"], address["port"], key, 0, 5000)
    for number in (target, owner, *range(len(nodes))):
        nodes[number].execute_command("CLUSTER SETSLOT", slot, "NODE", ids[target])


@pytest.mark.parametrize("mode", ["blocking", "async"])
def test_a_call_waits_while_its_keys_are_moved_and_then_finds_them_all(cluster: Server, prefix: str, mode: str) -> None:
    store = opened(cluster, prefix)
    names = {f"s{number}" for number in range(20)}
    finish(store.execute(Insert(table="sessions", records=tuple(map(session, names)))))
    answers: list[Any] = []

    def ask() -> None:
        if mode == "blocking":
            finish(store.execute(Insert(table="sessions", records=(session("during"),))))
            answers.append(finish(store.execute(Scan(table="sessions"))))
            return

        async def body() -> None:
            other = AsyncRedisStore(target=target_of_url(cluster.url, cluster=True), prefix=prefix)
            await other.execute(Insert(table="sessions", records=(session("during"),)))
            answers.append(await other.execute(Scan(table="sessions")))
            await other.close()

        asyncio.run(body())

    thread = threading.Thread(target=ask)

    def meanwhile() -> None:
        thread.start()
        time.sleep(0.3)
        assert answers == []

    _move(cluster, key_slot(f"{{{prefix}//sessions}}".encode()), meanwhile)
    thread.join(PATIENCE)
    assert {each["session_id"] for each in answers[0].records} == names | {"during"}
    # Who knew the old owner is told of the new one.
    assert finish(store.execute(Get(table="sessions", key=("during",)))) is not None


def test_a_client_of_a_cluster_says_where_its_servers_are(cluster: Server, prefix: str) -> None:
    with redis.RedisCluster.from_url(cluster.url) as client:
        store = RedisStore(client=client, prefix=prefix)
        finish(store.execute(Insert(table="sessions", records=(session("s1"),))))
    finish(store.ping())
    assert finish(opened(cluster, prefix).execute(Get(table="sessions", key=("s1",)))) is not None
