"""`finish` and the runtimes: one code for blocking and async stores."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import cast

import pytest

from dbrouter.backends.kernel import running
from dbrouter.backends.kernel.running import FAN_OUT_THREADS, AsyncRuntime, BlockingRuntime, Runtime, finish
from tests.waiting import PATIENCE

WHO: ContextVar[str] = ContextVar("WHO", default="nobody")


def test_finish_answers_what_a_coroutine_returns() -> None:
    async def inner() -> int:
        return 41

    async def outer() -> int:
        return await inner() + 1

    assert finish(outer()) == 42


def test_finish_raises_what_a_coroutine_raises() -> None:
    async def failing() -> None:
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        finish(failing())


def test_finish_refuses_a_coroutine_that_suspends_and_lets_it_clean_up() -> None:
    cleaned: list[str] = []

    async def suspending() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            cleaned.append("up")

    with pytest.raises(RuntimeError, match="suspended on a blocking store"):
        finish(suspending())
    assert cleaned == ["up"]


def test_finish_works_inside_a_running_event_loop() -> None:
    async def blocking() -> str:
        return "done"

    async def on_the_loop() -> str:
        return finish(blocking())

    assert asyncio.run(on_the_loop()) == "done"


def test_a_blocking_fan_out_runs_at_once_in_the_callers_context() -> None:
    runtime = BlockingRuntime()
    together = threading.Barrier(3, timeout=PATIENCE)

    async def call() -> str:
        together.wait()
        return WHO.get()

    token = WHO.set("tenant")
    try:
        assert finish(runtime.gather([call, call, call])) == ["tenant"] * 3
    finally:
        WHO.reset(token)
        runtime.close()


@pytest.mark.timeout(30)
def test_fan_outs_within_fan_outs_end_however_many_there_are() -> None:
    runtime = BlockingRuntime()

    async def leaf() -> int:
        return 1

    async def branch() -> int:
        return sum(cast("list[int]", await runtime.gather([leaf] * 3)))

    def tree() -> int:
        return sum(cast("list[int]", finish(runtime.gather([branch] * 4))))

    # Each of these takes more threads of the pool than there are for it, and holds them while it waits for more.
    with ThreadPoolExecutor(4 * FAN_OUT_THREADS) as callers:
        assert list(callers.map(lambda _: tree(), range(40 * FAN_OUT_THREADS))) == [12] * 40 * FAN_OUT_THREADS
    runtime.close()


def test_a_fan_out_hands_over_each_error_in_its_place() -> None:
    async def good() -> int:
        return 1

    async def bad() -> int:
        raise KeyError("b")

    async def outcomes(runtime: BlockingRuntime | AsyncRuntime) -> list[str]:
        return [repr(each) for each in await runtime.gather([good, bad, good])]

    runtime = BlockingRuntime()
    expected = ["1", "KeyError('b')", "1"]
    assert finish(outcomes(runtime)) == expected
    assert asyncio.run(outcomes(AsyncRuntime())) == expected
    runtime.close()


def test_a_blocking_sleep_blocks_and_does_not_suspend() -> None:
    started = time.monotonic()
    finish(BlockingRuntime().sleep(0.02))
    assert time.monotonic() - started >= 0.02


def test_a_closed_runtime_may_be_used_again() -> None:
    async def call() -> int:
        return 7

    runtime = BlockingRuntime()
    for _ in range(2):
        assert finish(runtime.gather([call, call])) == [7, 7]
        runtime.close()


def test_threads_that_ask_for_the_same_turn_go_one_by_one_and_others_beside_them() -> None:
    runtime = BlockingRuntime()
    inside, together = 0, 0

    async def work(what: str) -> None:
        nonlocal inside, together
        async with runtime.one_at_a_time(("session", what)):
            inside += 1
            together = max(together, inside)
            await runtime.sleep(0.005)
            inside -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: finish(work("s")), range(16)))
    assert together == 1
    gate = threading.Barrier(2)

    async def meet(what: str) -> None:
        async with runtime.one_at_a_time(what):
            gate.wait(PATIENCE)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda what: finish(meet(what)), ("one", "other")))


def test_tasks_that_ask_for_the_same_turn_go_one_by_one() -> None:
    runtime = AsyncRuntime()
    inside, together = 0, 0

    async def work() -> None:
        nonlocal inside, together
        async with runtime.one_at_a_time("s"):
            inside += 1
            together = max(together, inside)
            await asyncio.sleep(0.001)
            inside -= 1

    async def all_at_once() -> None:
        await asyncio.gather(*(work() for _ in range(16)))

    asyncio.run(all_at_once())
    assert together == 1


def test_nobody_waits_long_for_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "LONGEST_TURN", 0.05)
    blocking = BlockingRuntime()

    async def within(runtime: Runtime) -> bool:
        async with runtime.one_at_a_time("s"), runtime.one_at_a_time("s"):
            return True

    assert finish(within(blocking))
    assert asyncio.run(within(AsyncRuntime()))
    # Those who did not get it have left it as it was.
    assert finish(within(blocking))
