"""An `AsyncBaseDb` over an awaited store."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from dbrouter.backends.kernel.store import Store
from dbrouter.policies.trace_buffer import DEFAULT_LIMITS, BufferLimits
from dbrouter.router.any_agno.delegating import AgnoDatabases
from dbrouter.router.databases import Database
from dbrouter.router.faces.assembly import UNAWAITED, assembled
from dbrouter.router.families.context import OnConflict
from dbrouter.router.families.programs import Programs
from dbrouter.router.migrations.standing import Standing
from dbrouter.router.routes import COMMITTING
from dbrouter.router.threaded import awaited
from dbrouter.router.wiring import Wired, Wiring

if TYPE_CHECKING:
    # An instance is of a class that has the faces of its families; a type checker sees them all.
    from dbrouter.router.faces.async_all import EveryAsyncFace as AsyncFace
    from dbrouter.router.opening import Opened
else:
    from dbrouter.router.faces.face import AsyncFace


class AsyncDb(Wired, AsyncFace):
    """agno's async interface over a store. A blocking store runs on a bounded pool of threads."""

    def __new__(cls, *_: Any, **given: Any) -> Self:
        """An instance of this class with the faces of the families that it serves."""
        agno: AgnoDatabases | None = given.get("agno")
        return super().__new__(assembled(cls, given.get("serves"), frozenset() if agno is None else agno.without))

    def __init__(
        self,
        store: Store,
        *,
        id: str | None = None,  # noqa: A002 - agno's name
        serves: Collection[str] | None = None,  # noqa: ARG002 - read by __new__
        databases: Collection[Database] | None = None,
        on_conflict: OnConflict = "merge",
        traces: BufferLimits | None = DEFAULT_LIMITS,
        agno: AgnoDatabases | None = None,
        blocking: Callable[[], Opened] | None = None,
    ) -> None:
        """Wire a db over a store that answers for all of `databases`; without them, it is the only one.

        serves: the families; all there are if `None`. on_conflict: what becomes of session state that two writers
        changed in different ways. traces: how they are written behind; at once if `None`. agno: those of the databases
        that are agno's own. blocking: opens the same databases on blocking connections, for what agno calls without
        awaiting it; without, the db has no such methods, and agno sees that.
        """
        without = frozenset[str]() if agno is None else agno.without
        if blocking is None:
            without |= UNAWAITED
        commits = databases is not None or store.capabilities.commits
        if blocking is None or not commits:
            self.__class__ = assembled(type(self), self._serves if commits else self._serves - COMMITTING, without)
        held = databases and [replace(each, store=awaited(each.store)) for each in databases]
        wiring = Wiring.over(
            awaited(store),
            serves=self._serves,
            id_=id,
            databases=held,
            on_conflict=on_conflict,
            traces=traces,
            agno=agno,
            blocking=blocking,
        )
        super().__init__(id=wiring.id)
        self._wire(wiring)
        self._standing = Standing(wiring)

    @property
    def _blocking(self) -> Programs:
        view = self._wiring.blocking
        if view is None:
            # Its class has no methods that come here; agno's own error, for who calls one past the class.
            raise NotImplementedError(f"{type(self).__name__} has no blocking connections; make it from an address")
        return view.programs

    async def table_exists(self, table_name: str) -> bool:
        """Whether a table of this physical name exists, in any database it belongs in."""
        return await self._wiring.databases.table_exists(table_name)

    async def get_latest_schema_version(self, table_name: str) -> str:
        """The version stamped on this table, or "2.0.0" if none is or a database is of an older shape all the same."""
        return await self._standing.version(table_name)

    async def upsert_schema_version(self, table_name: str, version: str) -> None:
        """Stamp this table; for a version of today, bring every database to it first."""
        await self._standing.stamp(table_name, version)

    async def close(self) -> None:
        """Close every store, once. The db may be used again afterwards."""
        for each in self._engines:
            await each.dispose()
        await self._wiring.close()

    async def _create_all_tables(self) -> None:
        """Create in every database the tables that agno creates at start."""
        await self._wiring.databases.create_tables()
