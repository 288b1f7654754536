"""Pauses that wait for a decision."""

from __future__ import annotations

from dbrouter.backends.kernel.tables import Column, Kind, TableSpec

APPROVALS = TableSpec(
    name="approvals",
    family="approvals",
    attribute="approvals_table_name",
    default_name="agno_approvals",
    columns=(
        Column(name="id", kind=Kind.STRING, nullable=False),
        Column(name="run_id", kind=Kind.STRING, nullable=False, index=True),
        Column(name="session_id", kind=Kind.STRING, nullable=False, index=True),
        Column(name="status", kind=Kind.STRING, nullable=False, index=True),
        Column(name="source_type", kind=Kind.STRING, nullable=False, index=True),
        Column(name="approval_type", kind=Kind.STRING, index=True),
        Column(name="pause_type", kind=Kind.STRING, nullable=False, index=True),
        Column(name="tool_name", kind=Kind.STRING),
        Column(name="tool_args", kind=Kind.JSON),
        Column(name="expires_at", kind=Kind.BIGINT),
        Column(name="agent_id", kind=Kind.STRING, index=True),
        Column(name="team_id", kind=Kind.STRING, index=True),
        Column(name="workflow_id", kind=Kind.STRING, index=True),
        Column(name="user_id", kind=Kind.STRING, index=True),
        Column(name="schedule_id", kind=Kind.STRING, index=True),
        Column(name="schedule_run_id", kind=Kind.STRING, index=True),
        Column(name="source_name", kind=Kind.STRING),
        Column(name="requirements", kind=Kind.JSON),
        Column(name="context", kind=Kind.JSON),
        Column(name="resolution_data", kind=Kind.JSON),
        Column(name="resolved_by", kind=Kind.STRING),
        Column(name="resolved_at", kind=Kind.BIGINT),
        Column(name="created_at", kind=Kind.BIGINT, nullable=False, index=True),
        Column(name="updated_at", kind=Kind.BIGINT),
        Column(name="run_status", kind=Kind.STRING, index=True),
    ),
    key=("id",),
    owner="user_id",
    components=(("agent", "agent_id"), ("team", "team_id"), ("workflow", "workflow_id")),
    provisioned=True,
)

TABLES = (APPROVALS,)
