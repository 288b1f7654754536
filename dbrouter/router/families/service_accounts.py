"""Accounts of programs, which call AgentOS with a token of their own.

Nothing here answers empty for a failure: an outage that read as "no such token" would let nobody in, one that read as
"not revoked" somebody too many.
"""

from __future__ import annotations

from typing import Any

from dbrouter.backends.kernel.filters import EVERYTHING, Field, Filter, all_of, any_of, eq, is_null
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Delete, Get, Insert, Order, Scan, Update
from dbrouter.router.agno_types import resolve_service_account_sort_column, validate_service_account_update
from dbrouter.router.families.context import Context
from dbrouter.router.families.paging import offset_of

SERVICE_ACCOUNTS = "service_accounts"
NEWEST_FIRST = (Order(Field("created_at"), descending=True),)


class ServiceAccounts:
    """Creates, finds and revokes service accounts."""

    def __init__(self, context: Context) -> None:
        self._store = context.store

    async def create_service_account(self, account_data: Record) -> Record:
        """The given columns. A taken id or token, or the name of an account that is not revoked, raises `Duplicate`."""
        await self._store.execute(Insert(table=SERVICE_ACCOUNTS, records=(account_data,)))
        return account_data

    async def get_service_account(self, service_account_id: str, user_id: str | None = None) -> Record | None:
        """The account, or `None`. With a user, only one that is theirs or nobody's."""
        stored = await self._store.execute(
            Get(table=SERVICE_ACCOUNTS, key=(service_account_id,), where=_visible(user_id))
        )
        return None if stored is None else stored.record

    async def get_service_account_by_token_hash(self, token_hash: str) -> Record | None:
        """The account with this token, or `None`, also a revoked one. Raises if the database does not answer."""
        found = await self._store.execute(Scan(table=SERVICE_ACCOUNTS, where=eq("token_hash", token_hash), limit=1))
        return found.records[0] if found.records else None

    async def get_service_account_by_name(self, name: str, include_revoked: bool = False) -> Record | None:
        """The newest account of this name, or `None`."""
        where = all_of(eq("name", name), EVERYTHING if include_revoked else is_null("revoked_at"))
        found = await self._store.execute(Scan(table=SERVICE_ACCOUNTS, where=where, order=NEWEST_FIRST, limit=1))
        return found.records[0] if found.records else None

    async def get_service_accounts(
        self,
        include_revoked: bool = True,
        limit: int = 20,
        page: int = 1,
        sort_by: str = "created_at",
        sort_order: str = "desc",
        user_id: str | None = None,
    ) -> tuple[list[Record], int]:
        """One page of the accounts, newest first unless asked otherwise, and how many there are in all.

        A user sees their own and those that are nobody's.
        """
        where = all_of(_visible(user_id), EVERYTHING if include_revoked else is_null("revoked_at"))
        column = Field(resolve_service_account_sort_column(sort_by))
        found = await self._store.execute(
            Scan(
                table=SERVICE_ACCOUNTS,
                where=where,
                order=(Order(column, descending=sort_order != "asc"),),
                limit=limit,
                offset=offset_of(limit, page),
                total=True,
            )
        )
        return found.records, found.total or 0

    async def update_service_account(
        self, service_account_id: str, return_record: bool = True, **kwargs: Any
    ) -> Record | None:
        """The account as it is now, or `None` if there is none or the record is not asked for.

        Only `last_used_at` and `revoked_at` can change, and a revocation stays: anything else raises `ValueError`.
        """
        validate_service_account_update(kwargs)
        changed = await self._store.execute(
            Update(
                table=SERVICE_ACCOUNTS,
                where=eq("id", service_account_id),
                changes=kwargs,
                returning=return_record,
            )
        )
        return changed[0] if changed and return_record else None

    async def delete_service_account(self, service_account_id: str) -> bool:
        """Whether there was such an account to delete."""
        return await self._store.execute(Delete(table=SERVICE_ACCOUNTS, where=eq("id", service_account_id))) > 0


def _visible(user_id: str | None) -> Filter:
    return EVERYTHING if user_id is None else any_of(eq("user_id", user_id), is_null("user_id"))
