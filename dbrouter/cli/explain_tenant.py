"""`dbrouter explain --tenant`: which databases hold a tenant's rows, how they are kept apart there, and why."""

from __future__ import annotations

import typer

from dbrouter.backends.kernel.errors import RoutingError
from dbrouter.cli.known_tenants import Known, known_in, shown
from dbrouter.cli.output import PROBLEMS, as_json, console, give_up, plain, table
from dbrouter.config.settings import Settings
from dbrouter.router.routes import Component, Routes, Rule
from dbrouter.router.tenancy.explaining import TenantExplanation, explain_tenant
from dbrouter.router.tenancy.tenants import Tenant


def explain_one(
    settings: Settings, name: str, routes: Routes, family: str | None, component: Component | None, *, json: bool
) -> None:
    """Print where the rows of this tenant go, one family's or all families', and why."""
    known = known_in(settings)
    tenant = known.tenant(name)
    families = [family] if family is not None else routes.families
    try:
        found = [explain_tenant(tenant, known.tenancy.rules, routes, each, component) for each in families]
    except RoutingError as error:
        give_up(str(error))
    if json:
        told = [{**each.as_dict(), "isolation_because": _because(known, each)} for each in found]
        as_json(told if family is None else told[0])
    else:
        _show(known, tenant, found)
    if not known.complete:
        raise typer.Exit(PROBLEMS)


def _show(known: Known, tenant: Tenant, found: list[TenantExplanation]) -> None:
    out = console()
    state = ", suspended: its calls are refused" if tenant.suspended else ""
    out.print(plain(f"tenant {shown(tenant.name)}, from {tenant.place or tenant.source}{state}", "bold"))
    out.print(plain(f"isolation: {tenant.isolation.value}, because {known.isolation_because(tenant.name)}\n"))
    rows = table("family", "database", "because", "kept apart", "also in")
    for each in found:
        inner = each.inner
        others = ", ".join(name for name in inner.databases if name != inner.database)
        rows.add_row(
            plain(inner.family),
            plain(inner.database, "bold"),
            plain(rule_in_words(inner.rule)),
            plain(each.apart),
            plain(others),
        )
    out.print(rows)


def _because(known: Known, found: TenantExplanation) -> str | None:
    return None if found.tenant is None else known.isolation_because(found.tenant.name)


def rule_in_words(rule: Rule) -> str:
    """The key that says the rule, with its line."""
    return f"{rule.source} ({rule.place})" if rule.place else rule.source
