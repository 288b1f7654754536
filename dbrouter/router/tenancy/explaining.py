"""Where a tenant's rows go and how they are kept apart there, family by family, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dbrouter.backends.kernel.isolation import Isolation, namespace_of
from dbrouter.router.explain import Explanation
from dbrouter.router.explain import explain as explained
from dbrouter.router.routes import Component, Routes
from dbrouter.router.tenancy.stores import own_routes
from dbrouter.router.tenancy.tenants import TenancyRules, Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantExplanation:
    """Where a family of a tenant goes. `tenant` is `None` for a family that all tenants share."""

    tenant: Tenant | None
    inner: Explanation

    @property
    def apart(self) -> str:
        """How its rows are kept apart there, in words."""
        if self.tenant is None:
            return "shared by all tenants"
        match self.tenant.isolation:
            case Isolation.DATABASE:
                return "database of its own"
            case Isolation.SCHEMA:
                return f"schema {namespace_in(self.tenant)}"
            case Isolation.ROWS:
                return "rows in shared tables"

    def as_dict(self) -> dict[str, Any]:
        """The explanation as JSON values."""
        tenant = self.tenant
        return {
            **self.inner.as_dict(),
            "tenant": None if tenant is None else tenant.name,
            "isolation": None if tenant is None else tenant.isolation.value,
            "namespace": None if tenant is None else namespace_in(tenant),
        }


def explain_tenant(
    tenant: Tenant, rules: TenancyRules, deployment: Routes, family: str, component: Component | None = None
) -> TenantExplanation:
    """Why this family of this tenant goes to its database. `RoutingError` if the family is not served."""
    if family in rules.shared:
        return TenantExplanation(tenant=None, inner=explained(deployment, family, component))
    return TenantExplanation(tenant=tenant, inner=explained(own_routes(tenant, deployment), family, component))


def namespace_in(tenant: Tenant) -> str | None:
    """What the tenant's schema is called; `None` if it has none."""
    return (tenant.namespace or namespace_of(tenant.name)) if tenant.isolation is Isolation.SCHEMA else None
