"""A store: a thing that executes ops. Drivers are stores, policies are stores around stores, the router is one."""

from __future__ import annotations

from typing import Protocol, TypeVar, runtime_checkable

from dbrouter.backends.kernel.capabilities import Capabilities
from dbrouter.backends.kernel.ops import Op
from dbrouter.backends.kernel.running import Runtime

R = TypeVar("R")


@runtime_checkable
class Store(Protocol):
    """Executes ops.

    A blocking store's coroutines never suspend, so `finish` can drive them; a native async store's are awaited.
    """

    runtime: Runtime
    """Where time, sleep and fan-out come from; says whether this store blocks."""

    @property
    def capabilities(self) -> Capabilities:
        """What it does natively."""
        ...

    async def execute(self, op: Op[R], /) -> R:
        """The op's answer, or a `StoreError`. Nothing is half-written when it raises."""
        ...

    async def existing_tables(self) -> frozenset[str]:
        """Physical names of the tables that exist."""
        ...

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        """Create these tables (by spec name) with their indexes where they are missing."""
        ...

    def physical_name(self, table: str) -> str:
        """What the table of this spec name is called in this database."""
        ...

    async def ping(self) -> None:
        """Return if the database answers, else raise `Unavailable` saying why."""
        ...

    async def close(self) -> None:
        """Release connections. The store may be used again afterwards."""
        ...
