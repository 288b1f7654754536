"""Tables that are dbrouter's own and that agno has none like. Every store serves them beside agno's."""

from __future__ import annotations

from dbrouter.backends.kernel.tables import Column, Kind, TableSpec, TimeUnit

TENANTS = TableSpec(
    name="dbrouter_tenants",
    family="dbrouter_tenants",
    attribute="dbrouter_tenants_table_name",
    default_name="dbrouter_tenants",
    columns=(
        Column(name="name", kind=Kind.STRING, nullable=False),
        # The keys of an entry of `tenants` in a configuration.
        Column(name="spec", kind=Kind.JSON, nullable=False),
        Column(name="suspended", kind=Kind.BOOLEAN, nullable=False),
        Column(name="updated_at", kind=Kind.BIGINT, nullable=False),
    ),
    key=("name",),
    time=TimeUnit.SECONDS,
)
"""Tenants that are not in the file: the catalog."""

TENANTS_TURNS = TableSpec(
    name="dbrouter_tenants_turns",
    family="dbrouter_tenants",
    attribute="dbrouter_tenants_turns_table_name",
    default_name="dbrouter_tenants_turns",
    columns=(
        Column(name="id", kind=Kind.STRING, nullable=False),
        Column(name="turns", kind=Kind.BIGINT, nullable=False),
    ),
    key=("id",),
    time=TimeUnit.NONE,
)
"""How many tenants were added to the catalog: what is right about one depends on all others."""

USAGE = TableSpec(
    name="dbrouter_usage",
    family="dbrouter_usage",
    attribute="dbrouter_usage_table_name",
    default_name="dbrouter_usage",
    columns=(
        # JSON text of [tenant, what is limited].
        Column(name="id", kind=Kind.STRING, nullable=False),
        # {"level": what is left of it, "at": seconds of the epoch}.
        Column(name="bucket", kind=Kind.JSON, nullable=False),
    ),
    key=("id",),
    time=TimeUnit.NONE,
)
"""What tenants have used of rates that all processes share."""

OWN_TABLES: dict[str, TableSpec] = {table.name: table for table in (TENANTS, TENANTS_TURNS, USAGE)}
"""Spec name -> spec."""
