"""What is left to do in one place, and the doing of it, step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.errors import StoreError
from dbrouter.backends.kernel.migrating import Migrates, Migration, Step, Work
from dbrouter.backends.kernel.store import Store
from dbrouter.router.any_agno.store import AgnoStore
from dbrouter.router.migrations.places import Place, driver_of

OWN_LAYOUT = "a layout of dbrouter's own, which needs no migration"
TRIES = 3
"""A learning that another migrator moves meanwhile counts as failed, and is found in its place the next time."""
AGNOS_OWN = "a class of agno's, which agno's own MigrationManager migrates"


def migration_of(store: Store) -> Migration | None:
    """How what the store speaks to is migrated; `None` if it never has to be, or by its own class."""
    driver = driver_of(store)
    return driver.migration() if isinstance(driver, Migrates) else None


def without_plan(store: Store) -> str | None:
    """Why there is no plan for the store's database; `None` if there is one."""
    driver = driver_of(store)
    if isinstance(driver, AgnoStore):
        return AGNOS_OWN
    return None if isinstance(driver, Migrates) else OWN_LAYOUT


async def planned(place: Place) -> tuple[Step, ...]:
    """What is left to do there, in order."""
    migration = migration_of(place.store)
    return () if migration is None else await migration.plan()


async def taken(place: Place, step: Step, told: Callable[[int], object]) -> None:
    """Take one step of the plan. `StoreError` if it cannot be taken; what came before it stays done."""
    migration = migration_of(place.store)
    if migration is None:
        raise StoreError(f"{place}: {OWN_LAYOUT}")
    if step.work is Work.LEARNINGS:
        await _give_learnings_their_keys(driver_of(place.store))
    else:
        await migration.take(step, told)


async def migrated_by_agno(place: Place) -> None:
    """Have agno migrate a database that is an object of a class of its own."""
    from dbrouter.router.agno_migrating import MigrationManager

    driver = driver_of(place.store)
    if isinstance(driver, AgnoStore):
        await MigrationManager(driver.methods.instances.here()).up()


async def _give_learnings_their_keys(driver: Store) -> None:
    # Over the interface, by agno's own code: what a key is made of is agno's business.
    from dbrouter.router.agno_migrating import arekey_user_entity_learnings, rekey_user_entity_learnings
    from dbrouter.router.async_db import AsyncDb
    from dbrouter.router.sync_db import SyncDb

    store = Emulated(driver)
    failed: list[Any] = []
    for _ in range(TRIES):
        if store.runtime.blocking:
            report: dict[str, Any] = rekey_user_entity_learnings(SyncDb(store, serves={"learnings"}), dry_run=False)
        else:
            report = await arekey_user_entity_learnings(AsyncDb(store, serves={"learnings"}), dry_run=False)
        failed = report.get("failed") or []
        if not failed:
            return
    raise StoreError(f"{len(failed)} learnings of users could not be given their users' keys; migrate again")
