"""One tenant's store, within its limits: what is over one is refused before anything is done.

Rates are refused at once, with when to come back. A call beyond the concurrent ones waits a moment first. Rows and
bytes stored are refused without a time: waiting is no help.
"""

from __future__ import annotations

from typing import Protocol, TypeVar, runtime_checkable

from dbrouter.backends.kernel.capabilities import Capabilities
from dbrouter.backends.kernel.ops import Aggregate, Get, Load, Op, Scan
from dbrouter.backends.kernel.running import Runtime
from dbrouter.backends.kernel.store import Store
from dbrouter.policies.limits.meter import Meter
from dbrouter.policies.limits.sizes import answered, written

R = TypeVar("R")

READS = frozenset({Get, Load, Scan, Aggregate})
"""Ops that neither add nor remove."""


@runtime_checkable
class Bindable(Protocol):
    """A store that has views for components."""

    def bound(self, component: object, /) -> Store:
        """The view."""
        ...


def limited(store: Store, meter: Meter) -> Store:
    """The store within the meter's limits; the store itself if there are none."""
    return store if meter.limits.unlimited else Limited(store, meter)


class Limited:
    """A tenant's store that refuses what is over the tenant's limits. Stores of one tenant share its meter."""

    def __init__(self, inner: Store, meter: Meter) -> None:
        self.inner = inner
        self.runtime: Runtime = inner.runtime
        self._meter = meter

    @property
    def capabilities(self) -> Capabilities:
        """The inner store's."""
        return self.inner.capabilities

    def bound(self, component: object) -> Store:
        """The inner store's view for a component, within the same limits."""
        return Limited(self.inner.bound(component), self._meter) if isinstance(self.inner, Bindable) else self

    async def execute(self, op: Op[R], /) -> R:
        """The inner store's answer, or `LimitExceeded`."""
        meter = self._meter
        await meter.admit(written(op) if meter.weighs else 0)
        places = meter.places
        if places is not None and not places.enter(None):
            await meter.place(places)
        try:
            answer = await self._stored(op)
        finally:
            if places is not None:
                places.leave(None)
        if meter.weighs:
            meter.charge(answered(answer))
        return answer

    async def _stored(self, op: Op[R]) -> R:
        stored = self._meter.stored
        if stored is None or type(op) in READS:
            return await self.inner.execute(op)
        async with stored.entered(op, self.inner):
            return await self.inner.execute(op)

    async def existing_tables(self) -> frozenset[str]:
        """The inner store's."""
        return await self.inner.existing_tables()

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        """As the inner store does."""
        await self.inner.create_tables(tables)

    def physical_name(self, table: str) -> str:
        """The inner store's."""
        return self.inner.physical_name(table)

    async def ping(self) -> None:
        """As the inner store does."""
        await self.inner.ping()

    async def close(self) -> None:
        """As the inner store does."""
        await self.inner.close()
