"""A `BaseDb` over a blocking store."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Self

from dbrouter.backends.kernel.errors import ConfigError
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.policies.trace_buffer import DEFAULT_LIMITS, BufferLimits
from dbrouter.router.any_agno.delegating import AgnoDatabases
from dbrouter.router.databases import Database
from dbrouter.router.faces.assembly import assembled
from dbrouter.router.families.context import OnConflict
from dbrouter.router.migrations.standing import Standing
from dbrouter.router.routes import COMMITTING
from dbrouter.router.wiring import Wired, Wiring

if TYPE_CHECKING:
    # An instance is of a class that has the faces of its families; a type checker sees them all.
    from dbrouter.router.faces.sync_all import EverySyncFace as SyncFace
else:
    from dbrouter.router.faces.face import SyncFace


class SyncDb(Wired, SyncFace):
    """agno's interface over a blocking store. As thread-safe as the store; all of ours are."""

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
    ) -> None:
        """Wire a db over a store that answers for all of `databases`; without them, it is the only one.

        serves: the families; all there are if `None`. on_conflict: what becomes of session state that two writers
        changed in different ways. traces: how they are written behind; at once if `None`. agno: those of the databases
        that are agno's own.
        """
        if not store.runtime.blocking:
            raise ConfigError(
                f"{type(store).__name__} must be awaited and {type(self).__name__} is for blocking code; "
                f"use Async{type(self).__name__}"
            )
        if databases is None and not store.capabilities.commits:
            without = frozenset[str]() if agno is None else agno.without
            self.__class__ = assembled(type(self), self._serves - COMMITTING, without)
        wiring = Wiring.over(
            store, serves=self._serves, id_=id, databases=databases, on_conflict=on_conflict, traces=traces, agno=agno
        )
        super().__init__(id=wiring.id)
        self._wire(wiring)
        self._standing = Standing(wiring)

    def table_exists(self, table_name: str) -> bool:
        """Whether a table of this physical name exists, in any database it belongs in."""
        return finish(self._wiring.databases.table_exists(table_name))

    def get_latest_schema_version(self, table_name: str) -> str:
        """The version stamped on this table, or "2.0.0" if none is or a database is of an older shape all the same."""
        return finish(self._standing.version(table_name))

    def upsert_schema_version(self, table_name: str, version: str) -> None:
        """Stamp this table; for a version of today, bring every database to it first."""
        finish(self._standing.stamp(table_name, version))

    def close(self) -> None:
        """Close every store, once. The db may be used again afterwards."""
        for each in self._engines:
            each.dispose()
        finish(self._wiring.close())

    def _create_all_tables(self) -> None:
        """Create in every database the tables that agno creates at start."""
        finish(self._wiring.databases.create_tables())
