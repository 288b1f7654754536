"""What roles may do. Every answer is read anew: a right that was taken away is gone at the next question."""

from __future__ import annotations

from dbrouter.backends.kernel.filters import all_of, eq, equals, one_of
from dbrouter.backends.kernel.merging import Replace
from dbrouter.backends.kernel.ops import Delete, Put, Remove, Scan, Upsert
from dbrouter.router.families.context import Context
from dbrouter.router.families.turns import Plan, Turns

POLICY = "authz_policy"
MOST_AT_ONCE = 500
"""Roles asked about in one statement."""


class AuthzPolicies:
    """Keeps the policies of roles: (resource, action) -> effect."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._turns = Turns(context.store, "authz")

    async def get_authz_policies(self, roles: list[str]) -> list[tuple[str, str, str, str]]:
        """Every (role, resource, action, effect) of these roles."""
        found: list[tuple[str, str, str, str]] = []
        for start in range(0, len(roles), MOST_AT_ONCE):
            where = one_of("role", roles[start : start + MOST_AT_ONCE])
            page = await self._store.execute(Scan(table=POLICY, where=where))
            found += [(each["role"], each["resource"], each["action"], each["effect"]) for each in page.records]
        return found

    async def get_authz_role_policies(self, role: str) -> list[tuple[str, str, str]]:
        """Every (resource, action, effect) of the role."""
        page = await self._store.execute(Scan(table=POLICY, where=eq("role", role)))
        return [(each["resource"], each["action"], each["effect"]) for each in page.records]

    async def set_authz_role_policies(self, role: str, rows: list[tuple[str, str, str]]) -> None:
        """Replace all policies of the role at once: nobody sees it without any, and of two replacements one remains."""
        wanted = {(resource, action): effect for resource, action, effect in rows}

        async def replaced() -> Plan[None]:
            stored = await self.get_authz_role_policies(role)
            gone = [
                Remove(table=POLICY, key=(role, resource, action))
                for resource, action, _ in stored
                if (resource, action) not in wanted
            ]
            puts = [
                Put(table=POLICY, record={"role": role, "resource": resource, "action": action, "effect": effect})
                for (resource, action), effect in wanted.items()
            ]
            return Plan(None, (*gone, *puts))

        await self._turns.take(role, replaced)

    async def upsert_authz_policy(self, *, role: str, resource: str, action: str, effect: str) -> None:
        """Store the policy; a stored one for the same resource and action gets the new effect."""
        record = {"role": role, "resource": resource, "action": action, "effect": effect}
        await self._store.execute(Upsert(table=POLICY, records=(record,), rules={"effect": Replace()}, returning=False))

    async def delete_authz_policy(self, *, role: str, resource: str | None = None, action: str | None = None) -> None:
        """Delete the role's policies, or those for one resource or action."""
        where = all_of(eq("role", role), equals(resource=resource, action=action))
        await self._store.execute(Delete(table=POLICY, where=where))
