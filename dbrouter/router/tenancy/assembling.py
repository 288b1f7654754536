"""From what a configuration says about tenants to the store that keeps them apart."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Claim
from dbrouter.backends.kernel.running import AsyncRuntime, BlockingRuntime, Runtime
from dbrouter.backends.kernel.store import Store
from dbrouter.policies.limits.fairness import FairGate
from dbrouter.policies.limits.meter import Meters
from dbrouter.router.any_agno.opening import KIND as AGNO
from dbrouter.router.routed import RoutedStore
from dbrouter.router.routes import Routes
from dbrouter.router.tenancy.binding import claimed, nothing_claimed
from dbrouter.router.tenancy.evaluations import keep_evaluations
from dbrouter.router.tenancy.kept_sessions import keep_sessions_apart
from dbrouter.router.tenancy.open_databases import OpenDatabases
from dbrouter.router.tenancy.resolving import Resolver
from dbrouter.router.tenancy.stores import Shares, TenantStores
from dbrouter.router.tenancy.switch import Catalog, Parts, TenantSwitch
from dbrouter.router.tenancy.tenants import TenancyRules
from dbrouter.router.tenancy.thread_pools import forget_tenants, keep_tenants
from dbrouter.router.tenancy.tracing import TRACES

KEEPS_ROWS_ITSELF = "memory"
"""The kind of database whose rows are lost when its store is let go: it stays open."""

STAY_OPEN = frozenset({KEEPS_ROWS_ITSELF, AGNO})
"""Kinds that stay open. Of a class of agno's nobody knows what it loses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How databases are opened. kinds: name -> kind, of all that are configured.

    places: how many ops each works on at once, where that is bounded, and seconds a call may wait for its turn.
    """

    kinds: Mapping[str, str]
    open_: Callable[[str], Store]
    blocking: bool
    places: Mapping[str, tuple[int, float]]


def switched(
    opening: Opening,
    routes: Routes,
    rules: TenancyRules,
    catalog: Callable[[Callable[[str], Store]], Catalog],
    *,
    open_databases: int,
) -> tuple[TenantSwitch, dict[str, Store]]:
    """The store of all tenants, and the databases that are always open: the deployment's, and what memory holds.

    catalog: makes the catalog of what opens a database that stays open.
    """
    everybodys = {name for family in routes.families for name in routes.databases(family)}
    stores = {
        name: opening.open_(name) for name, kind in opening.kinds.items() if name in everybodys or kind in STAY_OPEN
    }
    runtime: Runtime = BlockingRuntime() if opening.blocking else AsyncRuntime()
    own = OpenDatabases(opening.open_, runtime=runtime, most=open_databases)
    limits_db = rules.limits_db

    def counted_in() -> Store:
        return tenants.in_common(cast("str", limits_db))

    meters = Meters(blocking=opening.blocking, shared=None if limits_db is None else counted_in)
    shares = Shares(meters=meters, gates=_gates(opening).get)
    agno = frozenset(name for name, kind in opening.kinds.items() if kind == AGNO)
    tenants = TenantStores(
        stores, routes, own=own, open_shared=opening.open_, runtime=runtime, shares=shares, agno=agno
    )
    parts = Parts(
        RoutedStore({name: stores[name] for name in everybodys}, routes),
        tenants,
        Resolver(rules),
        catalog(tenants.in_common),
        shared=rules.shared,
        tenant_of_trace=TRACES.tenant_of,
        trace_began_here=TRACES.began_here,
        on_claim=_bind_claimer,
    )
    keep_sessions_apart()
    keep_evaluations()
    if rules.thread_pools:
        keep_tenants()
        weakref.finalize(parts, forget_tenants).atexit = False
    return TenantSwitch(parts), stores


def _gates(opening: Opening) -> dict[str, FairGate]:
    """Made at once: two gates of one database would let in twice as many."""
    return {
        database: FairGate(database, places, blocking=opening.blocking, deadline=deadline)
        for database, (places, deadline) in opening.places.items()
    }


def _bind_claimer(op: Claim, whose: str | None, record: Record | None, /) -> None:
    """Let what the claimer starts now be that tenant's: what it claimed will be executed without another word."""
    if op.table != "schedules":
        return
    if whose is None or record is None:
        nothing_claimed()
    else:
        claimed(record["id"], whose)
