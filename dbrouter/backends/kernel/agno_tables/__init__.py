"""Every table of agno 3.1.10 as a `TableSpec`, one module a family, and the turns of some.

A test compares them with agno's own schemas.
"""

from __future__ import annotations

from dbrouter.backends.kernel.agno_tables import (
    approvals,
    auth_tokens,
    authz,
    company,
    components,
    evals,
    jobs,
    knowledge,
    learnings,
    mcp_oauth,
    memories,
    metrics,
    schedules,
    schema_versions,
    service_accounts,
    sessions,
    traces,
    turns,
)
from dbrouter.backends.kernel.tables import TableSpec

TABLES: dict[str, TableSpec] = {
    table.name: table
    for family in (
        schema_versions,
        sessions,
        memories,
        knowledge,
        evals,
        metrics,
        traces,
        approvals,
        schedules,
        learnings,
        components,
        company,
        jobs,
        auth_tokens,
        service_accounts,
        mcp_oauth,
        authz,
        turns,
    )
    for table in family.TABLES
}
"""Spec name -> spec."""

FAMILIES: tuple[str, ...] = tuple(dict.fromkeys(table.family for table in TABLES.values()))
"""Family names: what a configuration routes."""
