"""A store that remembers what it was asked, so that a test can say how many requests a method costs."""

from __future__ import annotations

from typing import Any, TypeVar

from dbrouter.backends.kernel.capabilities import Capabilities
from dbrouter.backends.kernel.ops import Op
from dbrouter.backends.kernel.store import Store

R = TypeVar("R")


class Recorded:
    """The inner store, with every op it was given in `ops`."""

    def __init__(self, inner: Store) -> None:
        self.inner = inner
        self.runtime = inner.runtime
        self.ops: list[Op[Any]] = []

    @property
    def capabilities(self) -> Capabilities:
        return self.inner.capabilities

    async def execute(self, op: Op[R], /) -> R:
        self.ops.append(op)
        return await self.inner.execute(op)

    async def existing_tables(self) -> frozenset[str]:
        return await self.inner.existing_tables()

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        await self.inner.create_tables(tables)

    def physical_name(self, table: str) -> str:
        return self.inner.physical_name(table)

    async def ping(self) -> None:
        await self.inner.ping()

    async def close(self) -> None:
        await self.inner.close()
