"""A quiet tenant alone, and beside one that floods the same database from the same process, with and without turns."""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbrouter.backends.kernel.errors import StoreError
from dbrouter.backends.kernel.merging import Replace
from dbrouter.backends.kernel.ops import Get, Op, Upsert
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.policies.limits.fairness import FairGate
from dbrouter.policies.tenancy.confining import Confined
from scripts.servers import start_postgres

FLOODING = 50
"""Calls that the flooding tenant has under way or waiting at any time."""

CALLS = 300
LONGEST = 15.0
"""Seconds after which fewer calls must do."""

DEADLINE = 3.0
"""Seconds after which a call that was not answered counts as failed."""

PAUSE = 0.005
"""Seconds between two calls of the quiet tenant."""

TEXT = {"text": "x" * 2000}


def turn(number: int) -> tuple[Op[Any], Op[Any]]:
    """What a tenant does: read a session, save it."""
    id_ = f"s{number % 20}"
    record = {"session_id": id_, "session_type": "agent", "session_data": TEXT, "created_at": 1, "updated_at": number}
    rules = {"session_data": Replace(), "updated_at": Replace()}
    return (
        Get(table="sessions", key=(id_,)),
        Upsert(table="sessions", records=(record,), rules=rules, returning=False),
    )


@dataclass
class Times:
    """Of the quiet tenant's calls, in milliseconds; and calls of the flood in a second."""

    calls: int
    p50: float
    p99: float
    failed: int
    flood: float


class Watch:
    """Times the quiet tenant's calls."""

    def __init__(self) -> None:
        self._took: list[float] = []
        self._failed = 0

    @property
    def calls(self) -> int:
        """How many there were."""
        return len(self._took)

    async def call(self, store: Store, op: Op[Any]) -> None:
        """One call; one that fails counts with the time that it took to fail."""
        start = time.perf_counter()
        try:
            await store.execute(op)
        except StoreError:
            self._failed += 1
        self._took.append(time.perf_counter() - start)

    def times(self, flood: float) -> Times:
        """The percentiles."""
        cuts = statistics.quantiles(self._took, n=100)
        return Times(self.calls, cuts[49] * 1000, cuts[98] * 1000, self._failed, flood)


def in_threads(quiet: Store, flood: Store | None) -> Times:
    """Measured from threads."""
    over = threading.Event()
    done = [0] * FLOODING

    def floods(index: int, store: Store) -> None:
        while not over.is_set():
            for op in turn(index):
                with suppress(StoreError):
                    finish(store.execute(op))
                    done[index] += 1

    threads = [threading.Thread(target=floods, args=(index, flood)) for index in range(FLOODING) if flood is not None]
    for each in threads:
        each.start()
    try:
        if threads:
            time.sleep(1.0)
        before, began = sum(done), time.perf_counter()
        watch = Watch()
        for number in range(CALLS // 2):
            if time.perf_counter() - began > LONGEST and watch.calls > 10:
                break
            for op in turn(number):
                finish(watch.call(quiet, op))
                time.sleep(PAUSE)
        rate = (sum(done) - before) / (time.perf_counter() - began)
    finally:
        over.set()
        for each in threads:
            each.join()
    return watch.times(rate)


async def in_tasks(quiet: Store, flood: Store | None) -> Times:
    """Measured on an event loop."""
    done = 0

    async def floods(index: int, store: Store) -> None:
        nonlocal done
        while True:
            for op in turn(index):
                with suppress(StoreError):
                    await store.execute(op)
                    done += 1

    tasks = [asyncio.create_task(floods(index, flood)) for index in range(FLOODING) if flood is not None]
    if tasks:
        await asyncio.sleep(1.0)
    before, began = done, time.perf_counter()
    watch = Watch()
    for number in range(CALLS // 2):
        if time.perf_counter() - began > LONGEST and watch.calls > 10:
            break
        for op in turn(number):
            await watch.call(quiet, op)
            await asyncio.sleep(PAUSE)
    rate = (done - before) / (time.perf_counter() - began)
    for each in tasks:
        each.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return watch.times(rate)


def measured(name: str, open_: Callable[[], Store], places: tuple[int, ...]) -> None:
    """Print one database's table."""
    print(f"\n{name}: a quiet tenant beside {FLOODING} calls of another\n")
    print(f"{'':20}{'calls':>7}{'failed':>8}{'p50 ms':>9}{'p99 ms':>9}{'p99, times alone':>18}{'flood, calls/s':>16}")
    alone = _times(open_(), None, flooded=False)
    _show("alone", alone, alone)
    _show("no turns", _times(open_(), None, flooded=True), alone)
    for number in places:
        store = open_()
        gate = FairGate(name, number, blocking=store.runtime.blocking)
        _show(f"{number} places", _times(store, gate, flooded=True), alone)


def _times(store: Store, gate: FairGate | None, *, flooded: bool) -> Times:
    quiet, flood = (
        Confined(store if gate is None else gate.of(store, tenant), tenant) for tenant in ("quiet", "flood")
    )

    async def both() -> Times:
        for op in turn(0):
            await quiet.execute(op)
        beside = flood if flooded else None
        times = in_threads(quiet, beside) if quiet.runtime.blocking else await in_tasks(quiet, beside)
        await store.close()
        return times

    return finish(both()) if store.runtime.blocking else asyncio.run(both())


def _show(what: str, times: Times, alone: Times) -> None:
    ratio = times.p99 / alone.p99
    print(
        f"{what:20}{times.calls:7}{times.failed:8}{times.p50:9.2f}{times.p99:9.2f}{ratio:18.1f}{times.flood:16.0f}",
        flush=True,
    )


def main() -> None:
    """Both databases, from threads and from tasks. Arguments: other numbers of places."""
    places = tuple(map(int, sys.argv[1:])) or (5, 3, 2)
    from dbrouter.backends.postgres.store import AsyncPostgresStore, PostgresStore
    from dbrouter.backends.sqlite.store import AsyncSqliteStore, SqliteStore

    server = start_postgres()
    try:
        measured("Postgres, threads", lambda: PostgresStore(server.url, schema="fair", deadline=DEADLINE), places)
        measured("Postgres, tasks", lambda: AsyncPostgresStore(server.url, schema="fair", deadline=DEADLINE), places)
    finally:
        server.stop()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fair.db"
        measured("SQLite, threads", lambda: SqliteStore(path, deadline=DEADLINE), places)
        measured("SQLite, tasks", lambda: AsyncSqliteStore(path, deadline=DEADLINE), places)


if __name__ == "__main__":
    main()
