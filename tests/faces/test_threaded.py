"""A blocking store on threads: awaited, bounded, with the caller's context."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any

import pytest

from dbrouter import Unavailable
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Insert, Op, Scan
from dbrouter.backends.memory.store import AsyncMemoryStore, MemoryStore
from dbrouter.router.threaded import Threaded, Threads, awaited
from tests.waiting import PATIENCE

TENANT: ContextVar[str] = ContextVar("tenant")
EVERYTHING = Scan(table="memories")


class Slow(MemoryStore):
    """A memory store that takes its time and says who called."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, str | None]] = []
        self.at_once = self.most_at_once = 0
        self._counting = threading.Lock()
        self._resting = threading.Event()

    async def execute(self, op: Op[Any], /) -> Any:
        with self._counting:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        self._resting.wait(0.02)
        self.calls.append((threading.current_thread().name, TENANT.get(None)))
        with self._counting:
            self.at_once -= 1
        return await super().execute(op)


def test_calls_run_on_threads_with_the_callers_context() -> None:
    async def talk() -> list[tuple[str, str | None]]:
        TENANT.set("acme")
        await Threaded(slow).execute(EVERYTHING)
        return slow.calls

    slow = Slow()
    (call,) = asyncio.run(talk())
    assert call[0].startswith("dbrouter-store")
    assert call[1] == "acme"


def test_calls_go_on_at_once_up_to_a_bound() -> None:
    async def talk() -> None:
        await asyncio.gather(*(threaded.execute(EVERYTHING) for _ in range(12)))

    slow = Slow()
    threaded = Threaded(slow, Threads(3))
    asyncio.run(talk())
    assert len(slow.calls) == 12
    assert slow.most_at_once == 3


def test_one_store_serves_one_loop_after_another_and_again_after_its_end() -> None:
    async def put(number: int) -> None:
        record: Record = {"memory_id": str(number), "memory": {}, "created_at": number}
        await threaded.execute(Insert(table="memories", records=(record,)))
        await threaded.close()

    async def count() -> int:
        return len((await threaded.execute(EVERYTHING)).records)

    threaded = Threaded(MemoryStore())
    for number in range(3):
        asyncio.run(put(number))
    assert asyncio.run(count()) == 3


def test_a_failure_reaches_the_caller() -> None:
    class Away(MemoryStore):
        async def execute(self, op: Op[Any], /) -> Any:
            raise Unavailable("away")

    with pytest.raises(Unavailable, match="away"):
        asyncio.run(Threaded(Away()).execute(EVERYTHING))


def test_the_rest_of_a_store_is_passed_on() -> None:
    async def talk() -> frozenset[str]:
        await threaded.ping()
        await threaded.create_tables(("memories",))
        return await threaded.existing_tables()

    store = MemoryStore()
    threaded = Threaded(store)
    assert asyncio.run(talk()) == {"agno_memories"}
    assert threaded.physical_name("memories") == "agno_memories"
    assert threaded.capabilities is store.capabilities
    assert threaded.runtime.blocking is False


def test_only_a_blocking_store_needs_threads() -> None:
    native = AsyncMemoryStore()
    assert awaited(native) is native
    assert isinstance(awaited(MemoryStore()), Threaded)


@pytest.mark.parametrize("asked", [lambda store: store.execute(EVERYTHING), lambda store: store.ping()])
def test_a_call_that_is_cancelled_before_it_gets_a_thread_asks_for_nothing(
    asked: Callable[[Threaded], Coroutine[Any, Any, Any]],
) -> None:
    go_on = threading.Event()

    class Held(MemoryStore):
        async def create_tables(self, tables: tuple[str, ...]) -> None:
            assert go_on.wait(PATIENCE)

    async def talk() -> None:
        threaded = Threaded(Held(), Threads(1))
        first = asyncio.create_task(threaded.create_tables(()))
        await asyncio.sleep(0)
        second = asyncio.create_task(asked(threaded))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        go_on.set()
        await first
        await threaded.close()

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        asyncio.run(talk())
        gc.collect()
    assert [str(each.message) for each in told] == []
