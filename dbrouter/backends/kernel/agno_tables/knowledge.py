"""The catalogue of knowledge contents (vectors live in a vector store, not here)."""

from __future__ import annotations

from dbrouter.backends.kernel.tables import Column, Index, Kind, TableSpec

KNOWLEDGE = TableSpec(
    name="knowledge",
    family="knowledge",
    attribute="knowledge_table_name",
    default_name="agno_knowledge",
    columns=(
        Column(name="id", kind=Kind.STRING, nullable=False),
        Column(name="name", kind=Kind.STRING, nullable=False),
        Column(name="description", kind=Kind.NOTE, nullable=False),
        Column(name="metadata", kind=Kind.JSON),
        Column(name="type", kind=Kind.STRING),
        Column(name="size", kind=Kind.BIGINT),
        Column(name="linked_to", kind=Kind.STRING),
        Column(name="access_count", kind=Kind.BIGINT),
        Column(name="status", kind=Kind.STRING),
        Column(name="status_message", kind=Kind.NOTE),
        Column(name="created_at", kind=Kind.BIGINT),
        Column(name="updated_at", kind=Kind.BIGINT),
        Column(name="external_id", kind=Kind.STRING),
        Column(name="user_id", kind=Kind.STRING, index=True),
    ),
    key=("id",),
    indexes=(
        Index(
            columns=(
                "user_id",
                "linked_to",
            )
        ),
    ),
    owner="user_id",
    provisioned=True,
)

TABLES = (KNOWLEDGE,)
