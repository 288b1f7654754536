"""Traces and spans behind a buffer, in both modes, called from blocking tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dbrouter.backends.kernel.ops import Scan
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.memory.store import AsyncMemoryStore, MemoryStore
from dbrouter.policies.trace_buffer import BufferLimits, TraceBuffer
from dbrouter.router.families.context import Context
from dbrouter.router.families.spans import Spans
from dbrouter.router.families.traces import Traces
from tests.policies.stores import Watched

IN_TIME = 5.0
"""Seconds until what is written behind must be there, on a busy machine."""


class Behind:
    """agno's methods over traces and spans on a buffered store. `inner` is the store behind the buffer."""

    def __init__(self, store: Store, **limits: Any) -> None:
        self.runner = asyncio.Runner()
        self.inner = Watched(store)
        self.buffer = TraceBuffer(self.inner, BufferLimits(**{"max_delay": 60.0, "deadline": 2.0, **limits}))
        context = Context(self.buffer)
        self._programs = (Traces(context), Spans(context))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = next(getattr(each, name) for each in self._programs if hasattr(each, name))
        return lambda *args, **kwargs: self.run(method(*args, **kwargs))

    def run(self, call: Any) -> Any:
        """The result of a coroutine; a blocking store's never suspends, so a loop does no harm."""
        return self.runner.run(_done(call))

    def stored(self, table: str = "spans") -> list[str]:
        """Keys of what has reached the store itself."""
        page = self.run(self.inner._inner.execute(Scan(table=table)))
        return [record["span_id" if table == "spans" else "trace_id"] for record in page.records]

    def close(self) -> None:
        """Close the buffer and what is behind it."""
        self.run(self.buffer.close())


async def _done(call: Any) -> Any:
    return await call


@pytest.fixture(params=[MemoryStore, AsyncMemoryStore], ids=["blocking", "async"])
def made(request: pytest.FixtureRequest) -> Iterator[Callable[..., Behind]]:
    """Makes buffered stores: `made(max_rows=5)`."""
    all_made: list[Behind] = []

    def make(**limits: Any) -> Behind:
        all_made.append(Behind(request.param(), **limits))
        return all_made[-1]

    yield make
    for each in all_made:
        each.inner.away = False
        each.inner.gate.set()
        each.close()
        each.runner.close()


@pytest.fixture
def behind(made: Callable[..., Behind]) -> Behind:
    """A buffer whose writer is so patient that only reads and `close` make it write."""
    return made()
