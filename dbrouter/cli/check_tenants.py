"""What `dbrouter check` says of tenants and of connections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from rich.console import Console

from dbrouter.backends.kernel.errors import DbRouterError
from dbrouter.backends.kernel.isolation import HoldsRowsBack, Isolation
from dbrouter.backends.kernel.ops import Get
from dbrouter.backends.kernel.running import finish
from dbrouter.cli.known_tenants import Known
from dbrouter.cli.output import plain, table
from dbrouter.config.budget import Budget
from dbrouter.policies.tenancy.confining import Confined
from dbrouter.router.routes import Routes
from dbrouter.router.tenancy.stores import own_routes


def show_tenants(out: Console, known: Known) -> None:
    """Print how many tenants there are, of which isolation, and how a call's tenant is found."""
    tenants = known.described.tenants.values()
    counts = Counter(each.isolation.value for each in tenants)
    suspended = sum(each.suspended for each in tenants)
    out.print(plain("\nTenants", "bold"))
    words = [f"{count} with isolation: {isolation}" for isolation, count in counts.items()]
    words += [f"{suspended} of them suspended"] if suspended else []
    out.print(plain(", ".join(words) or "none yet"))
    rules = known.tenancy.rules
    out.print(plain(f"found by {', '.join(rules.resolve)}; unknown: {rules.unknown}"))
    if rules.shared:
        out.print(plain(f"shared by all: {', '.join(sorted(rules.shared))}"))
    if known.tenancy.table is not None:
        added = len([name for name in known.rows if not known.in_file(name)])
        state = f"{added} of the tenants" if known.complete else "not read"
        out.print(plain(f"table dbrouter_tenants of {known.tenancy.table.db}: {state}"))


def named_for_tenants(known: Known) -> frozenset[str]:
    """The databases that hold tenants' rows because tenants name them, or the table of tenants."""
    named = {name for each in known.described.tenants.values() for name in (each.db, *each.families.values())}
    if known.described.others is not None:
        named |= {known.described.others.db, *known.described.others.families.values()}
    if known.tenancy.table is not None:
        named.add(known.tenancy.table.db)
    return frozenset(name for name in named if name is not None)


def not_held_back(known: Known, routes: Routes, stores: Mapping[str, object]) -> dict[str, DbRouterError]:
    """Database -> why it cannot hold back other tenants' rows, although it is set up to.

    Asked as the first call of a tenant does, which would be refused.
    """
    described = known.described
    sharing = [each for each in described.tenants.values() if each.isolation is Isolation.ROWS]
    if described.others is not None and described.others.isolation is Isolation.ROWS:
        sharing.append(described.others)
    shared = known.tenancy.rules.shared
    named: dict[str, str] = {}
    for tenant in sharing:
        own = own_routes(tenant, routes)
        for family in set(own.families) - shared:
            named |= dict.fromkeys(own.databases(family), tenant.name)
    failed: dict[str, DbRouterError] = {}
    for database, name in named.items():
        store = stores.get(database)
        if isinstance(store, HoldsRowsBack):
            try:
                finish(Confined(store.for_rows_of(name), name).execute(Get(table="sessions", key=("",))))
            except DbRouterError as error:
                failed[database] = error
    return failed


def show_budgets(out: Console, budgets: tuple[Budget, ...]) -> None:
    """Print how many connections can be open on each server, and how many it has."""
    if not budgets:
        return
    out.print(plain("\nConnections", "bold"))
    rows = table("server", "at most", "of", "sum")
    for each in budgets:
        allowed = "not said" if each.allowed is None else str(each.allowed)
        rows.add_row(plain(each.server), plain(str(each.connections)), plain(allowed), plain(each.written_out))
    out.print(rows)
