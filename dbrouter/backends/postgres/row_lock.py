"""Row-level security as a second lock: every transaction says whose rows it may see, and the database sees to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar, cast

from dbrouter.backends.kernel.codec import encode_text
from dbrouter.backends.kernel.errors import RowsNotHeldBack, StoreError
from dbrouter.backends.kernel.ops import AnyOp, Op
from dbrouter.backends.kernel.tenant_tables import TENANT_TABLES
from dbrouter.backends.postgres.dialect import POLICY, TENANT_SETTING, PostgresDialect
from dbrouter.backends.sql.connections import Connections, Unit
from dbrouter.backends.sql.statements import Outcome, Statement
from dbrouter.backends.sql.store import SqlStore, needed_tables

R = TypeVar("R")

ROLE = (
    "SELECT current_user::text, EXISTS (SELECT FROM pg_roles AS each WHERE (each.rolsuper OR each.rolbypassrls)"
    # A member may become the other role, and whoever became this one may go back.
    " AND (pg_has_role(current_user, each.oid, 'MEMBER') OR pg_has_role(session_user, each.oid, 'MEMBER')))"
)
TABLES = (
    "SELECT c.relname::text, c.relrowsecurity AND c.relforcerowsecurity AND COALESCE(("
    "SELECT count(*) = 1 AND bool_and(p.polname = %s AND p.polcmd = '*' AND p.polroles = '{0}' AND p.polpermissive)"
    " FROM pg_policy AS p WHERE p.polrelid = c.oid AND (p.polpermissive OR p.polname = %s)), false),"
    " pg_has_role(current_user, c.relowner, 'MEMBER')"
    " FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
    " WHERE n.nspname = %s AND c.relname = ANY(%s) AND c.relkind IN ('r', 'p')"
)


class RowLock:
    """What is known, once for a process, about what holds rows back in one schema.

    owned_apart: whether the tables are to belong to another role than the one that uses them.
    """

    def __init__(
        self, connections: Connections, dialect: PostgresDialect, names: Mapping[str, str], *, apart: bool
    ) -> None:
        self._connections = connections
        self._dialect = dialect
        self._names = {names[table]: table for table in TENANT_TABLES}
        self._apart = apart
        self._locked: frozenset[str] = frozenset()

    def holds(self, tables: Iterable[str]) -> bool:
        """Whether all of these tables are known to be locked."""
        return self._locked.issuperset(tables)

    async def check(self) -> None:
        """Raise `RowsNotHeldBack` if the role can see past the lock, or an existing table has none."""
        asked = (POLICY, POLICY, self._dialect.schema, list(self._names))
        role, tables = await self._connections.run(Unit([Statement(ROLE), Statement(TABLES, asked)]))
        name, sees_all = role.rows[0]
        if sees_all:
            raise RowsNotHeldBack(
                f"the role {name!r} is a superuser, has BYPASSRLS, or can become a role that is or has, so row-level"
                " security cannot hold it back; connect as an ordinary role, or say row_level_security: false to do"
                " without this second lock; nothing was read or written"
            )
        for table, locked, owned in tables.rows:
            if not locked:
                lock = "; ".join(self._dialect.secured(TENANT_TABLES[self._names[table]], table)).replace("%%", "%")
                raise RowsNotHeldBack(
                    f"table {table} was made without row-level security, or has another policy than {POLICY}; nothing"
                    " was read or written. Remove other policies and let its owner run this, or say"
                    f" row_level_security: false to do without this second lock: {lock}"
                )
            if owned and self._apart:
                raise RowsNotHeldBack(
                    f"table {table} belongs to {name!r}, who could switch its row-level security off; give it to the"
                    " role of owner_url with ALTER TABLE ... OWNER TO; nothing was read or written"
                )
        self._locked = frozenset(self._names[table] for table, _, _ in tables.rows)


class OfOneTenant:
    """The connections of a database, with each transaction seeing one tenant's rows only.

    The setting goes ahead of the statements in the same pipeline: one transaction, one round trip, and it is gone with
    the transaction, whoever gets the connection next.
    """

    def __init__(self, connections: Connections, tenant: str) -> None:
        self._connections = connections
        # As the column holds it.
        self._setting = Statement(SET, (TENANT_SETTING, encode_text(tenant)), answers=False)

    async def run(self, unit: Unit) -> list[Outcome]:
        """Each statement's outcome, in order."""
        return (await self._connections.run(Unit([self._setting, *unit.statements], unit.atomic)))[1:]

    async def close(self) -> None:
        """Leave the connections to the store they belong to."""


SET = "SELECT set_config(%s, %s, true)"


class RowsOfOneTenant(SqlStore):
    """The tables that tenants share, with only one tenant's rows in them as far as this store can see."""

    sends_alone = False

    def __init__(self, store: SqlStore, lock: RowLock, tenant: str) -> None:
        if not tenant:
            raise StoreError("a tenant whose name is empty cannot be told from none; give it another name")
        super().__init__(
            dialect=store.dialect,
            connections=OfOneTenant(store.connections, tenant),
            runtime=store.runtime,
            capabilities=store.capabilities,
            layout=store.layout,
            catalog=store.catalog,
        )
        self._lock = lock

    async def execute(self, op: Op[R], /) -> R:
        """The op's answer. Only the tables of tenants are served: no other holds rows back."""
        needed = needed_tables(cast("AnyOp", op))
        if not needed <= TENANT_TABLES.keys():
            plain = ", ".join(sorted(needed - TENANT_TABLES.keys()))
            raise StoreError(f"row-level security does not hold back rows of {plain}; nothing was read or written")
        if not self._lock.holds(needed):
            await self._lock.check()
        return await super().execute(op)
