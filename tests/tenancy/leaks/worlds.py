"""Deployments with many tenants, and a look into their databases that goes by no code of ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbrouter.backends.kernel.codec import decode_text
from dbrouter.backends.kernel.isolation import namespace_of
from dbrouter.backends.kernel.tenant_tables import TENANT
from dbrouter.backends.memory.store import MemoryStore
from dbrouter.testing.leaks import Leak, marks_in, tenants

if TYPE_CHECKING:
    from psycopg import Connection

Row = tuple[str, Mapping[str, Any]]
"""Where a row is, for people, and the row."""


@dataclass(frozen=True, slots=True)
class World:
    """A configuration and the names of its tenants; a tenant's position is its number and mark."""

    settings: Mapping[str, Any]
    names: tuple[str, ...]
    silos: Mapping[str, int] = field(default_factory=dict)
    """Database of a tenant's own -> the tenant's number."""

    def namespaces(self) -> dict[str, int]:
        """Namespace -> the number of the tenant it belongs to."""
        return {namespace_of(name): number for number, name in enumerate(self.names)}


def world(primary: Mapping[str, Any], isolations: tuple[str, ...], count: int, silos: list[Mapping[str, Any]]) -> World:
    """So many tenants on a database, their isolations by turns; `silos`: databases for those that have one each."""
    names = tenants(count)
    databases: dict[str, Mapping[str, Any]] = {"primary": primary}
    described: dict[str, Mapping[str, Any]] = {}
    owners: dict[str, int] = {}
    for number, name in enumerate(names):
        isolation = isolations[number % len(isolations)]
        if isolation != "database":
            described[name] = {"isolation": isolation}
        elif len(owners) < len(silos):
            silo = f"silo-{len(owners)}"
            databases[silo] = silos[len(owners)]
            owners[silo] = number
            described[name] = {"db": silo}
        else:
            described[name] = {"isolation": "rows"}
    settings = {
        "id": "leaks",
        "databases": databases,
        "agentos": {"db": "primary"},
        "tenancy": {"resolve": ["binding", "context"]},
        "tenants": described,
    }
    return World(settings, names, owners)


def look_into_memory(world: World, router: Any) -> int:
    """How many marked rows the memory databases of an open router hold."""
    namespaces = world.namespaces()
    seen = 0
    for name in ("primary", *world.silos):
        store: Any = router.database(name)
        while not isinstance(store, MemoryStore):
            store = store._store  # what stands around the driver
        spaces = {None: store, **store._namespaces}
        for space, each in spaces.items():
            owner = world.silos.get(name) if space is None else namespaces[space]
            for table, rows in each._state._rows.items():
                for row in rows.by_key.values():
                    seen += _belongs(world, f"{name}.{space}.{table}", row.values, owner)
    return seen


def look_into_sqlite(world: World, primary: Path, silos: Mapping[str, Path]) -> int:
    """How many marked rows the files hold; `Leak` if one is where it does not belong."""
    namespaces = world.namespaces()
    seen = 0
    for path in sorted(primary.parent.rglob("*.db")):
        owner = next((world.silos[name] for name, file in silos.items() if file == path), None)
        if owner is None:
            owner = namespaces.get(path.stem)
        for place, row in _sqlite_rows(path):
            seen += _belongs(world, place, row, owner)
    return seen


def look_into_postgres(world: World, connection: Connection[Any], owner: int | None = None) -> int:
    """How many marked rows one Postgres database holds, read by a role that no lock stops.

    owner: the tenant whose own database it is.
    """
    namespaces = world.namespaces()
    seen = 0
    tables = connection.execute(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    ).fetchall()
    for schema, table in tables:
        cursor = connection.execute(f'SELECT * FROM "{schema}"."{table}"')
        columns = [each.name for each in cursor.description or ()]
        for values in cursor:
            row = dict(zip(columns, values, strict=True))
            seen += _belongs(world, f"{schema}.{table}", row, namespaces.get(schema, owner))
    return seen


def _sqlite_rows(path: Path) -> Iterator[Row]:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                yield f"{path.name}.{table}", dict(row)


def _belongs(world: World, place: str, row: Mapping[str, Any], owner: int | None) -> int:
    """1 for a marked row in its place, 0 for one without marks."""
    marks = marks_in(dict(row))
    if TENANT in row:
        name = decode_text(row[TENANT])
        if name not in world.names:
            raise Leak(f"{place}: a row of {name!r}, whom nobody knows")
        if owner is not None and world.names[owner] != name:
            raise Leak(f"{place} belongs to tenant {owner} and holds a row of {name!r}")
        owner = world.names.index(name)
    if not marks:
        return 0
    if owner is None:
        raise Leak(f"{place}: a row of tenants {sorted(marks)} lies in a table that is no tenant's")
    if marks != {owner}:
        raise Leak(f"{place}: a row with marks of tenants {sorted(marks)} lies where tenant {owner}'s rows are")
    return 1
