"""Which schema version each table was created or migrated to; one table in every database."""

from __future__ import annotations

from dbrouter.backends.kernel.tables import Column, Kind, TableSpec, TimeUnit

VERSIONS = TableSpec(
    name="versions",
    family="schema_versions",
    attribute="versions_table_name",
    default_name="agno_schema_versions",
    columns=(
        Column(name="table_name", kind=Kind.STRING, nullable=False),
        Column(name="version", kind=Kind.STRING, nullable=False),
        Column(name="created_at", kind=Kind.STRING, nullable=False, index=True),
        Column(name="updated_at", kind=Kind.STRING),
    ),
    key=("table_name",),
    time=TimeUnit.ISO,
    provisioned=True,
)

TABLES = (VERSIONS,)
