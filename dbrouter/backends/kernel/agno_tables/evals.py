"""Results of evaluation runs."""

from __future__ import annotations

from dbrouter.backends.kernel.tables import Column, Kind, TableSpec

EVALS = TableSpec(
    name="evals",
    family="evals",
    attribute="eval_table_name",
    default_name="agno_eval_runs",
    columns=(
        Column(name="run_id", kind=Kind.STRING, nullable=False),
        Column(name="eval_type", kind=Kind.STRING, nullable=False),
        Column(name="eval_data", kind=Kind.JSON, nullable=False),
        Column(name="eval_input", kind=Kind.JSON, json_null=True),
        Column(name="name", kind=Kind.STRING),
        Column(name="agent_id", kind=Kind.STRING),
        Column(name="team_id", kind=Kind.STRING),
        Column(name="workflow_id", kind=Kind.STRING),
        Column(name="model_id", kind=Kind.STRING),
        Column(name="model_provider", kind=Kind.STRING),
        Column(name="evaluated_component_name", kind=Kind.STRING),
        Column(name="user_id", kind=Kind.STRING, index=True),
        Column(name="created_at", kind=Kind.BIGINT, nullable=False, index=True),
        Column(name="updated_at", kind=Kind.BIGINT),
    ),
    key=("run_id",),
    owner="user_id",
    components=(("agent", "agent_id"), ("team", "team_id"), ("workflow", "workflow_id")),
    provisioned=True,
)

TABLES = (EVALS,)
