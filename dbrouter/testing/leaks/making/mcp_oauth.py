"""Clients, transactions, codes, refresh tokens and keys of MCP's OAuth."""

from __future__ import annotations

from typing import Any

from dbrouter.testing.leaks.making.hand import NOON, Calls, Hand, Makers

LATER = int(NOON.timestamp()) + 30_000
"""After most of the times at which something is stored, and before some: those sweep it away."""


def _sent(hand: Hand) -> dict[str, Any]:
    return {"expires_at": LATER, "now": hand.second()}


MAKERS: Makers = {
    **dict.fromkeys(("client_id", "txn_id", "code_hash", "token_hash"), lambda hand: hand.id()),
    "kid": lambda hand: hand.new(),
    "family_id": lambda hand: hand.few(),
    "client_metadata": lambda hand: hand.text(),
    "unconsumed_ttl": lambda hand: hand.random.choice([600, 36_000]),
    "max_clients": lambda hand: hand.random.choice([3, 100]),
    "max_pending": lambda hand: hand.random.choice([3, 100]),
    "params": lambda hand: hand.text(),
    "scopes": lambda hand: hand.text(),
    "secret": lambda hand: hand.text(),
    "created_at": lambda hand: hand.second(),
}

CALLS: Calls = {
    "store_mcp_oauth_transaction": _sent,
    "store_mcp_oauth_code": lambda hand: {**_sent(hand), "payload": hand.text()},
    "store_mcp_oauth_refresh": _sent,
}
