"""The trail of authorization: what was changed, and what was decided."""

from __future__ import annotations

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.filters import EVERYTHING, Contains, Field, Filter, any_of
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Order, Scan, Upsert
from dbrouter.router.families.context import Context
from dbrouter.router.families.paging import from_offset, limited

CHANGES = "authz_audit"
DECISIONS = "authz_decisions"
SEARCHED = ("actor", "action", "target")
LONGEST_SEARCH = 200


class AuthzAudit:
    """Appends events and reads them. An event is written once; the same id again changes nothing."""

    def __init__(self, context: Context) -> None:
        self._store = context.store

    async def record_authz_audit_event(self, values: Record) -> None:
        """Append a change."""
        await self._store.execute(Upsert(table=CHANGES, records=(values,), returning=False))

    async def record_authz_decision(self, values: Record) -> None:
        """Append a decision."""
        await self._store.execute(Upsert(table=DECISIONS, records=(values,), returning=False))

    async def read_authz_audit_events(
        self,
        limit: int = 100,
        offset: int = 0,
        search: str | None = None,
        sort_by: str = "created_at",
        order: str = "desc",
        decisions: bool = False,
    ) -> list[Record]:
        """A page of the changes, or of the decisions, newest first unless asked otherwise."""
        table = DECISIONS if decisions else CHANGES
        column = Field(sort_by if TABLES[table].has(sort_by) else "created_at")
        found = await self._store.execute(
            Scan(
                table=table,
                where=_asked(search),
                order=(Order(column, descending=order.lower() == "desc"),),
                limit=limited(limit),
                offset=from_offset(offset),
            )
        )
        return found.records

    async def count_authz_audit_events(self, search: str | None = None, decisions: bool = False) -> int:
        """How many changes, or decisions, match."""
        table = DECISIONS if decisions else CHANGES
        found = await self._store.execute(Scan(table=table, where=_asked(search), limit=0, total=True))
        return found.total or 0


def _asked(search: str | None) -> Filter:
    if not search:
        return EVERYTHING
    return any_of(*(Contains(Field(column), search[:LONGEST_SEARCH]) for column in SEARCHED))
