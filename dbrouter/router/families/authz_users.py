"""The user directory of authorization."""

from __future__ import annotations

import json
from typing import Any

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.filters import (
    EVERYTHING,
    Comparison,
    Contains,
    Field,
    Filter,
    all_of,
    any_of,
    compare,
    eq,
    is_null,
    not_null,
)
from dbrouter.backends.kernel.merging import Record, Replace
from dbrouter.backends.kernel.ops import Aggregate, Computed, Delete, Get, Measure, Order, Scan, Upsert
from dbrouter.router.families.context import Context
from dbrouter.router.families.moments import seconds
from dbrouter.router.families.paging import from_offset, limited

USERS = "authz_users"
SPEC = TABLES[USERS]
LONGEST_SEARCH = 200
"""Characters of a text searched for; the rest is left out, as in agno."""
DAY = 24 * 60 * 60


class AuthzUsers:
    """Keeps users and whether they are disabled. Writing a profile never lifts a ban."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._now = context.now

    async def get_authz_user(self, user_id: str) -> Record | None:
        """The user, or `None` if there is none with this id."""
        stored = await self._store.execute(Get(table=USERS, key=(user_id,)))
        return None if stored is None else _shown(stored.record)

    async def list_authz_users(
        self,
        limit: int = 1000,
        offset: int = 0,
        include_disabled: bool = True,
        search: str | None = None,
        sort_by: str = "created_at",
        order: str = "desc",
    ) -> list[Record]:
        """A page of the users, newest first unless asked otherwise. Those without the sorted value come last."""
        limited(limit)
        from_offset(offset)
        column = sort_by if SPEC.has(sort_by) else "created_at"
        where = _asked(search, include_disabled=include_disabled)
        by = (Order(Field(column), descending=order != "asc"),)
        if order == "asc" or not SPEC.column(column).nullable:
            found = await self._store.execute(Scan(table=USERS, where=where, order=by, limit=limit, offset=offset))
            return [_shown(record) for record in found.records]
        # A null counts as the largest value, and so comes first in this direction; here it shall come last.
        having = all_of(where, not_null(column))
        first = await self._store.execute(
            Scan(table=USERS, where=having, order=by, limit=limit, offset=offset, total=True)
        )
        records = first.records
        if len(records) < limit:
            lacking = Scan(
                table=USERS,
                where=all_of(where, is_null(column)),
                limit=limit - len(records),
                offset=max(0, offset - (first.total or 0)),
            )
            records = records + (await self._store.execute(lacking)).records
        return [_shown(record) for record in records]

    async def count_authz_users(self, include_disabled: bool = True, search: str | None = None) -> int:
        """How many users match."""
        where = _asked(search, include_disabled=include_disabled)
        found = await self._store.execute(Scan(table=USERS, where=where, limit=0, total=True))
        return found.total or 0

    async def count_authz_users_by_status(self) -> dict[str, int]:
        """How many users there are (`total`), and how many of them are `disabled`, at one moment."""
        counted = await self._store.execute(
            Aggregate(
                table=USERS,
                by={},
                measures=(
                    Computed(name="total", measure=Measure.COUNT),
                    Computed(name="disabled", measure=Measure.COUNT, where=eq("disabled", True)),
                ),
            )
        )
        return counted.records[0] if counted.records else {"total": 0, "disabled": 0}

    async def list_authz_user_ids(self, include_disabled: bool = True) -> list[str]:
        """Every user's id, sorted."""
        found = await self._store.execute(
            Scan(
                table=USERS,
                where=_asked(None, include_disabled=include_disabled),
                order=(Order(Field("id")),),
                columns=("id",),
            )
        )
        return [record["id"] for record in found.records]

    async def count_authz_users_by_day(
        self, starting_at: int | None = None, ending_before: int | None = None
    ) -> list[dict[str, int]]:
        """Per day on which users were created, oldest first: `date` (its first second, UTC) and `count`."""
        first, end = seconds(starting_at, "starting_at"), seconds(ending_before, "ending_before")
        since = EVERYTHING if first is None else compare("created_at", Comparison.GE, first)
        until = EVERYTHING if end is None else compare("created_at", Comparison.LT, end)
        found = await self._store.execute(
            Scan(
                table=USERS,
                where=all_of(since, until),
                order=(Order(Field("created_at")),),
                columns=("created_at",),
            )
        )
        days: dict[int, int] = {}
        for record in found.records:
            day = record["created_at"] - record["created_at"] % DAY
            days[day] = days.get(day, 0) + 1
        return [{"date": day, "count": count} for day, count in days.items()]

    async def upsert_authz_user(self, user_id: str, values: dict[str, Any]) -> None:
        """Store the user; a stored one gets the given values, but for `disabled`."""
        given = {column: value for column, value in values.items() if column != "metadata"}
        if values.get("metadata") is not None:
            given["user_metadata"] = json.dumps(values["metadata"])
        rules = {column: Replace() for column in given if column != "disabled"}
        await self._store.execute(
            Upsert(table=USERS, records=({"id": user_id, **given},), rules=rules, returning=False)
        )

    async def set_authz_user_disabled(self, user_id: str, disabled: bool) -> None:
        """Disable or enable the user; one that is not known is stored with nothing but that."""
        now = self._now()
        user = {"id": user_id, "disabled": bool(disabled), "created_at": now, "updated_at": now}
        rules = {"disabled": Replace(), "updated_at": Replace()}
        await self._store.execute(Upsert(table=USERS, records=(user,), rules=rules, returning=False))

    async def delete_authz_user(self, user_id: str) -> None:
        """Delete the user, if there is one."""
        await self._store.execute(Delete(table=USERS, where=eq("id", user_id)))

    async def is_authz_user_disabled(self, user_id: str) -> bool:
        """Whether the user is disabled; one that is not known is not. Raises if the database does not answer."""
        stored = await self._store.execute(Get(table=USERS, key=(user_id,)))
        return stored is not None and bool(stored.record["disabled"])


def _asked(search: str | None, *, include_disabled: bool) -> Filter:
    enabled = EVERYTHING if include_disabled else eq("disabled", False)
    if not search:
        return enabled
    text = search[:LONGEST_SEARCH]
    return all_of(enabled, any_of(*(Contains(Field(column), text) for column in ("id", "email", "name"))))


def _shown(record: Record) -> Record:
    """The record as agno hands it out: the metadata as an object."""
    metadata = record["user_metadata"]
    rest = {column: value for column, value in record.items() if column != "user_metadata"}
    return {**rest, "metadata": json.loads(metadata) if metadata else None}
