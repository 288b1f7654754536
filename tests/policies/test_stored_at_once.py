"""What is stored by threads, tasks and processes at once never passes the limit by more than was promised."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbrouter.backends.kernel.errors import LimitExceeded
from dbrouter.backends.kernel.ops import (
    Insert,
    Scan,
)
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.memory.store import AsyncMemoryStore, MemoryStore
from dbrouter.policies.limits.account import SHARE, Account, Verdict
from dbrouter.policies.limits.limited import Limited
from dbrouter.policies.limits.limits import Limits
from dbrouter.policies.limits.meter import Meter
from tests.policies.limited_world import LONG, Asked, Clock, memory, opened


def test_threads_at_once_never_pass_the_limit() -> None:
    inner = MemoryStore()
    meter = Meter("acme", Limits(rows={"memories": 60}), blocking=True)
    store = Limited(inner, meter)
    refused: list[int] = []

    def adds(thread: int) -> None:
        for number in range(20):
            try:
                finish(store.execute(Insert(table="memories", records=(memory(f"{thread}-{number}"),))))
            except LimitExceeded:
                refused.append(1)

    threads = [threading.Thread(target=adds, args=(number,)) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(LONG)
    assert finish(inner.execute(Scan(table="memories", limit=0, total=True))).total == 60
    assert len(refused) == 60


def test_tasks_at_once_never_pass_the_limit_and_share_one_count() -> None:
    async def story() -> None:
        asked = Asked(AsyncMemoryStore())
        store = Limited(asked, Meter("acme", Limits(rows={"memories": 3200}), blocking=False))  # type: ignore[arg-type]
        ops = [Insert(table="memories", records=(memory(number),)) for number in range(90)]
        await asyncio.gather(*(store.execute(op) for op in ops))
        assert asked.counts == 1

    asyncio.run(story())


@given(
    limit=st.integers(1, 200),
    steps=st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(["add", "add", "add", "delete", "wait"]), st.integers(1, 12)),
        max_size=120,
    ),
)
def test_several_processes_pass_the_limit_by_no_more_than_was_promised(
    limit: int, steps: list[tuple[int, str, int]]
) -> None:
    clock = Clock()
    processes = [Account(limit, clock) for _ in range(3)]
    truth, largest = 0, 1
    for process, what, amount in steps:
        account = processes[process]
        if what == "wait":
            clock.now += amount
        elif what == "delete":
            truth -= min(truth, amount)
            account.removed()
        else:
            verdict = account.enter(amount)
            if verdict is Verdict.UNKNOWN:
                account.count(truth, account.begin_count())
                verdict = account.enter(amount, just_counted=True)
            if verdict is Verdict.FITS:
                truth += amount
                largest = max(largest, amount)
                account.end(amount, stored=True)
        assert truth <= limit + 2 * max(limit // SHARE, largest)


PROCESS = """
import random
import sys
import time
from dbrouter.backends.kernel.errors import LimitExceeded
from dbrouter.backends.kernel.ops import Insert
from dbrouter.backends.kernel.running import finish
from dbrouter.policies.limits.limited import Limited
from dbrouter.policies.limits.limits import Limits
from dbrouter.policies.limits.meter import Meter
kind, where, name = sys.argv[1:4]
if kind == "sqlite":
    from dbrouter.backends.sqlite.store import SqliteStore
    inner = SqliteStore(where)
else:
    from dbrouter.backends.postgres.store import PostgresStore
    inner = PostgresStore(where, schema=sys.argv[4])
store = Limited(inner, Meter("acme", Limits(rows={"memories": 320}), blocking=True))
added = 0
print("ready", flush=True)
sys.stdin.readline()
try:
    while True:
        record = {"memory_id": f"{name}-{added}", "memory": {}, "created_at": 1, "updated_at": 1}
        finish(store.execute(Insert(table="memories", records=(record,))))
        added += 1
        time.sleep(random.random() / 500)
except LimitExceeded as full:
    print(added, full.retry_after, flush=True)
finish(inner.close())
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_two_processes_that_fill_a_family_at_once_stop_within_the_promised_bound(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    store = opened(kind, tmp_path, request)
    finish(store.execute(Insert(table="memories", records=(memory(0),))))
    if kind == "sqlite":
        place = ["sqlite", str(tmp_path / "stored.db")]
    else:
        place = ["postgres", request.getfixturevalue("postgres").url]
    schema = [request.getfixturevalue("postgres_schema")] if kind == "postgres" else []
    command = [sys.executable, "-c", PROCESS, *place]
    processes = [
        subprocess.Popen([*command, name, *schema], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name in ("a", "b")
    ]
    try:
        for each in processes:
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        for each in processes:
            assert each.stdin is not None
            each.stdin.write("\n")
            each.stdin.flush()
        said = [each.communicate(timeout=60)[0].split() for each in processes]
    finally:
        for each in processes:
            each.kill()
            each.wait()
    total = finish(store.execute(Scan(table="memories", limit=0, total=True))).total
    finish(store.close())
    assert [retry for _, retry in said] == ["None", "None"]
    assert total == 1 + sum(int(added) for added, _ in said)
    assert all(int(added) > 10 for added, _ in said), "both took part"
    assert 320 <= total <= 320 + 320 // SHARE
