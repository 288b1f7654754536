"""An operator's view: what all tenants have, read together. Nothing is written through it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar, cast

from dbrouter.backends.kernel.capabilities import EVERYTHING_NATIVE, Capabilities
from dbrouter.backends.kernel.errors import MissingTenant, TenantConflict
from dbrouter.backends.kernel.ops import Aggregate, AnyOp, Get, Load, Loaded, Op, Scan, Stored
from dbrouter.backends.kernel.running import Runtime
from dbrouter.backends.kernel.store import Store
from dbrouter.router.gathering import grouped, raise_first, scanned
from dbrouter.router.tenancy.stores import TenantStores
from dbrouter.router.tenancy.tenants import Tenant

R = TypeVar("R")
T = TypeVar("T")

AT_ONCE = 16
"""Tenants that are asked at the same time: more would only wait for connections."""


class InTurns:
    """A runtime whose fan-out asks a bounded number at once."""

    def __init__(self, inner: Runtime, at_once: int = AT_ONCE) -> None:
        self._inner = inner
        self._at_once = at_once
        self.blocking = inner.blocking

    async def sleep(self, seconds: float) -> None:
        """Pause this call."""
        await self._inner.sleep(seconds)

    async def gather(self, calls: Sequence[Callable[[], Awaitable[T]]]) -> list[T | BaseException]:
        """Each result or error, in order."""
        outcomes: list[T | BaseException] = []
        for start in range(0, len(calls), self._at_once):
            outcomes += await self._inner.gather(calls[start : start + self._at_once])
        return outcomes

    def caller(self) -> tuple[int, int]:
        """Who is calling."""
        return self._inner.caller()

    def one_at_a_time(self, what: Hashable) -> AbstractAsyncContextManager[None]:
        """Keep other calls that ask for the same outside."""
        return self._inner.one_at_a_time(what)


class Everyone:
    """A store over all tenants' stores, for reading. tenants: all that there are, suspended ones too."""

    def __init__(self, stores: TenantStores, tenants: Callable[[], Iterable[Tenant]]) -> None:
        self.runtime: Runtime = InTurns(stores.runtime)
        self._stores = stores
        self._tenants = tenants

    @property
    def capabilities(self) -> Capabilities:
        """Everything: each database stands behind the kernel's emulation."""
        return EVERYTHING_NATIVE

    async def execute(self, op: Op[R], /) -> R:
        """What all tenants have together. A tenant whose database is away fails it; a write is refused."""
        known = cast("AnyOp", op)
        match known:
            case Scan():
                return cast("R", await scanned(self.runtime, self._all(), known))
            case Aggregate():
                return cast("R", await grouped(self.runtime, self._all(), known))
            case Get() | Load():
                return cast("R", await self._the_one(known))
            case _:
                raise MissingTenant(
                    f"{type(known).__name__}: nothing is written for all tenants at once; name the tenant"
                )

    async def _the_one(self, op: Get | Load) -> Stored | Loaded | None:
        tenants = self._in_order()
        stores = [self._stores.unmetered(each) for each in tenants]
        outcomes: list[Any] = await self.runtime.gather([lambda store=store: store.execute(op) for store in stores])
        # Also where one has it: whether another one has it too is not known.
        raise_first(outcomes)
        found = [(each, outcome) for each, outcome in zip(tenants, outcomes, strict=True) if outcome is not None]
        if len(found) > 1:
            names = ", ".join(repr(each.name) for each, _ in found)
            raise TenantConflict(f"{op.table} {op.key!r}: {names} have one of this id; name the tenant")
        return found[0][1] if found else None

    def _all(self) -> list[Store]:
        return [self._stores.unmetered(each) for each in self._in_order()]

    def _in_order(self) -> list[Tenant]:
        # Records that are equal in order and key come in the order of their tenants, on every page.
        return sorted(self._tenants(), key=lambda each: each.name)

    def physical_name(self, table: str) -> str:
        """What the table is called in the first tenant's database."""
        return self._all()[0].physical_name(table)

    async def existing_tables(self) -> frozenset[str]:
        """Physical names of the tables that any tenant has."""
        found = await self.runtime.gather([each.existing_tables for each in self._all()])
        raise_first(found)
        return frozenset().union(*cast("list[frozenset[str]]", found))

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        """Refuse: tables are made for the tenant that first writes to them."""
        raise MissingTenant(f"{', '.join(tables)}: nothing is created for all tenants at once; name the tenant")

    async def ping(self) -> None:
        """Return if every tenant's database answers."""
        raise_first(await self.runtime.gather([each.ping for each in self._all()]))

    async def close(self) -> None:
        """Do nothing: the databases are closed with the tenants' stores."""
