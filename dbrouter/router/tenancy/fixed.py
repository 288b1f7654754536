"""Tenants that are known from the beginning and do not change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dbrouter.backends.kernel.errors import TenantSuspended, UnknownTenant
from dbrouter.router.tenancy.tenants import Tenant


class FixedCatalog:
    """A catalog of these tenants."""

    def __init__(self, tenants: Mapping[str, Tenant]) -> None:
        self._tenants = dict(tenants)

    def get(self, name: str) -> Tenant:
        """The tenant of that name; `UnknownTenant` or `TenantSuspended` instead."""
        found = self._tenants.get(name)
        if found is None:
            raise UnknownTenant(f"there is no tenant {name!a}")
        if found.suspended:
            raise TenantSuspended(f"tenant {name!a} is suspended")
        return found

    def tenants(self) -> Iterable[Tenant]:
        """All of them, suspended ones too."""
        return self._tenants.values()

    async def ready(self) -> None:
        """Return: they are known."""

    async def close(self) -> None:
        """Return: nobody looks for others."""
