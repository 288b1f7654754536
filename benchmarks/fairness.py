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

from benchmarks.distance import distant
from dbrouter.backends.kernel.errors import StoreError
from dbrouter.backends.kernel.merging import Replace
from dbrouter.backends.kernel.ops import Get, Op, Upsert
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.postgres.store import AsyncPostgresStore, PostgresStore
from dbrouter.backends.sqlite.store import AsyncSqliteStore, SqliteStore
from dbrouter.policies.limits.fairness import FairGate
from dbrouter.policies.tenancy.confining import Confined
from scripts.servers import start_postgres

Opener = Callable[[], Store]

AWAY, FARTHER = 0.003, 0.1
"""Seconds, one way, to the database; and to the same for a flood of slow calls."""

WARMING = 1.5
"""Seconds that the flood runs before anything is measured: it opens its connections."""

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


@dataclass(frozen=True)
class Load:
    """Calls under way or waiting at any time: of the flooding tenant, and of the quiet one."""

    flooding: int
    at_once: int

    @property
    def turns(self) -> int:
        """Turns of each of the quiet tenant's callers."""
        return CALLS // 2 // self.at_once


NEAR, FAR, SEVERAL = Load(50, 1), Load(32, 1), Load(32, 4)


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


def in_threads(quiet: Store, flood: Store | None, load: Load) -> Times:
    """Measured from threads."""
    over = threading.Event()
    done = [0] * load.flooding
    watch = Watch()

    def floods(index: int, store: Store) -> None:
        while not over.is_set():
            for op in turn(index):
                with suppress(StoreError):
                    finish(store.execute(op))
                    done[index] += 1

    def calls() -> None:
        began = time.perf_counter()
        for number in range(load.turns):
            if time.perf_counter() - began > LONGEST and watch.calls > 10:
                break
            for op in turn(number):
                finish(watch.call(quiet, op))
                time.sleep(PAUSE)

    flooding = [threading.Thread(target=floods, args=(n, flood)) for n in range(load.flooding) if flood is not None]
    calling = [threading.Thread(target=calls) for _ in range(load.at_once)]
    for each in flooding:
        each.start()
    try:
        if flooding:
            time.sleep(WARMING)
        before, began = sum(done), time.perf_counter()
        for each in calling:
            each.start()
        for each in calling:
            each.join()
        rate = (sum(done) - before) / (time.perf_counter() - began)
    finally:
        over.set()
        for each in flooding:
            each.join()
    return watch.times(rate)


async def in_tasks(quiet: Store, flood: Store | None, load: Load) -> Times:
    """Measured on an event loop."""
    done = 0
    watch = Watch()

    async def floods(index: int, store: Store) -> None:
        nonlocal done
        while True:
            for op in turn(index):
                with suppress(StoreError):
                    await store.execute(op)
                    done += 1

    async def calls() -> None:
        began = time.perf_counter()
        for number in range(load.turns):
            if time.perf_counter() - began > LONGEST and watch.calls > 10:
                break
            for op in turn(number):
                await watch.call(quiet, op)
                await asyncio.sleep(PAUSE)

    flooding = [asyncio.create_task(floods(index, flood)) for index in range(load.flooding) if flood is not None]
    if flooding:
        await asyncio.sleep(WARMING)
    before, began = done, time.perf_counter()
    await asyncio.gather(*(calls() for _ in range(load.at_once)))
    rate = (done - before) / (time.perf_counter() - began)
    for each in flooding:
        each.cancel()
    await asyncio.gather(*flooding, return_exceptions=True)
    return watch.times(rate)


def measured(
    name: str, open_: Opener, places: tuple[int, ...], load: Load = NEAR, *, slower: Opener | None = None
) -> None:
    """Print one database's table. slower: what the flood calls, if its calls take longer; then with turns only."""
    print(f"\n{name}: a quiet tenant, {load.at_once} calls at once, beside {load.flooding} of another\n")
    print(f"{'':20}{'calls':>7}{'failed':>8}{'p50 ms':>9}{'p99 ms':>9}{'p99, times alone':>18}{'flood, calls/s':>16}")
    alone = _times(open_(), None, None, load)
    _show("alone", alone, alone)
    if slower is None:
        store = open_()
        _show("no turns", _times(store, store, None, load), alone)
    for number in places:
        store = open_()
        gate = FairGate(name, number, blocking=store.runtime.blocking)
        _show(f"{number} places", _times(store, store if slower is None else slower(), gate, load), alone)


def _times(store: Store, flooded: Store | None, gate: FairGate | None, load: Load) -> Times:
    def of(tenant: str, whose: Store) -> Store:
        return Confined(whose if gate is None else gate.of(whose, tenant), tenant)

    async def both() -> Times:
        quiet = of("quiet", store)
        for op in turn(0):
            await quiet.execute(op)
        flood = None if flooded is None else of("flood", flooded)
        times = in_threads(quiet, flood, load) if quiet.runtime.blocking else await in_tasks(quiet, flood, load)
        await store.close()
        if flooded is not None and flooded is not store:
            await flooded.close()
        return times

    return finish(both()) if store.runtime.blocking else asyncio.run(both())


def _show(what: str, times: Times, alone: Times) -> None:
    ratio = times.p99 / alone.p99
    print(
        f"{what:20}{times.calls:7}{times.failed:8}{times.p50:9.2f}{times.p99:9.2f}{ratio:18.1f}{times.flood:16.0f}",
        flush=True,
    )


def near(url: str, places: tuple[int, ...]) -> None:
    """A Postgres server on this machine: what is short is the processor."""
    measured("Postgres, threads", lambda: PostgresStore(url, schema="fair", deadline=DEADLINE), places)
    measured("Postgres, tasks", lambda: AsyncPostgresStore(url, schema="fair", deadline=DEADLINE), places)


def far(url: str, places: tuple[int, ...]) -> None:
    """A Postgres server some milliseconds away: what is short is connections."""
    with distant(url, AWAY) as there, distant(url, FARTHER) as farther:
        where = f"Postgres, {AWAY * 1000:g} ms away"

        def threads(url: str = there) -> Store:
            return PostgresStore(url, schema="fair", deadline=DEADLINE)

        def tasks(url: str = there) -> Store:
            return AsyncPostgresStore(url, schema="fair", deadline=DEADLINE)

        measured(f"{where}, threads", threads, places, FAR)
        measured(f"{where}, tasks", tasks, places, FAR)
        slow = f"beside a flood {FARTHER * 1000:g} ms away"
        measured(f"{where}, {slow}, threads", threads, places, SEVERAL, slower=lambda: threads(farther))
        measured(f"{where}, {slow}, tasks", tasks, places, SEVERAL, slower=lambda: tasks(farther))


def postgres(url: str, places: tuple[int, ...] = (5,)) -> None:
    """On this machine, and some milliseconds away."""
    near(url, places)
    far(url, places)


def sqlite(folder: Path, places: tuple[int, ...] = (3,)) -> None:
    """One file."""
    path = folder / "fair.db"
    measured("SQLite, threads", lambda: SqliteStore(path, deadline=DEADLINE), places)
    measured("SQLite, tasks", lambda: AsyncSqliteStore(path, deadline=DEADLINE), places)


def main() -> None:
    """Both databases, from threads and from tasks. Arguments: other numbers of places."""
    places = tuple(map(int, sys.argv[1:]))
    server = start_postgres()
    try:
        postgres(server.url, places or (5,))
    finally:
        server.stop()
    with tempfile.TemporaryDirectory() as folder:
        sqlite(Path(folder), places or (3,))


if __name__ == "__main__":
    main()
