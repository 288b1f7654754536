"""What an open db answers to agno's migrations: the route `/databases/{id}/migrate` and `MigrationManager`.

Those know agno's classes by their names and do nothing for another, and then stamp it. So the stamp is where the work
is done: no table is stamped as of today that is not.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from dbrouter.backends.kernel.errors import StoreError
from dbrouter.backends.kernel.forking import lock
from dbrouter.backends.kernel.migrating import TODAY, UNSTAMPED, Work, is_older
from dbrouter.router.migrations.migrating import AGNOS_OWN, migrated_by_agno, planned, taken, without_plan
from dbrouter.router.migrations.places import Place, tenant_places

if TYPE_CHECKING:
    from dbrouter.router.wiring import Wiring

_NO_SHAPE = frozenset({Work.INDEX, Work.STAMP, Work.LEARNINGS})
"""Steps that make no table another one. Stamps and the keys of learnings agno asks for by itself."""

FRESH = 10.0
"""Seconds for which nobody looks again whether everything is of today: agno asks for each of its tables."""


class Standing:
    """The version stamps of an open db, which tell the truth."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._looked = self._brought = float("-inf")
        self._is_left = False
        self._lock = lock()

    async def version(self, table_name: str) -> str:
        """The version stamped on this table, or agno's "2.0.0" if none is or if its database is not what it says."""
        stamp = await self._wiring.databases.stamping(table_name).get_latest_schema_version(table_name)
        if self._belongs(table_name) and not is_older(stamp) and await self._anything_left():
            return UNSTAMPED
        return stamp

    async def stamp(self, table_name: str, version: str) -> None:
        """Stamp this table. For a version of today every place is brought to it first.

        `StoreError` if that fails, or for an older version where something is of an older shape.
        """
        if self._belongs(table_name):
            if not is_older(version):
                await self._bring_everything()
            elif await self._anything_left():
                raise StoreError(f"{table_name} is brought to {TODAY} or left as it is, not to {version}")
        await self._wiring.databases.stamping(table_name).upsert_schema_version(table_name, version)

    def _belongs(self, table_name: str) -> bool:
        databases = self._wiring.databases
        return any(table_name in databases.named(name).table_names for name in databases.names)

    async def _anything_left(self) -> bool:
        if time.monotonic() - self._looked > FRESH:
            left = False
            async for place in self._places():
                left = left or any(step.work not in _NO_SHAPE for step in await planned(place))
            self._noted(left=left)
        return self._is_left

    async def _bring_everything(self) -> None:
        if time.monotonic() - self._brought <= FRESH and not await self._anything_left():
            return
        async for place in self._places():
            if without_plan(place.store) == AGNOS_OWN:
                await migrated_by_agno(place)
            steps = await planned(place)
            for step in steps if any(each.work not in _NO_SHAPE for each in steps) else ():
                try:
                    await taken(place, step, lambda _: None)
                except StoreError as error:
                    raise StoreError(f"{place}: {error}") from error
        self._brought = time.monotonic()
        self._noted(left=False)

    def _noted(self, *, left: bool) -> None:
        with self._lock:
            # In this order: whoever reads meanwhile, or a child that is forked in between, takes no old answer for new.
            self._is_left = left
            self._looked = time.monotonic()

    async def _places(self) -> AsyncIterator[Place]:
        """Every database, and every tenant's part of one. One that is opened on use is open while it is looked at."""
        # Only here: who has no tenants needs none of this.
        from dbrouter.router.tenancy.open_databases import OpenedOnUse
        from dbrouter.router.tenancy.switch import TenantSwitch

        databases = self._wiring.databases
        for name in databases.names:
            async with AsyncExitStack() as stack:
                store = databases.named(name).store
                if isinstance(store, OpenedOnUse):
                    store = await stack.enter_async_context(store.held())
                yield Place(database=name, store=store)
        switch = self._wiring.tenants
        if isinstance(switch, TenantSwitch):
            parts = switch.parts
            for place in tenant_places(parts.catalog.tenants(), parts.deployment.routes, parts.stores.in_common):
                yield place
