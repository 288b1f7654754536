"""The table of tenants in a database, `dbrouter_tenants`: read by every process, written by the command line."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dbrouter.backends.kernel.errors import ConfigError, Duplicate
from dbrouter.backends.kernel.filters import Field, equals
from dbrouter.backends.kernel.ops import ABSENT, Delete, Get, Insert, Order, Put, Scan, Update
from dbrouter.backends.kernel.own_tables import TENANTS
from dbrouter.backends.kernel.store import Store
from dbrouter.router.families.turns import Plan, Turns
from dbrouter.router.tenancy.description import CatalogRow


async def rows_in(store: Store) -> tuple[CatalogRow, ...]:
    """All rows, by name. None if the table was never written to."""
    page = await store.execute(Scan(table=TENANTS.name, order=(Order(Field("name")),)))
    return tuple(_row(record) for record in page.records)


async def row_of(store: Store, name: str) -> CatalogRow | None:
    """The row of this tenant, if there is one."""
    found = await store.execute(Get(table=TENANTS.name, key=(name,)))
    return None if found is None else _row(found.record)


async def add(store: Store, row: CatalogRow) -> bool:
    """Whether the row was added; not if the tenant has one already."""
    try:
        await store.execute(Insert(table=TENANTS.name, records=(_record(row),)))
    except Duplicate:
        return False
    return True


async def add_among(store: Store, row: CatalogRow, judge: Callable[[Sequence[CatalogRow]], object]) -> bool:
    """Whether the row was added, as `add`, once `judge` has nothing against all rows with it.

    judge: raises `ConfigError`. It is asked again where another row was added meanwhile: of two that cannot both be
    there, one is refused.
    """

    async def plan() -> Plan[bool]:
        rows = await rows_in(store)
        if any(each.name == row.name for each in rows):
            return Plan(answer=False)
        judge((*rows, row))
        return Plan(answer=True, writes=(Put(table=TENANTS.name, record=_record(row), expect=ABSENT),))

    if store.capabilities.commits:
        return await Turns(store, TENANTS.name).take(TENANTS.name, plan)
    return (await plan()).answer and await _add_and_look(store, row, judge)


async def _add_and_look(store: Store, row: CatalogRow, judge: Callable[[Sequence[CatalogRow]], object]) -> bool:
    """As `add_among`, where no turn can be taken. Of two that come at once both may be refused, and never none."""
    if not await add(store, row):
        return False
    try:
        judge(await rows_in(store))
    except ConfigError:
        await store.execute(Delete(table=TENANTS.name, where=equals(name=row.name)))
        raise
    return True


async def set_suspended(store: Store, name: str, *, suspended: bool) -> bool:
    """Whether the tenant has a row, which says now that it is suspended, or that it is not."""
    changes: Mapping[str, Any] = {"suspended": suspended, "updated_at": int(time.time())}
    changed = await store.execute(Update(table=TENANTS.name, where=equals(name=name), changes=changes, returning=False))
    return bool(changed)


def _record(row: CatalogRow) -> dict[str, Any]:
    return {"name": row.name, "spec": row.spec, "suspended": row.suspended, "updated_at": int(time.time())}


def _row(record: Mapping[str, Any]) -> CatalogRow:
    return CatalogRow(name=record["name"], spec=record["spec"], suspended=bool(record["suspended"]))
