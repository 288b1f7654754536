"""Five hundred tenants with a schema each, on a server that lets a hundred connections in."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from dbrouter.backends.kernel.isolation import namespace_of
from dbrouter.backends.kernel.ops import Get, Scan, Upsert
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.postgres.store import AsyncPostgresStore, PostgresStore
from dbrouter.testing.ran import could_not_run
from scripts.servers import CannotStart, Server, start_postgres

pytestmark = pytest.mark.backend("postgres", mode="500 schemas")

TENANTS = 500
THREADS = 16


@pytest.fixture(scope="module")
def server(pytestconfig: pytest.Config) -> Iterator[Server]:
    """Of our own: five hundred schemas are no company for other tests."""
    try:
        server = start_postgres(max_connections="100", fsync="off")
    except CannotStart as error:
        could_not_run(pytestconfig, "postgres", str(error))
    yield server
    server.stop()


async def greet(store: Store, tenant: str) -> None:
    """A first write, which makes the schema and its tables, and a second."""
    session = {"session_id": "s", "session_type": "agent", "user_id": tenant, "created_at": 1}
    assert await store.execute(Get(table="sessions", key=("s",))) is None
    await store.execute(Upsert(table="sessions", records=(session,)))
    run = {"run_id": "r", "session_id": "s", "run_index": 0, "run_type": "agent", "run_data": {"of": tenant}}
    await store.execute(Upsert(table="runs", records=(run | {"created_at": 1},)))


async def recognise(store: Store, tenant: str) -> None:
    sessions = (await store.execute(Scan(table="sessions"))).records
    runs = (await store.execute(Scan(table="runs"))).records
    assert [each["user_id"] for each in sessions] == [tenant]
    assert [each["run_data"] for each in runs] == [{"of": tenant}]


def backends_of(server: Server) -> int:
    """How many connections of clients there are now, ours aside."""
    with psycopg.connect(server.url) as connection:
        row = connection.execute(
            "select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"
        ).fetchone()
        assert row is not None
        return int(row[0])


def test_all_are_served_from_threads_over_the_connections_of_one_pool(server: Server) -> None:
    store = PostgresStore(server.url, pool_size=4, max_overflow=4)
    tenants = [f"tenant/{number}" for number in range(TENANTS)]
    most = 0

    def serve(tenant: str) -> None:
        finish(greet(store.in_namespace(namespace_of(tenant)), tenant))

    with ThreadPoolExecutor(THREADS) as threads:
        for number, done in enumerate([threads.submit(serve, tenant) for tenant in tenants]):
            done.result()
            if number % 50 == 0:
                most = max(most, backends_of(server))
        for done in [
            threads.submit(finish, recognise(store.in_namespace(namespace_of(tenant)), tenant)) for tenant in tenants
        ]:
            done.result()
    assert store.max_connections == 8
    assert 0 < max(most, backends_of(server)) <= store.max_connections
    with psycopg.connect(server.url) as connection:
        found = connection.execute("select count(*) from pg_namespace where nspname like 'tenant%'").fetchone()
    assert found == (TENANTS,)
    finish(store.close())


def test_another_process_serves_them_from_tasks_in_the_same_schemas(server: Server) -> None:
    async def main() -> None:
        store = AsyncPostgresStore(server.url, pool_size=4, max_overflow=4)
        tenants = [f"async/{number}" for number in range(60)]

        async def serve(tenant: str) -> None:
            place = store.in_namespace(namespace_of(tenant))
            await greet(place, tenant)
            await recognise(place, tenant)

        await asyncio.gather(*(serve(tenant) for tenant in tenants))
        assert backends_of(server) <= (store.max_connections or 0)
        again = AsyncPostgresStore(server.url, pool_size=1, max_overflow=0)
        for tenant in tenants:
            await recognise(again.in_namespace(namespace_of(tenant)), tenant)
        await store.close()
        await again.close()

    asyncio.run(main())


def test_writers_who_come_first_at_the_same_time_make_the_tables_once(server: Server) -> None:
    stores = [PostgresStore(server.url, schema="ai", pool_size=2) for _ in range(8)]

    def write(number: int, place: Store) -> None:
        session = {"session_id": str(number), "session_type": "agent", "user_id": "u", "created_at": 1}
        finish(place.execute(Upsert(table="sessions", records=(session,))))

    with ThreadPoolExecutor(8) as threads:
        for tenant in range(5):
            places = [store.in_namespace(f"race_{tenant}") for store in stores]
            for done in [threads.submit(write, number, place) for number, place in enumerate(places)]:
                done.result()
            assert len(finish(places[0].execute(Scan(table="sessions"))).records) == len(stores)
    for store in stores:
        finish(store.close())


def test_a_further_tenant_takes_little_memory(server: Server) -> None:
    store = PostgresStore(server.url)
    kept: list[Store] = []

    def use(number: int) -> None:
        place = store.in_namespace(f"light_{number}")
        finish(place.execute(Get(table="sessions", key=("s",))))
        kept.append(place)

    for number in range(20):
        use(number)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(100, 300):
            use(number)
        taken = (tracemalloc.get_traced_memory()[0] - before) / 200
    finally:
        tracemalloc.stop()
    assert taken < 20 * 1024
    finish(store.close())
