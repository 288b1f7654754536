"""Where the results of tools are that were too long for a conversation; their text is in a file system."""

from __future__ import annotations

from dbrouter.backends.kernel.filters import Comparison, Field, compare, eq, one_of
from dbrouter.backends.kernel.merging import Record, Replace
from dbrouter.backends.kernel.ops import Delete, Get, Order, Scan, Upsert
from dbrouter.router.families.context import Context
from dbrouter.router.families.paging import limited

TOOL_RESULTS = "tool_results"
NEWEST_FIRST = (Order(Field("created_at"), descending=True), Order(Field("result_id")))


class ToolResults:
    """Keeps the entries of offloaded tool results."""

    def __init__(self, context: Context) -> None:
        self._store = context.store

    async def upsert_tool_result(self, row: Record) -> None:
        """Store the entry; a stored one of this id gets every given column."""
        rules = {column: Replace() for column in row if column != "result_id"}
        await self._store.execute(Upsert(table=TOOL_RESULTS, records=(row,), rules=rules, returning=False))

    async def get_tool_result(self, result_id: str) -> Record | None:
        """The entry, or `None` if there is none with this id."""
        stored = await self._store.execute(Get(table=TOOL_RESULTS, key=(result_id,)))
        return None if stored is None else stored.record

    async def get_tool_results_for_session(self, session_id: str, limit: int | None = None) -> list[Record]:
        """The session's entries, newest first."""
        found = await self._store.execute(
            Scan(table=TOOL_RESULTS, where=eq("session_id", session_id), order=NEWEST_FIRST, limit=limited(limit))
        )
        return found.records

    async def delete_tool_results(self, result_ids: list[str]) -> int:
        """How many of these were there to delete."""
        if not result_ids:
            return 0
        return await self._store.execute(Delete(table=TOOL_RESULTS, where=one_of("result_id", result_ids)))

    async def get_expired_tool_results(self, now: int) -> list[Record]:
        """The entries that were to be kept until `now`, in epoch seconds, or less long."""
        found = await self._store.execute(Scan(table=TOOL_RESULTS, where=compare("expires_at", Comparison.LE, now)))
        return found.records
