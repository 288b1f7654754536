"""Who has which role, and what is said of roles."""

from __future__ import annotations

from typing import Any

from dbrouter.backends.kernel.filters import Field, all_of, eq, one_of
from dbrouter.backends.kernel.merging import Record, Replace
from dbrouter.backends.kernel.ops import Aggregate, Delete, Get, Put, Remove, Scan, Upsert
from dbrouter.router.families.authz_policies import MOST_AT_ONCE, POLICY
from dbrouter.router.families.context import Context
from dbrouter.router.families.turns import Plan, Turns

GROUPING = "authz_grouping"
META = "authz_roles"


class AuthzRoles:
    """Keeps assignments and descriptions of roles. Every answer is read anew."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._turns = Turns(context.store, "authz")

    async def get_authz_direct_roles(self, subject: str) -> list[str]:
        """The roles that were assigned to the subject."""
        found = await self._store.execute(Scan(table=GROUPING, where=eq("subject", subject), columns=("role",)))
        return [each["role"] for each in found.records]

    async def get_authz_direct_roles_many(self, subjects: list[str]) -> dict[str, list[str]]:
        """Each of the subjects -> its roles, sorted; none is an empty list."""
        roles: dict[str, list[str]] = {subject: [] for subject in subjects}
        for start in range(0, len(subjects), MOST_AT_ONCE):
            where = one_of("subject", subjects[start : start + MOST_AT_ONCE])
            found = await self._store.execute(Scan(table=GROUPING, where=where))
            for each in found.records:
                roles[each["subject"]].append(each["role"])
        return {subject: sorted(assigned) for subject, assigned in roles.items()}

    async def list_authz_role_subjects(self, role: str) -> list[str]:
        """Who was assigned the role."""
        found = await self._store.execute(Scan(table=GROUPING, where=eq("role", role), columns=("subject",)))
        return [each["subject"] for each in found.records]

    async def authz_name_is_role(self, name: str) -> bool:
        """Whether the name is a role's: it has a policy, or somebody was assigned it."""
        for table in (POLICY, GROUPING):
            found = await self._store.execute(Scan(table=table, where=eq("role", name), limit=1, columns=("role",)))
            if found.records:
                return True
        return False

    async def assign_authz_role(self, subject: str, role: str) -> None:
        """Assign the role; doing it again changes nothing."""
        record = {"subject": subject, "role": role}
        await self._store.execute(Upsert(table=GROUPING, records=(record,), returning=False))

    async def unassign_authz_role(self, subject: str, role: str) -> None:
        """Take the role away, if the subject has it."""
        await self._store.execute(Delete(table=GROUPING, where=all_of(eq("subject", subject), eq("role", role))))

    async def replace_authz_subject_roles(self, subject: str, role: str) -> None:
        """Make this the subject's only role, at once: of two replacements one remains, and never both."""

        async def replaced() -> Plan[None]:
            roles = await self.get_authz_direct_roles(subject)
            others = [Remove(table=GROUPING, key=(subject, each)) for each in roles if each != role]
            return Plan(None, (*others, Put(table=GROUPING, record={"subject": subject, "role": role})))

        await self._turns.take(subject, replaced)

    async def list_authz_roles(self) -> list[str]:
        """Every role that has a policy or was assigned, sorted."""
        roles: set[str] = set()
        for table in (POLICY, GROUPING):
            found = await self._store.execute(Aggregate(table=table, by={"role": Field("role")}, measures=()))
            roles |= {each["role"] for each in found.records}
        return sorted(roles)

    async def delete_authz_role(self, role: str) -> None:
        """Delete the role at once: its policies, its assignments, those to it of other roles, its description."""

        async def deleted() -> Plan[None]:
            policies = await self._store.execute(Scan(table=POLICY, where=eq("role", role)))
            assigned = await self._store.execute(Scan(table=GROUPING, where=eq("role", role)))
            inherited = await self._store.execute(Scan(table=GROUPING, where=eq("subject", role)))
            described = await self._store.execute(Get(table=META, key=(role,)))
            keys = {(each["subject"], each["role"]) for each in (*assigned.records, *inherited.records)}
            writes = [
                *(Remove(table=POLICY, key=(role, each["resource"], each["action"])) for each in policies.records),
                *(Remove(table=GROUPING, key=key) for key in sorted(keys)),
                *([] if described is None else [Remove(table=META, key=(role,))]),
            ]
            return Plan(None, writes)

        await self._turns.take(role, deleted)

    async def get_authz_role_meta(self, slug: str) -> Record | None:
        """What is said of the role, or `None`."""
        stored = await self._store.execute(Get(table=META, key=(slug,)))
        return None if stored is None else stored.record

    async def list_authz_role_meta(self) -> list[Record]:
        """What is said of each role."""
        return (await self._store.execute(Scan(table=META))).records

    async def upsert_authz_role_meta(self, slug: str, values: dict[str, Any]) -> None:
        """Store what is said of the role; what is stored gets the given values."""
        rules = {column: Replace() for column in values}
        record = {"slug": slug, **values}
        await self._store.execute(Upsert(table=META, records=(record,), rules=rules, returning=False))

    async def delete_authz_role_meta(self, slug: str) -> None:
        """Forget what is said of the role."""
        await self._store.execute(Delete(table=META, where=eq("slug", slug)))
