"""What the built-in OAuth server for MCP remembers: clients, pending authorizations, codes, refresh tokens and keys.

Codes and tokens arrive hashed. What may be used once is used by whoever deletes it: one caller of many.
"""

from __future__ import annotations

from dbrouter.backends.kernel.errors import Duplicate
from dbrouter.backends.kernel.filters import Comparison, Field, all_of, compare, eq, is_null, one_of
from dbrouter.backends.kernel.ops import Delete, Get, Insert, Order, Scan, Update
from dbrouter.router.families.context import Context

CLIENTS = "mcp_oauth_clients"
TRANSACTIONS = "mcp_oauth_transactions"
CODES = "mcp_oauth_codes"
REFRESH_TOKENS = "mcp_oauth_refresh_tokens"
KEYS = "mcp_oauth_keys"
UNUSED = is_null("consumed_at")
SOONEST_FIRST = (Order(Field("expires_at")),)
NEWEST_FIRST = (Order(Field("created_at"), descending=True),)


class McpOauth:
    """Keeps clients, authorizations, codes, tokens and keys. Times are epoch seconds."""

    def __init__(self, context: Context) -> None:
        self._store = context.store

    async def get_mcp_oauth_client(self, client_id: str) -> str | None:
        """What the client said of itself, as JSON text; `None` if it is not known."""
        stored = await self._store.execute(Get(table=CLIENTS, key=(client_id,)))
        return None if stored is None else stored.record["client_metadata"]

    async def create_mcp_oauth_client(
        self, *, client_id: str, client_metadata: str, now: int, unconsumed_ttl: int, max_clients: int
    ) -> bool:
        """Whether the client was registered; not if `max_clients` that were never used are there already.

        Those that were not used within `unconsumed_ttl` seconds go first. Used ones stay and do not count.
        """
        stale = compare("created_at", Comparison.LT, now - unconsumed_ttl)
        await self._store.execute(Delete(table=CLIENTS, where=all_of(UNUSED, stale)))
        unused = await self._store.execute(Scan(table=CLIENTS, where=UNUSED, limit=0, total=True))
        if (unused.total or 0) >= max_clients:
            return False
        client = {
            "client_id": client_id,
            "client_metadata": client_metadata,
            "created_at": now,
            "consumed_at": None,
        }
        await self._store.execute(Insert(table=CLIENTS, records=(client,)))
        return True

    async def mark_mcp_oauth_client_consumed(self, client_id: str, now: int) -> None:
        """Note when the client was first used."""
        await self._store.execute(
            Update(
                table=CLIENTS,
                where=all_of(eq("client_id", client_id), UNUSED),
                changes={"consumed_at": now},
                returning=False,
            )
        )

    async def store_mcp_oauth_transaction(
        self, *, txn_id: str, client_id: str, params: str, expires_at: int, now: int, max_pending: int
    ) -> None:
        """Store a pending authorization. Expired ones go, and the oldest beyond `max_pending`."""
        await self._sweep(TRANSACTIONS, now)
        pending = await self._store.execute(Scan(table=TRANSACTIONS, limit=0, total=True))
        overflow = (pending.total or 0) - (max_pending - 1)
        if overflow > 0:
            oldest = await self._store.execute(
                Scan(table=TRANSACTIONS, order=SOONEST_FIRST, limit=overflow, columns=("txn_id",))
            )
            ids = [record["txn_id"] for record in oldest.records]
            await self._store.execute(Delete(table=TRANSACTIONS, where=one_of("txn_id", ids)))
        record = {"txn_id": txn_id, "client_id": client_id, "params": params, "expires_at": expires_at}
        await self._store.execute(Insert(table=TRANSACTIONS, records=(record,)))

    async def get_mcp_oauth_transaction(self, txn_id: str) -> tuple[str, int] | None:
        """The authorization's parameters and when it expires, expired or not; `None` if there is none."""
        stored = await self._store.execute(Get(table=TRANSACTIONS, key=(txn_id,)))
        return None if stored is None else (stored.record["params"], stored.record["expires_at"])

    async def consume_mcp_oauth_transaction(self, txn_id: str, now: int) -> tuple[str, int] | None:
        """As above, for the one caller who uses it up; `None` for all others, and if it has expired."""
        found = await self.get_mcp_oauth_transaction(txn_id)
        if found is None or found[1] < now:
            return None
        return found if await self._used_up(TRANSACTIONS, "txn_id", txn_id) else None

    async def store_mcp_oauth_code(self, *, code_hash: str, payload: str, expires_at: int, now: int) -> None:
        """Store a code. Expired ones go."""
        await self._sweep(CODES, now)
        record = {"code_hash": code_hash, "payload": payload, "expires_at": expires_at}
        await self._store.execute(Insert(table=CODES, records=(record,)))

    async def get_mcp_oauth_code(self, code_hash: str) -> tuple[str, int] | None:
        """The code's payload and when it expires, expired or not; `None` if there is none."""
        stored = await self._store.execute(Get(table=CODES, key=(code_hash,)))
        return None if stored is None else (stored.record["payload"], stored.record["expires_at"])

    async def delete_mcp_oauth_code(self, code_hash: str) -> bool:
        """Whether this call used the code up."""
        return await self._used_up(CODES, "code_hash", code_hash)

    async def store_mcp_oauth_refresh(
        self, *, token_hash: str, client_id: str, scopes: str, expires_at: int, now: int, family_id: str
    ) -> None:
        """Store a refresh token of a family. Expired ones go."""
        await self._sweep(REFRESH_TOKENS, now)
        record = {
            "token_hash": token_hash,
            "client_id": client_id,
            "scopes": scopes,
            "expires_at": expires_at,
            "family_id": family_id,
        }
        await self._store.execute(Insert(table=REFRESH_TOKENS, records=(record,)))

    async def get_mcp_oauth_refresh(self, token_hash: str) -> tuple[str, str, int] | None:
        """The token's client, scopes and expiry, expired or not; `None` if there is none."""
        stored = await self._store.execute(Get(table=REFRESH_TOKENS, key=(token_hash,)))
        if stored is None:
            return None
        return stored.record["client_id"], stored.record["scopes"], stored.record["expires_at"]

    async def delete_mcp_oauth_refresh(self, token_hash: str) -> bool:
        """Whether this call used the token up."""
        return await self._used_up(REFRESH_TOKENS, "token_hash", token_hash)

    async def delete_mcp_oauth_refresh_family(self, family_id: str) -> int:
        """How many tokens of the family were revoked."""
        return await self._store.execute(Delete(table=REFRESH_TOKENS, where=eq("family_id", family_id)))

    async def get_mcp_oauth_keys(self) -> list[tuple[str, str]]:
        """Every signing key as (id, secret), newest first."""
        found = await self._store.execute(Scan(table=KEYS, order=NEWEST_FIRST, columns=("kid", "secret")))
        return [(record["kid"], record["secret"]) for record in found.records]

    async def insert_mcp_oauth_key(self, *, kid: str, secret: str, created_at: int) -> bool:
        """Whether the key was stored; not if there is one of this id."""
        key = {"kid": kid, "secret": secret, "created_at": created_at}
        try:
            await self._store.execute(Insert(table=KEYS, records=(key,)))
        except Duplicate:
            return False
        return True

    async def _sweep(self, table: str, now: int) -> None:
        await self._store.execute(Delete(table=table, where=compare("expires_at", Comparison.LT, now)))

    async def _used_up(self, table: str, column: str, value: str) -> bool:
        return await self._store.execute(Delete(table=table, where=eq(column, value))) == 1
