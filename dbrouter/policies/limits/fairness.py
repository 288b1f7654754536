"""Tenants take turns at a database: one that floods it waits for itself, not the others for it.

A database works on so many ops at once and no more. Where more are asked for they wait here, each tenant's apart, and
a free place goes to the tenant that has the fewest. Who is not alone has half of them at most: see `Places`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from dbrouter.backends.kernel.capabilities import Capabilities
from dbrouter.backends.kernel.errors import LimitExceeded, Unavailable
from dbrouter.backends.kernel.ops import Op
from dbrouter.backends.kernel.places import Places
from dbrouter.backends.kernel.running import Runtime
from dbrouter.backends.kernel.store import Store

R = TypeVar("R")
T = TypeVar("T")

DEADLINE = 30.0
"""Seconds a call waits for its turn, if nobody says otherwise."""

KEPT = 1
"""Places that only a tenant with nothing under way may take."""


class FairGate:
    """One database's places, for all tenants who use it.

    name: the database, for errors. places: ops it works on at once; no more than its pool has connections, and for a
    database on few cores not many more than those. deadline: seconds a call waits for its turn.
    """

    def __init__(self, name: str, places: int, *, blocking: bool, deadline: float = DEADLINE, kept: int = KEPT) -> None:
        self.name = name
        self.deadline = deadline
        self.places = Places(places, blocking=blocking, kept=kept, share=places // 2)

    def of(self, store: Store, tenant: str) -> Fair:
        """The tenant's store of this database, in turn with the other tenants' ones."""
        return Fair(store, self, tenant)

    async def turn(self, tenant: str) -> None:
        """Wait for a place. In vain: `LimitExceeded` if the tenant's own calls are in the way, else `Unavailable`."""
        if await self.places.wait(tenant, self.deadline):
            return
        own, others = self.places.holds(tenant), self.places.waits(tenant)
        if own or others:
            raise LimitExceeded(
                f"tenant {tenant!r} has {own} calls under way in {self.name} and {others} more waiting; this one waited"
                f" {self.deadline:g} s for its turn, and nothing of it was done",
                retry_after=self.deadline,
            )
        raise Unavailable(
            f"{self.name}: all {self.places.number} places were busy for {self.deadline:g} s; nothing was done. The "
            "database is slow or away, or serves more tenants at once than it has places"
        )


class Fair:
    """One tenant's store of one database, whose calls wait for their turn."""

    def __init__(self, inner: Store, gate: FairGate, tenant: str) -> None:
        self.inner = inner
        self.runtime: Runtime = inner.runtime
        self._gate = gate
        self._places = gate.places
        self._tenant = tenant

    @property
    def capabilities(self) -> Capabilities:
        """The inner store's."""
        return self.inner.capabilities

    async def execute(self, op: Op[R], /) -> R:
        """The inner store's answer, when it is the tenant's turn."""
        if not self._places.enter(self._tenant):
            await self._gate.turn(self._tenant)
        try:
            return await self.inner.execute(op)
        finally:
            self._places.leave(self._tenant)

    async def existing_tables(self) -> frozenset[str]:
        """The inner store's."""
        return await self._in_turn(self.inner.existing_tables)

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        """As the inner store does."""
        await self._in_turn(partial(self.inner.create_tables, tables))

    async def _in_turn(self, call: Callable[[], Awaitable[T]]) -> T:
        if not self._places.enter(self._tenant):
            await self._gate.turn(self._tenant)
        try:
            return await call()
        finally:
            self._places.leave(self._tenant)

    def physical_name(self, table: str) -> str:
        """The inner store's."""
        return self.inner.physical_name(table)

    async def ping(self) -> None:
        """As the inner store does; not in turn: whether the database answers is not a tenant's question."""
        await self.inner.ping()

    async def close(self) -> None:
        """As the inner store does."""
        await self.inner.close()
