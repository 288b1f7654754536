"""The places of a deployment's rows: each database, and in it the namespace of each tenant that has one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast, runtime_checkable

from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.isolation import HasNamespaces, Isolation, namespace_of
from dbrouter.backends.kernel.store import Store
from dbrouter.router.any_agno.opening import OnALoop
from dbrouter.router.routes import Routes
from dbrouter.router.tenancy.stores import own_routes
from dbrouter.router.tenancy.tenants import Tenant
from dbrouter.router.threaded import Threaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where rows are: a database, and one tenant's part of it if `tenant` says so."""

    database: str
    store: Store
    tenant: str | None = None

    def __str__(self) -> str:
        """The place as people name it."""
        return self.database if self.tenant is None else f"{self.database} of tenant {self.tenant!a}"


@runtime_checkable
class KeepsFiles(Protocol):
    """A driver with a file for each namespace, which is made when it is opened."""

    def file_of(self, namespace: str) -> Path:
        """The file. `ValueError` if there are none."""
        ...


def driver_of(store: Store) -> Store:
    """The store that speaks to the database, of the stores around it."""
    while isinstance(store, Threaded | Emulated | OnALoop):
        store = cast("Store", store.driver if isinstance(store, Emulated) else store.inner)
    return store


def tenant_places(
    tenants: Iterable[Tenant], routes: Routes, store_of: Callable[[str], Store | None]
) -> Iterator[Place]:
    """The namespaces of these tenants, in those of the databases that `store_of` gives a store of.

    A tenant with a database of its own is where that database is, one with rows in shared tables where those are.
    """
    for tenant in tenants:
        if tenant.isolation is not Isolation.SCHEMA:
            continue
        own = own_routes(tenant, routes)
        for name in dict.fromkeys(each for family in own.families for each in own.databases(family)):
            store = store_of(name)
            namespace = tenant.namespace or namespace_of(tenant.name)
            if isinstance(store, HasNamespaces) and _may_exist(driver_of(store), namespace):
                yield Place(database=name, store=store.in_namespace(namespace), tenant=tenant.name)


def _may_exist(driver: Store, namespace: str) -> bool:
    if not isinstance(driver, KeepsFiles):
        return True
    try:
        return driver.file_of(namespace).exists()
    except ValueError:
        return True
