"""What agents remember about users."""

from __future__ import annotations

from dbrouter.backends.kernel.tables import Column, Index, Kind, TableSpec

MEMORIES = TableSpec(
    name="memories",
    family="memories",
    attribute="memory_table_name",
    default_name="agno_memories",
    columns=(
        Column(name="memory_id", kind=Kind.STRING, nullable=False),
        Column(name="memory", kind=Kind.JSON, nullable=False),
        Column(name="feedback", kind=Kind.NOTE),
        Column(name="input", kind=Kind.NOTE),
        Column(name="agent_id", kind=Kind.STRING),
        Column(name="team_id", kind=Kind.STRING),
        Column(name="user_id", kind=Kind.STRING, index=True),
        Column(name="topics", kind=Kind.JSON),
        Column(name="created_at", kind=Kind.BIGINT, nullable=False, index=True),
        Column(name="updated_at", kind=Kind.BIGINT, index=True),
    ),
    key=("memory_id",),
    indexes=(Index(columns=("user_id", "updated_at"), ours=True),),
    owner="user_id",
    components=(("agent", "agent_id"), ("team", "team_id"), ("workflow", "workflow_id")),
    provisioned=True,
)

TABLES = (MEMORIES,)
