"""A store over an object of agno's: answers calls, and the few ops that the router itself has for it."""

from __future__ import annotations

from typing import Any, TypeVar, cast

from dbrouter.backends.kernel.capabilities import Capabilities
from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.errors import Unsupported
from dbrouter.backends.kernel.ops import Aggregate, Batch, Get, Op, Scan, Stored, Upsert, tables_of
from dbrouter.backends.kernel.running import AsyncRuntime, BlockingRuntime, Runtime
from dbrouter.router.any_agno.call import Call
from dbrouter.router.any_agno.counting import asks_how_many, counted
from dbrouter.router.any_agno.families import verdict
from dbrouter.router.any_agno.implemented import is_asynchronous
from dbrouter.router.any_agno.looking_up import asks_where, looked_up
from dbrouter.router.any_agno.methods import Methods
from dbrouter.router.any_agno.session_rows import READABLE, SessionRows
from dbrouter.router.any_agno.trace_writing import WRITTEN, write_traces

R = TypeVar("R")

VERSIONS = "versions"


class AgnoStore:
    """A database that is an object of a class of agno's.

    It answers `Call`. Of ops it answers those that no call stands for: traces that are written behind, where a record
    is, and sessions read for metrics. Everything else is refused.
    """

    def __init__(self, methods: Methods) -> None:
        self.methods = methods
        self.cls = methods.instances.cls
        self.runtime: Runtime = AsyncRuntime() if is_asynchronous(self.cls) else BlockingRuntime()
        self._sessions = Emulated(SessionRows(methods, self.runtime))

    @property
    def capabilities(self) -> Capabilities:
        """None: it is asked by methods."""
        return Capabilities()

    async def execute(self, op: Op[R], /) -> R:
        """The class's answer."""
        if isinstance(op, Call):
            return cast("R", await self.methods.call(op))
        return cast("R", await self._answered(op))

    async def _answered(self, op: Op[Any]) -> Any:
        tables = tables_of(op)
        if isinstance(op, Batch | Upsert) and WRITTEN.issuperset(tables):
            return await write_traces(self.methods, op.upserts if isinstance(op, Batch) else (op,))
        if isinstance(op, Scan) and asks_where(op):
            return await looked_up(self.methods, op)
        if isinstance(op, Scan) and asks_how_many(op) and (page := await counted(self.methods, op)) is not None:
            return page
        if isinstance(op, Scan | Aggregate) and op.table in READABLE and verdict(self.cls, "sessions").served:
            return await self._sessions.execute(op)
        if isinstance(op, Get | Upsert) and op.table == VERSIONS:
            return await self._stamp(op)
        raise Unsupported(
            f"{self.methods.instances.name}: {type(op).__name__} of {tables[0]} cannot be asked of "
            f"{self.cls.__name__}, which knows agno's methods only; send what needs it to another database"
        )

    async def _stamp(self, op: Get | Upsert) -> Any:
        if isinstance(op, Get):
            version = await self.methods.plainly("get_latest_schema_version", *op.key)
            return None if version is None else Stored({"table_name": op.key[0], "version": version}, version)
        for record in op.records:
            await self.methods.plainly("upsert_schema_version", record["table_name"], record["version"])
        return []

    async def existing_tables(self) -> frozenset[str]:
        """The names of the tables that there are, as far as the class can tell."""
        return await self.methods.tables()

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        """Have the class create its tables; one that does so with the first write does nothing here."""
        del tables
        await self.methods.plainly("_create_all_tables")

    def physical_name(self, table: str) -> str:
        """What the class calls the table."""
        return self.methods.instances.table_name(table)

    async def ping(self) -> None:
        """Return if the database answers."""
        await self.methods.ping()

    async def close(self) -> None:
        """Have the class close what it opened. The store may be used again afterwards."""
        await self.methods.instances.close()
        if isinstance(self.runtime, BlockingRuntime):
            self.runtime.close()
