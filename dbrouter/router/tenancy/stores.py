"""Each tenant's store: made when it is first asked for, thrown away when the catalog says something else of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from dbrouter.backends.kernel.errors import ConfigError, RoutingError
from dbrouter.backends.kernel.forking import lock
from dbrouter.backends.kernel.isolation import HasNamespaces, HoldsRowsBack, Isolation, namespace_of
from dbrouter.backends.kernel.running import BlockingRuntime, Runtime
from dbrouter.backends.kernel.store import Store
from dbrouter.policies.limits.fairness import FairGate
from dbrouter.policies.limits.limited import limited
from dbrouter.policies.limits.meter import Meters
from dbrouter.policies.tenancy.confining import Confined
from dbrouter.router.directory import Directory
from dbrouter.router.routed import RoutedStore
from dbrouter.router.routes import Component, Routes, Rule
from dbrouter.router.tenancy.open_databases import OpenDatabases
from dbrouter.router.tenancy.owning import Owned
from dbrouter.router.tenancy.tenants import Tenant

KEPT = 20_000
"""Tenants whose stores are kept, and tables of routes; who comes on top lets the oldest go, to be made again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """What tenants use together: how much each may, and in which order. gates: a database's places, by its name."""

    meters: Meters
    gates: Callable[[str], FairGate | None]

    def metered(self, store: Store, tenant: Tenant) -> Store:
        """The store within the tenant's limits."""
        return store if tenant.limits.unlimited else limited(store, self.meters.of(tenant.name, tenant.limits))

    def in_turn(self, store: Store, database: str, tenant: Tenant) -> Store:
        """The tenant's store of a database that others use too, in turn with them."""
        gate = self.gates(database)
        return store if gate is None else gate.of(store, tenant.name)


@dataclass(slots=True)
class _Held:
    """What is kept of one tenant: the store of its calls, and those of its components' calls."""

    tenant: Tenant
    routed: RoutedStore
    store: Store
    bound: dict[Component, Store] = field(default_factory=dict[Component, Store])


class TenantStores:
    """The stores of all tenants, over the deployment's databases and over databases of their own.

    shared: the deployment's databases, always open. own: those that only tenants name. open_shared: opens one of the
    latter for good, for tenants that share it. shares: what each tenant may use. agno: databases that are agno's own.
    """

    def __init__(
        self,
        shared: Mapping[str, Store],
        routes: Routes,
        *,
        own: OpenDatabases,
        open_shared: Callable[[str], Store],
        runtime: Runtime,
        shares: Shares,
        agno: frozenset[str] = frozenset(),
    ) -> None:
        self.runtime = runtime
        self._shared = dict(shared)
        self._routes = routes
        self._own = own
        self._open_shared = open_shared
        self._shares = shares
        self._agno = agno
        self._directory = Directory()
        self._held: dict[str, _Held] = {}
        self._routes_of: dict[tuple[str | None, tuple[tuple[str, str], ...]], Routes] = {}
        self._builds = itertools.count()
        self._lock = lock()

    def of(self, tenant: Tenant, component: Component | None = None) -> Store:
        """The tenant's store, for the calls of one component if it is known."""
        held = self._of(tenant)
        if component is None:
            return held.store
        return held.bound.get(component) or self._bound(held, component)

    def unmetered(self, tenant: Tenant) -> Store:
        """The tenant's store for calls that are not the tenant's own: they use up nothing of what it may use."""
        return self._of(tenant).routed

    def in_agno(self, family: str, tenant: Tenant | None) -> bool:
        """Whether the rows of a family, of a tenant or of everybody, are in a database that is agno's own."""
        routes = self._routes if tenant is None else self._routes_for(tenant)
        return routes.database(family) in self._agno

    def forget(self, names: Iterable[str]) -> None:
        """Let these tenants' stores go; they are made again if they are asked for."""
        with self._lock:
            for name in names:
                self._held.pop(name, None)

    def in_common(self, database: str) -> Store:
        """The store of a database that stays open, without any tenant's confinement."""
        store = self._shared.get(database)
        if store is None:
            with self._lock:
                store = self._shared.get(database)
                if store is None:
                    store = self._shared[database] = self._open_shared(database)
        return store

    def of_its_own(self, database: str) -> Store:
        """The store of a database that is opened when it is used, without any tenant's lock."""
        return self._own.named(database)

    async def close(self) -> None:
        """Close every database. They may be used again afterwards. One that fails does not keep the others open."""
        failures: list[Exception] = []
        for store in (*self._shared.values(), self._own):
            try:
                await store.close()
            except Exception as failure:  # noqa: BLE001  # raised when all are closed
                failures.append(failure)
        if isinstance(self.runtime, BlockingRuntime):
            self.runtime.close()
        if failures:
            raise failures[0]

    def _of(self, tenant: Tenant) -> _Held:
        held = self._held.get(tenant.name)
        if held is None or (held.tenant is not tenant and held.tenant != tenant):
            held = self._made(tenant)
        return held

    def _made(self, tenant: Tenant) -> _Held:
        routes = self._routes_for(tenant)
        names = dict.fromkeys(name for family in routes.families for name in routes.databases(family))
        routed = RoutedStore(
            {name: self._isolated(name, tenant) for name in names},
            routes,
            # What was remembered of a tenant that was changed may name databases that it has no more.
            directory=self._directory.of((tenant.name, next(self._builds))),
        )
        held = _Held(tenant, routed, self._shares.metered(routed, tenant))
        with self._lock:
            self._held.pop(tenant.name, None)
            self._held[tenant.name] = held
            while len(self._held) > KEPT:
                del self._held[next(iter(self._held))]
        return held

    def _bound(self, held: _Held, component: Component) -> Store:
        routes = held.routed.routes
        spread = component in routes.components and any(len(routes.databases(each)) > 1 for each in routes.families)
        made = self._shares.metered(held.routed.bound(component), held.tenant) if spread else held.store
        if component in routes.components:
            # Only those: components that no rule speaks of can be any number.
            held.bound[component] = made
        return made

    def _routes_for(self, tenant: Tenant) -> Routes:
        if tenant.db is None and not tenant.families:
            return self._routes
        said = (tenant.db, tuple(sorted(tenant.families.items())))
        routes = self._routes_of.get(said)
        if routes is None:
            routes = own_routes(tenant, self._routes)
            with self._lock:
                self._routes_of[said] = routes
                while len(self._routes_of) > KEPT:
                    del self._routes_of[next(iter(self._routes_of))]
        return routes

    def _isolated(self, database: str, tenant: Tenant) -> Store:
        match tenant.isolation:
            case Isolation.DATABASE:
                return self._owned(database, tenant)
            case Isolation.SCHEMA:
                store = self.in_common(database)
                if not isinstance(store, HasNamespaces):
                    raise _cannot(database, tenant)
                namespace = tenant.namespace or namespace_of(tenant.name)
                where = f"{namespace} in {database}"
                inner = self._shares.in_turn(store.in_namespace(namespace), database, tenant)
                return Owned(inner, tenant.name, where=where)
            case Isolation.ROWS:
                store = self.in_common(database)
                inner = store.for_rows_of(tenant.name) if isinstance(store, HoldsRowsBack) else store
                return Confined(self._shares.in_turn(inner, database, tenant), tenant.name)
            case _:
                assert_never(tenant.isolation)

    def _owned(self, database: str, tenant: Tenant) -> Store:
        if any(database in self._routes.databases(family) for family in self._routes.families):
            raise RoutingError(
                f"{database} is everybody's and cannot be tenant {tenant.name!r}'s own; give it isolation: schema or "
                f"isolation: rows there, or a db that nothing else goes to"
            )
        store = self._shared.get(database)
        if database in self._agno and store is not None:
            # It has no place for a mark.
            return store
        return Owned(self._own.named(database) if store is None else store, tenant.name, where=database)


def own_routes(tenant: Tenant, deployment: Routes) -> Routes:
    """Where the rows of a tenant with databases of its own go; the deployment's routes for one without."""
    return Routes(tuple(_rules(tenant, deployment))) if tenant.db is not None or tenant.families else deployment


def _rules(tenant: Tenant, deployment: Routes) -> Iterator[Rule]:
    """A tenant's own routes. What it does not say, the deployment's defaults do; components' rules do not apply."""
    if tenant.db is not None:
        yield Rule(family=None, component=None, database=tenant.db, source=tenant.source, place=tenant.place)
    else:
        for family in deployment.families:
            if family not in tenant.families:
                yield replace(deployment.rule(family), family=family)
    for family, database in sorted(tenant.families.items()):
        yield Rule(family=family, component=None, database=database, source=tenant.source, place=tenant.place)


def _cannot(database: str, tenant: Tenant) -> ConfigError:
    return ConfigError(
        f"{database} cannot keep tenant {tenant.name!r} in a schema of its own; "
        f"give it isolation: rows or a database of its own"
    )
