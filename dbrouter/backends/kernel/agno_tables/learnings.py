"""What the learning machine keeps."""

from __future__ import annotations

from dbrouter.backends.kernel.tables import Column, Index, Kind, TableSpec

LEARNINGS = TableSpec(
    name="learnings",
    family="learnings",
    attribute="learnings_table_name",
    default_name="agno_learnings",
    columns=(
        Column(name="learning_id", kind=Kind.STRING, nullable=False),
        Column(name="learning_type", kind=Kind.STRING, nullable=False, index=True),
        Column(name="namespace", kind=Kind.STRING, index=True),
        Column(name="user_id", kind=Kind.STRING, index=True),
        Column(name="agent_id", kind=Kind.STRING, index=True),
        Column(name="team_id", kind=Kind.STRING, index=True),
        Column(name="workflow_id", kind=Kind.STRING, index=True),
        Column(name="session_id", kind=Kind.STRING, index=True),
        Column(name="entity_id", kind=Kind.STRING, index=True),
        Column(name="entity_type", kind=Kind.STRING, index=True),
        Column(name="content", kind=Kind.JSON, nullable=False),
        Column(name="metadata", kind=Kind.JSON),
        Column(name="created_at", kind=Kind.BIGINT, nullable=False, index=True),
        Column(name="updated_at", kind=Kind.BIGINT),
    ),
    key=("learning_id",),
    indexes=(Index(columns=("updated_at",), ours=True),),
    owner="user_id",
    components=(("agent", "agent_id"), ("team", "team_id"), ("workflow", "workflow_id")),
    provisioned=True,
)

TABLES = (LEARNINGS,)
