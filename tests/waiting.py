"""Waiting: a test never asserts how fast something is, only that it happens at all, or ends at its deadline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

PATIENCE = 60.0
"""Seconds after which something will never happen: far more than it takes on a machine that has much else to do."""
SLACK = 8.0
"""Seconds that a machine with much else to do may take beyond a deadline. Who forgets its deadline waits for longer."""


def until(happens: Callable[[], object], what: str = "it", *, patience: float = PATIENCE) -> None:
    """Wait until this is true."""
    over = time.monotonic() + patience
    while not happens():
        assert time.monotonic() < over, f"{what} did not happen within {patience} s"
        time.sleep(0.005)


async def first_true(ask: Callable[[], Any], what: str = "it") -> Any:
    """The first answer, awaited where it has to be, that is true; other tasks go on."""
    over = time.monotonic() + PATIENCE
    while True:
        asked = ask()
        answer = await asked if isinstance(asked, Awaitable) else asked
        if answer:
            return answer
        assert time.monotonic() < over, f"{what} did not happen within {PATIENCE} s"
        await asyncio.sleep(0.02)


async def cancelled(call: Coroutine[Any, Any, Any]) -> None:
    """Begin a call, and cancel it in the middle."""
    task = asyncio.create_task(call)
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@contextmanager
def told_within(deadline: float) -> Iterator[None]:
    """What is done inside ends at its deadline."""
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert took < deadline + SLACK, f"the deadline was {deadline} s, and it took {took:.1f} s"
