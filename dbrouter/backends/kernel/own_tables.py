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

OWN_TABLES: dict[str, TableSpec] = {table.name: table for table in (TENANTS,)}
"""Spec name -> spec."""
