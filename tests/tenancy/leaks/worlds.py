"""Deployments with many tenants, and a look into their databases that goes by no code of ours."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from dbrouter.backends.kernel.codec import decode_text
from dbrouter.backends.kernel.isolation import Isolation, namespace_of
from dbrouter.backends.kernel.tenant_tables import PREFIX, TENANT
from dbrouter.backends.memory.store import MemoryStore
from dbrouter.testing.leaks import Leak, marks_in, tenants
from tests.backends.backend import Backend
from tests.backends.places import Place

SILOS = 4
"""Databases for tenants that have one each."""
SCHEMAS = {"memory": 50, "sqlite": 50, "postgres": 50}
OTHERS_SCHEMAS = 6
"""Tenants with a namespace each, by backend: elsewhere it takes seconds to make the tables of one."""


@dataclass(frozen=True, slots=True)
class World:
    """A configuration and the names of its tenants; a tenant's position is its number and mark.

    places: database -> where it is. silos: database of a tenant's own -> the tenant's number. namespaces: namespace of
    a tenant's own -> the tenant's number.
    """

    settings: Mapping[str, Any]
    names: tuple[str, ...]
    places: Mapping[str, Place]
    silos: Mapping[str, int] = field(default_factory=dict[str, int])
    namespaces: Mapping[str, int] = field(default_factory=dict[str, int])


def world(
    backend: Backend, isolations: tuple[Isolation, ...], count: int, fresh_place: Callable[[Backend], Place]
) -> World:
    """So many tenants on a database of this backend, their isolations by turns; a few have databases of their own.

    Who comes too late for a database or a namespace has rows.
    """
    names = tenants(count)
    places = {"primary": fresh_place(backend)}
    described: dict[str, Mapping[str, Any]] = {}
    silos: dict[str, int] = {}
    namespaces: dict[str, int] = {}
    for number, name in enumerate(names):
        isolation = isolations[number % len(isolations)]
        if isolation is Isolation.DATABASE and len(silos) < SILOS:
            silo = f"silo-{len(silos)}"
            places[silo] = fresh_place(backend)
            silos[silo] = number
            described[name] = {"db": silo}
        elif isolation is Isolation.SCHEMA and len(namespaces) < SCHEMAS.get(backend.name, OTHERS_SCHEMAS):
            namespace = namespace_of(name)
            described[name] = {"isolation": "schema"}
            if backend.server is not None:
                # Other tests use the server too, and its namespaces may be for all of them.
                namespace = places["primary"].namespace(namespace)
                described[name] = {"isolation": "schema", "namespace": namespace}
            namespaces[namespace] = number
        else:
            described[name] = {"isolation": "rows"}
    settings = {
        "id": "leaks",
        "databases": {name: place.settings() for name, place in places.items()},
        "agentos": {"db": "primary"},
        "tenancy": {"resolve": ["binding", "context"]},
        "tenants": described,
    }
    return World(settings, names, places, silos, namespaces)


def look(world: World) -> int:
    """How many marked rows the databases hold, read with their vendors' clients; `Leak` if one is misplaced."""
    seen = 0
    for name, place in world.places.items():
        if place.backend.rows is None:
            raise LookupError(f"nobody can look into {place.backend.name}: its `rows` are missing")
        for namespace, where, row in place.backend.rows(place.url, place.name):
            owner = world.silos.get(name) if namespace is None else world.namespaces.get(namespace)
            seen += _belongs(world, f"{name}.{where}", row, owner)
    return seen


def look_into_memory(world: World, router: Any) -> int:
    """How many marked rows the memory databases of an open router hold."""
    seen = 0
    for name in world.places:
        store: Any = router.database(name)
        while not isinstance(store, MemoryStore):
            store = store._store  # what stands around the driver
        spaces = {None: store._state, **store._state._namespaces}
        for space, each in spaces.items():
            owner = world.silos.get(name) if space is None else world.namespaces[space]
            for table, rows in list(each._rows.items()):
                # As they are at one moment: threads that write behind may still be at it.
                for row in list(rows.by_key.values()):
                    seen += _belongs(world, f"{name}.{space}.{table}", row.values, owner)
    return seen


def _belongs(world: World, place: str, row: Mapping[str, Any], owner: int | None) -> int:
    """1 for a marked row in its place, 0 for one without marks."""
    marks = marks_in(dict(row))
    # A reservation's key is a text of texts, and either may be written in another way than it reads.
    whose = row[TENANT] if TENANT in row else _reserved_for([*row.values()])
    if whose is not None:
        name = decode_text(whose) if TENANT in row else decode_text(decode_text(whose))
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


def _reserved_for(value: Any) -> str | None:
    """Whose values a reservation keeps, on stores that keep values apart by it: table, set and values are its key."""
    if isinstance(value, str) and value.startswith("["):
        try:
            return _reserved_for(json.loads(value))
        except ValueError:
            return None  # a text of somebody's
    if not isinstance(value, list):
        return None
    parts = cast("list[Any]", value)
    if len(parts) == 3 and isinstance(parts[0], str) and parts[0].startswith(PREFIX):
        return cast("str", parts[2][0])
    return next((found for part in parts if (found := _reserved_for(part)) is not None), None)
