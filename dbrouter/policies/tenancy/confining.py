"""One tenant's rows of the tables that tenants share, as a store that seems to hold nothing else."""

from __future__ import annotations

from typing import TypeVar, cast

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.capabilities import Capabilities
from dbrouter.backends.kernel.errors import Duplicate, MissingTenant
from dbrouter.backends.kernel.ops import Op
from dbrouter.backends.kernel.running import Runtime
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.kernel.tenant_tables import TENANT
from dbrouter.policies.tenancy.checking import Checking
from dbrouter.policies.tenancy.filtering import shared
from dbrouter.policies.tenancy.rewriting import Rewriting

R = TypeVar("R")


class Confined:
    """Executes each op on the tenant's rows only, and lets no other row out.

    An op is rewritten to the shared tables with the tenant in it; what cannot be rewritten raises `Unsupported` before
    anything is sent. Each row that comes back is checked. It takes as many statements as the op on tables of one's own.
    Names are compared as they are: `a`, `A` and `a` with a NUL are three tenants.
    """

    __slots__ = ("_checking", "_rewriting", "_store", "runtime")

    runtime: Runtime

    def __init__(self, store: Store, tenant: str) -> None:
        if not tenant:
            raise MissingTenant("the rows of a shared table belong to somebody; the tenant has no name")
        self.runtime = store.runtime
        self._store = store
        self._rewriting = Rewriting(tenant)
        self._checking = Checking(tenant)

    @property
    def capabilities(self) -> Capabilities:
        """The store's."""
        return self._store.capabilities

    async def execute(self, op: Op[R], /) -> R:
        """The op's answer, as if there were no other tenant."""
        confined = self._rewriting.rewritten(op)
        try:
            answer = await self._store.execute(confined)
        except Duplicate as taken:
            taken.columns = tuple(column for column in taken.columns if column != TENANT)
            raise
        return cast("R", self._checking.checked(confined, answer))

    async def existing_tables(self) -> frozenset[str]:
        """Physical names of the shared tables that exist, whoever's rows they hold."""
        return await self._store.existing_tables() & {self.physical_name(table) for table in TABLES}

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        """Create the shared forms of these tables where they are missing."""
        await self._store.create_tables(tuple(map(shared, tables)))

    def physical_name(self, table: str) -> str:
        """What the table's shared form is called in this database."""
        return self._store.physical_name(shared(table))

    async def ping(self) -> None:
        """Return if the database answers, else raise `Unavailable`."""
        await self._store.ping()

    async def close(self) -> None:
        """Return: the connections are shared, and whoever opened the store beneath closes it."""
