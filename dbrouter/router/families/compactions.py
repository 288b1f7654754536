"""What was folded away from a conversation that grew too long: a summary, and the messages it stands for."""

from __future__ import annotations

from collections.abc import Sequence

from dbrouter.backends.kernel.filters import Contains, Field, all_of, any_of, eq
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Delete, Get, Order, Scan, Upsert
from dbrouter.router.families.context import Context
from dbrouter.router.families.paging import limited

COMPACTIONS = "compactions"
NEWEST_FIRST = (Order(Field("created_at"), descending=True),)


class Compactions:
    """Keeps what was folded. A record never changes."""

    def __init__(self, context: Context) -> None:
        self._store = context.store

    async def upsert_compaction(self, row: Record) -> None:
        """Store the record; a stored one of this id stays as it is."""
        await self._store.execute(Upsert(table=COMPACTIONS, records=(row,), returning=False))

    async def get_compaction(self, compaction_id: str) -> Record | None:
        """The record, or `None` if there is none with this id."""
        stored = await self._store.execute(Get(table=COMPACTIONS, key=(compaction_id,)))
        return None if stored is None else stored.record

    async def get_compactions_for_session(self, session_id: str, limit: int | None = None) -> list[Record]:
        """The session's records, newest first."""
        found = await self._store.execute(
            Scan(table=COMPACTIONS, where=eq("session_id", session_id), order=NEWEST_FIRST, limit=limited(limit))
        )
        return found.records

    async def delete_compactions_for_session(self, session_id: str) -> int:
        """How many the session had."""
        return await self._store.execute(Delete(table=COMPACTIONS, where=eq("session_id", session_id)))

    async def search_compactions(self, session_id: str, query: str | Sequence[str], limit: int = 10) -> list[Record]:
        """The session's records whose messages hold any of these texts, ignoring case; newest first."""
        terms = [term for term in ([query] if isinstance(query, str) else query) if term]
        if not terms:
            return []
        held = any_of(*(Contains(Field("archived_messages"), term) for term in terms))
        found = await self._store.execute(
            Scan(
                table=COMPACTIONS,
                where=all_of(eq("session_id", session_id), held),
                order=NEWEST_FIRST,
                limit=limited(limit),
            )
        )
        return found.records
