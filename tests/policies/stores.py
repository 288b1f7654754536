"""Stores that count, fail and wait as a test tells them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from dbrouter.backends.kernel.capabilities import Capabilities
from dbrouter.backends.kernel.errors import StoreError, Unavailable, Unstorable
from dbrouter.backends.kernel.ops import Batch, Op
from dbrouter.backends.kernel.running import Runtime
from dbrouter.backends.kernel.store import Store

R = TypeVar("R")


class Watched:
    """An inner store whose writes of traces a test may watch, refuse and hold up."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner
        self.runtime: Runtime = inner.runtime
        self.ops: list[Op[Any]] = []
        self.away = False
        self.poisoned: Callable[[str], bool] = lambda key: False
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.closed = 0

    @property
    def batches(self) -> list[Batch]:
        """The batches it was given."""
        return [op for op in self.ops if isinstance(op, Batch)]

    @property
    def capabilities(self) -> Capabilities:
        return self._inner.capabilities

    async def execute(self, op: Op[R], /) -> R:
        self.ops.append(op)
        if isinstance(op, Batch):
            self.entered.set()
            while not self.gate.is_set():
                await self.runtime.sleep(0.005)
        if self.away:
            raise Unavailable("the database is away")
        if isinstance(op, Batch):
            self._refuse_poison(op)
        return await self._inner.execute(op)

    def _refuse_poison(self, op: Batch) -> None:
        for upsert in op.upserts:
            for record in upsert.records:
                if self.poisoned(str(record.get("span_id") or record["trace_id"])):
                    raise Unstorable(f"{upsert.table}: this row cannot be stored")

    async def existing_tables(self) -> frozenset[str]:
        return await self._inner.existing_tables()

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        await self._inner.create_tables(tables)

    def physical_name(self, table: str) -> str:
        return self._inner.physical_name(table)

    async def ping(self) -> None:
        if self.away:
            raise StoreError("away")

    async def close(self) -> None:
        self.closed += 1
        await self._inner.close()
