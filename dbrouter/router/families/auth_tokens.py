"""Tokens that agents hold for their users at other services."""

from __future__ import annotations

from uuid import uuid4

from dbrouter.backends.kernel.filters import Filter, all_of, eq
from dbrouter.backends.kernel.merging import Record, Replace
from dbrouter.backends.kernel.ops import Delete, Scan, Upsert
from dbrouter.router.families.context import Context

AUTH_TOKENS = "auth_tokens"
NAMED_BY = ("provider", "user_id", "service")
ON_CONFLICT = {"token_data": Replace(), "granted_scopes": Replace(), "updated_at": Replace()}
NOBODY = ""
"""The user of a token that is nobody's: the column takes no null."""


class AuthTokens:
    """Keeps one token for each provider, user and service."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._now = context.now

    async def get_auth_token(self, provider: str, user_id: str | None, service: str) -> Record | None:
        """The token, or `None` if there is none."""
        found = await self._store.execute(Scan(table=AUTH_TOKENS, where=_named(provider, user_id, service), limit=1))
        return found.records[0] if found.records else None

    async def upsert_auth_token(self, token: Record) -> Record:
        """The given columns with those that were added. A stored token keeps its id and `created_at`."""
        now = self._now()
        record = {"created_at": now, **token, "id": str(uuid4()), "user_id": token.get("user_id") or NOBODY}
        record["updated_at"] = now
        await self._store.execute(
            Upsert(table=AUTH_TOKENS, records=(record,), rules=ON_CONFLICT, on=NAMED_BY, returning=False)
        )
        return record

    async def delete_auth_token(self, provider: str, user_id: str | None, service: str) -> bool:
        """Whether there was such a token to delete."""
        return await self._store.execute(Delete(table=AUTH_TOKENS, where=_named(provider, user_id, service))) > 0


def _named(provider: str, user_id: str | None, service: str) -> Filter:
    return all_of(eq("provider", provider), eq("user_id", user_id or NOBODY), eq("service", service))
