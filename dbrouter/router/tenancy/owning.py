"""A second lock for databases and schemas that one tenant has for itself: they say whose they are.

Which database a tenant's rows go to is said by configuration and by names, and both can be wrong: one database given to
two tenants, a schema restored under another's name. The first write of a tenant leaves a mark with its name, and who
finds another's mark there is refused. That costs one request for each tenant, process and database.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar, cast

from dbrouter.backends.kernel.agno_tables.schema_versions import VERSIONS
from dbrouter.backends.kernel.capabilities import Capabilities
from dbrouter.backends.kernel.errors import CrossedTenant, Duplicate
from dbrouter.backends.kernel.isolation import namespace_of
from dbrouter.backends.kernel.ops import Aggregate, AnyOp, Get, Insert, Load, Op, Page, Scan, tables_of
from dbrouter.backends.kernel.running import Runtime
from dbrouter.backends.kernel.store import Store

R = TypeVar("R")

MARK = "dbrouter:tenant"
"""The mark's name in the table of schema versions, which every database has. No table can be called so."""
WHOSE = "updated_at"
"""The column with the tenant. On MySQL agno's `version` takes ten characters, and this one 128."""
FORM = "1"
"""What stands for a version in the mark."""


class Owned:
    """A store over a database or a schema that is one tenant's alone.

    where: what errors call it. The mark is the name that a namespace of the tenant would have: any text can be a
    tenant's name, and not every database takes any text.
    """

    def __init__(self, store: Store, tenant: str, *, where: str) -> None:
        self.runtime: Runtime = store.runtime
        self._store = store
        self._tenant = tenant
        self._where = where
        self._is_marked = False

    @property
    def capabilities(self) -> Capabilities:
        """The store's."""
        return self._store.capabilities

    async def execute(self, op: Op[R], /) -> R:
        """The op's answer. `CrossedTenant` if the place is another tenant's."""
        if self._is_marked:
            return await self._store.execute(op)
        if not isinstance(cast("AnyOp", op), Get | Load | Scan | Aggregate):
            await self._look(writes=tables_of(op))
            return await self._store.execute(op)
        answer = await self._store.execute(op)
        if not _is_empty(answer):
            # A place without a mark is looked at each time: another tenant may write to it before this one does.
            await self._look()
        return answer

    async def existing_tables(self) -> frozenset[str]:
        """The store's."""
        return await self._store.existing_tables()

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        """As the store does, where the place is this tenant's or nobody's."""
        if not self._is_marked:
            await self._look()
        await self._store.create_tables(tables)

    def physical_name(self, table: str) -> str:
        """The store's."""
        return self._store.physical_name(table)

    async def ping(self) -> None:
        """As the store does."""
        await self._store.ping()

    async def close(self) -> None:
        """Do nothing: others use the connections."""

    async def _look(self, *, writes: tuple[str, ...] = ()) -> None:
        """See whose the place is. writes: tables that are about to be written to, which is when a mark is left."""
        found = await self._mark()
        if found is None and writes:
            # Together, for the mark's table and what comes next are missing as a rule.
            await self._store.create_tables((*writes, VERSIONS.name))
            now = datetime.now(UTC).isoformat()
            mark = {"table_name": MARK, "version": FORM, "created_at": now, WHOSE: self._own}
            try:
                await self._store.execute(Insert(table=VERSIONS.name, records=(mark,)))
            except Duplicate:
                # Somebody else was first: perhaps another process of ours, perhaps another tenant.
                found = await self._mark()
            else:
                found = self._own
        if found is None:
            return
        if found != self._own:
            raise CrossedTenant(
                f"{self._where} is another tenant's: its mark says {found!r} where {self._own!r} belongs; "
                f"give tenant {self._tenant!r} a place of its own"
            )
        self._is_marked = True

    async def _mark(self) -> str | None:
        stored = await self._store.execute(Get(table=VERSIONS.name, key=(MARK,)))
        return None if stored is None else str(stored.record[WHOSE])

    @property
    def _own(self) -> str:
        return namespace_of(self._tenant)


def _is_empty(answer: object) -> bool:
    """Whether an answer holds nothing that could be another tenant's."""
    return answer is None or (isinstance(answer, Page) and not answer.records and not answer.total)
