"""What one more tenant costs on Postgres, beside an agno db for each, and what each isolation adds to a call."""

from __future__ import annotations

import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import psycopg
from agno.db.postgres import PostgresDb as AgnoPostgresDb
from agno.session import AgentSession

from benchmarks.chat_turn import measured
from benchmarks.wire import RoundTrips
from dbrouter.backends.kernel.ops import Get, Upsert
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.postgres.store import PostgresStore
from dbrouter.policies.tenancy.confining import Confined
from scripts.servers import APPLICATION, OWNER, start_postgres
from scripts.servers.roles import url_as, with_roles

TENANTS = 200
WEIGHED = 30
ROUNDS = 1000
SESSION = {"session_id": "s", "session_type": "agent", "user_id": "u", "session_data": {"a": 1}, "created_at": 1}
READ = Get(table="sessions", key=("s",))
SAVE = Upsert(table="sessions", records=(SESSION,), returning=False)


def further_tenants(url: str) -> None:
    """Time, connections and memory of each further tenant. The server lets a hundred connections in."""
    print(f"\nOne more tenant with a schema of its own, {TENANTS} of them, up to its first session stored")
    _ours(url)
    _theirs(url)


def _ours(url: str) -> None:
    store = PostgresStore(url)
    times: list[float] = []
    for number in range(TENANTS):
        start = time.perf_counter()
        finish(store.in_namespace(f"bench_{number}").execute(SAVE))
        times.append((time.perf_counter() - start) * 1000)
    connections, kib = _connections(url), _kib_each(lambda number: _served(store, number))
    print(f"  {'dbrouter':<22} median {statistics.median(times):6.1f} ms   {connections} connection(s) in all", end="")
    print(f"   {kib:5.1f} KiB each")
    finish(store.close())


def _served(store: PostgresStore, number: int) -> Store:
    """A tenant whose tables are there and known."""
    place = store.in_namespace(f"bench_{number}")
    finish(place.execute(READ))
    return place


def _theirs(url: str) -> None:
    dbs: list[AgnoPostgresDb] = []
    times: list[float] = []
    size = 0.0
    end = f"all {TENANTS} served"
    address = url.replace("postgresql://", "postgresql+psycopg://")
    tracemalloc.start()
    for number in range(TENANTS):
        if number == WEIGHED:
            # Weighing makes slow: those after it are timed.
            size = tracemalloc.get_traced_memory()[0] / WEIGHED / 1024
            tracemalloc.stop()
        start = time.perf_counter()
        # An engine for each, as `PostgresDb(db_url=..., db_schema=...)` makes it.
        dbs.append(AgnoPostgresDb(address, db_schema=f"agno_{number}", id=str(number)))
        try:
            dbs[-1].upsert_session(AgentSession(session_id="s", agent_id="a", user_id="u", created_at=1))
            stored = dbs[-1].get_session("s")
        except Exception as error:  # noqa: BLE001  # whatever it raises is what is shown
            end = f"ends at tenant {number + 1}: {type(error).__name__}: {str(error).splitlines()[0][-60:]}"
            break
        if stored is None:
            end = f'ends at tenant {number + 1}: "no such session"'
            break
        if number >= WEIGHED:
            times.append((time.perf_counter() - start) * 1000)
    print(f"  {'agno, a db for each':<22} median {statistics.median(times):6.1f} ms   1 connection each", end="")
    print(f"   {size:5.1f} KiB each   {end}")
    for db in dbs:
        db.db_engine.dispose()


def added_to_a_call(url: str) -> None:
    """Microseconds and round trips of reading and of saving a session, as a tenant of each isolation."""
    counting = RoundTrips(url)
    # Through the proxy to count, straight at the server to measure.
    counted, subjects = _tenants(counting.url, url), _tenants(url, url)
    for store in (*counted.values(), *subjects.values()):
        finish(store.execute(SAVE))
        finish(store.execute(READ))
    for title, op in (("A session read", READ), ("A session saved", SAVE)):
        print(f"\n{title}, as a tenant of each isolation")
        trips: dict[str, int] = {}
        for name, store in counted.items():
            with counting:
                finish(store.execute(op))
            trips[name] = counting.round_trips
        times = measured(ROUNDS, *((name, _asking(store, op)) for name, store in subjects.items()))
        first = statistics.median(times["plain"]) * 1000
        for name, values in times.items():
            median = statistics.median(values) * 1000
            print(f"  {name:<22} median {median:7.1f} us   {median - first:+7.1f} us   {trips[name]} round trip(s)")
    for store in (*counted.values(), *subjects.values()):
        finish(store.close())
    counting.close()


def _tenants(url: str, owner: str) -> dict[str, Store]:
    """A tenant of each isolation."""
    address, making = url_as(APPLICATION, url), url_as(OWNER, owner)
    plain = PostgresStore(address, owner_url=making, schema="bench_plain")
    rows = PostgresStore(address, owner_url=making, schema="bench_rows", row_level_security=False)
    secured = PostgresStore(address, owner_url=making, schema="bench_secured")
    return {
        "plain": plain,
        "schema": plain.in_namespace("bench_schema"),
        "rows": Confined(rows.for_rows_of("acme"), "acme"),
        "rows + row security": Confined(secured.for_rows_of("acme"), "acme"),
    }


def _asking(store: Store, op: Any) -> Callable[[], None]:
    def ask() -> None:
        finish(store.execute(op))

    return ask


def _kib_each(make: Callable[[int], object]) -> float:
    """Memory that stays taken for each thing made."""
    kept = [make(number) for number in range(20)]
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept += [make(number) for number in range(20, TENANTS)]
    gc.collect()
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return taken / (len(kept) - 20) / 1024


def _connections(url: str) -> int:
    """How many clients are connected, ourselves aside."""
    with psycopg.connect(url) as connection:
        asked = (
            "select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"
        )
        row = connection.execute(asked).fetchone()
        assert row is not None
        return int(row[0])


def postgres() -> None:
    """Both, on a server of their own that lets a hundred connections in."""
    server = with_roles(start_postgres(max_connections="100"))
    try:
        further_tenants(server.url)
        added_to_a_call(server.url)
    finally:
        server.stop()


if __name__ == "__main__":
    postgres()
