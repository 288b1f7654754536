"""An `AsyncBaseDb` over an awaited store."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from dbrouter.backends.kernel.store import Store
from dbrouter.policies.trace_buffer import DEFAULT_LIMITS, BufferLimits
from dbrouter.router.databases import Database
from dbrouter.router.faces.assembly import assembled
from dbrouter.router.families.context import OnConflict
from dbrouter.router.threaded import awaited
from dbrouter.router.wiring import Wired, Wiring

if TYPE_CHECKING:
    # An instance is of a class that has the faces of its families; a type checker sees them all.
    from dbrouter.router.faces.async_all import EveryAsyncFace as AsyncFace
else:
    from dbrouter.router.faces.face import AsyncFace


class AsyncDb(Wired, AsyncFace):
    """agno's async interface over a store. A blocking store runs on a bounded pool of threads."""

    def __new__(cls, *_: Any, **given: Any) -> Self:
        """An instance of this class with the faces of the families that it serves."""
        return super().__new__(assembled(cls, given.get("serves")))

    def __init__(
        self,
        store: Store,
        *,
        id: str | None = None,  # noqa: A002 - agno's name
        serves: Collection[str] | None = None,  # noqa: ARG002 - read by __new__
        databases: Collection[Database] | None = None,
        on_conflict: OnConflict = "merge",
        traces: BufferLimits | None = DEFAULT_LIMITS,
    ) -> None:
        """Wire a db over a store that answers for all of `databases`; without them, it is the only one.

        serves: the families; all there are if `None`. on_conflict: what becomes of session state that two writers
        changed in different ways. traces: how they are written behind; at once if `None`.
        """
        held = databases and [replace(each, store=awaited(each.store)) for each in databases]
        wiring = Wiring.over(
            awaited(store), serves=self._serves, id_=id, databases=held, on_conflict=on_conflict, traces=traces
        )
        super().__init__(id=wiring.id)
        self._wire(wiring)

    async def table_exists(self, table_name: str) -> bool:
        """Whether a table of this physical name exists, in any database it belongs in."""
        return await self._wiring.databases.table_exists(table_name)

    async def get_latest_schema_version(self, table_name: str) -> str:
        """The version stamped on this table in the database it belongs in, or "2.0.0" if none is."""
        return await self._wiring.databases.stamping(table_name).get_latest_schema_version(table_name)

    async def upsert_schema_version(self, table_name: str, version: str) -> None:
        """Stamp this table in the database it belongs in."""
        await self._wiring.databases.stamping(table_name).upsert_schema_version(table_name, version)

    async def close(self) -> None:
        """Close every store, once. The db may be used again afterwards."""
        await self._wiring.close()

    async def _create_all_tables(self) -> None:
        """Create in every database the tables that agno creates at start."""
        await self._wiring.databases.create_tables()
