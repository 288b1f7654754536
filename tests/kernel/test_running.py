"""`finish` and the runtimes: one code for blocking and async stores."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import cast

import pytest

from dbrouter.backends.kernel.running import FAN_OUT_THREADS, AsyncRuntime, BlockingRuntime, finish
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
