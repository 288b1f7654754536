"""Calls under way at once."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from dbrouter.backends.kernel.errors import LimitExceeded, Unavailable
from dbrouter.backends.kernel.ops import (
    Op,
)
from dbrouter.backends.kernel.running import AsyncRuntime, BlockingRuntime, finish
from dbrouter.backends.memory.store import MemoryStore
from dbrouter.policies.limits.limited import Limited
from dbrouter.policies.limits.limits import Limits
from dbrouter.policies.limits.meter import Meter
from tests.policies.limited_world import GET, LONG, World
from tests.waiting import until


class Held:
    """A store whose calls last until told."""

    def __init__(self, *, blocking: bool) -> None:
        self.runtime = BlockingRuntime() if blocking else AsyncRuntime()
        self.capabilities = MemoryStore().capabilities
        self.go = threading.Event()
        self.inside = 0

    async def execute(self, _: Op[Any]) -> None:
        self.inside += 1
        try:
            if self.runtime.blocking:
                assert self.go.wait(LONG)
            else:
                while not self.go.is_set():  # noqa: ASYNC110  # the same event as for threads
                    await asyncio.sleep(0.001)
        finally:
            self.inside -= 1


def test_a_thread_beyond_the_concurrent_ones_waits_a_moment_and_is_refused() -> None:
    held = Held(blocking=True)
    meter = Meter("acme", Limits(concurrent=2), blocking=True, patience=0.02)
    store = Limited(held, meter)  # type: ignore[arg-type]
    threads = [threading.Thread(target=lambda: finish(store.execute(GET))) for _ in range(2)]
    for each in threads:
        each.start()
    until(lambda: held.inside == 2)
    with pytest.raises(LimitExceeded, match="2 calls under way, which is its limit") as refused:
        finish(store.execute(GET))
    assert refused.value.retry_after == 0.02
    held.go.set()
    for each in threads:
        each.join(LONG)
    finish(store.execute(GET))


def test_a_task_beyond_the_concurrent_ones_is_served_when_one_ends_or_is_cancelled() -> None:
    async def story() -> None:
        held = Held(blocking=False)
        store = Limited(held, Meter("acme", Limits(concurrent=2), blocking=False, patience=LONG))  # type: ignore[arg-type]
        tasks = [asyncio.create_task(store.execute(GET)) for _ in range(3)]
        await asyncio.sleep(0.01)
        assert held.inside == 2
        tasks[0].cancel()
        await asyncio.sleep(0.01)
        assert held.inside == 2, "the third took the place of the cancelled one"
        held.go.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert held.inside == 0

    asyncio.run(story())


def test_a_call_that_fails_is_under_way_no_longer() -> None:
    world = World(concurrent=1)
    world.asked.fails = Unavailable("away")
    for _ in range(3):
        with pytest.raises(Unavailable):
            world.do(GET)
    assert world.store._meter.places is not None
    assert world.store._meter.places.parties == 0
