"""The table of tenants in a database, `dbrouter_tenants`: read by every process, written by the command line."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from dbrouter.backends.kernel.errors import Duplicate
from dbrouter.backends.kernel.filters import Field, equals
from dbrouter.backends.kernel.ops import Get, Insert, Order, Scan, Update
from dbrouter.backends.kernel.own_tables import TENANTS
from dbrouter.backends.kernel.store import Store
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
    record = {"name": row.name, "spec": row.spec, "suspended": row.suspended, "updated_at": int(time.time())}
    try:
        await store.execute(Insert(table=TENANTS.name, records=(record,)))
    except Duplicate:
        return False
    return True


async def set_suspended(store: Store, name: str, *, suspended: bool) -> bool:
    """Whether the tenant has a row, which says now that it is suspended, or that it is not."""
    changes: Mapping[str, Any] = {"suspended": suspended, "updated_at": int(time.time())}
    changed = await store.execute(Update(table=TENANTS.name, where=equals(name=name), changes=changes, returning=False))
    return bool(changed)


def _row(record: Mapping[str, Any]) -> CatalogRow:
    return CatalogRow(name=record["name"], spec=record["spec"], suspended=bool(record["suspended"]))
