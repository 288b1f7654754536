"""Names and ids that an attacker would choose."""

from __future__ import annotations

HOSTILE_TENANTS: tuple[str, ...] = (
    "acme",
    "Acme",
    "acme ",
    "acme\x00",
    "acme/b",
    "acme:b",
    "a",
    "a\x00b",
    "ac",
    "acme' OR '1'='1",
    'acme"; DROP SCHEMA public CASCADE; --',
    "acme%",
    "acm_",
    "*",
    "NULL",
    "tenant_acme",
    "tenants.acme",
    "café",
    "cafe\u0301",
    "асме",  # Cyrillic, looks like the first one
    "\ud800",
    "{tenant}",
    "$.acme",
    "../acme",
    "x" * 300,
)
"""Prefixes of each other, separators, SQL and JSON paths, patterns, look-alikes, normal forms, a lone surrogate."""

HOSTILE_IDS: tuple[str, ...] = (
    "s1",
    "S1",
    "s1 ",
    "a/b",
    "a\x00",
    "a",
    "' OR 1=1 --",
    "%",
    "_",
    "$.session_data",
    "acme",
    "\udfff",
    "é",
    "e\u0301",
)
"""Ids that all tenants use, so that every id of one is an id of the others too."""

USERS: tuple[str, ...] = ("ann", "bob", "' OR 1=1 --", "a\x00")
"""Users that all tenants have. Few, so that most calls are by the owner of what they touch."""


def tenants(count: int) -> tuple[str, ...]:
    """So many different names: the hostile ones first, except those that mean something in a configuration."""
    hostile = [name for name in HOSTILE_TENANTS if name != "*"]
    return tuple((hostile + [f"tenant-{number}" for number in range(count)])[:count])
