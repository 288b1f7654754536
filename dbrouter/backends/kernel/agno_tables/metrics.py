"""Daily usage, computed from sessions and runs."""

from __future__ import annotations

from dbrouter.backends.kernel.tables import Column, Kind, TableSpec, Unique

DEFAULT_EMPTY: dict[str, object] = {}

METRICS = TableSpec(
    name="metrics",
    family="metrics",
    attribute="metrics_table_name",
    default_name="agno_metrics",
    columns=(
        Column(name="id", kind=Kind.STRING, nullable=False),
        Column(name="agent_runs_count", kind=Kind.BIGINT, nullable=False, default=0),
        Column(name="team_runs_count", kind=Kind.BIGINT, nullable=False, default=0),
        Column(name="workflow_runs_count", kind=Kind.BIGINT, nullable=False, default=0),
        Column(name="agent_sessions_count", kind=Kind.BIGINT, nullable=False, default=0),
        Column(name="team_sessions_count", kind=Kind.BIGINT, nullable=False, default=0),
        Column(name="workflow_sessions_count", kind=Kind.BIGINT, nullable=False, default=0),
        Column(name="users_count", kind=Kind.BIGINT, nullable=False, default=0),
        Column(name="token_metrics", kind=Kind.JSON, nullable=False, default=DEFAULT_EMPTY),
        Column(name="model_metrics", kind=Kind.JSON, nullable=False, default=DEFAULT_EMPTY),
        Column(name="date", kind=Kind.DATE, nullable=False, index=True),
        Column(name="aggregation_period", kind=Kind.STRING, nullable=False, sqlite_index=True),
        Column(name="user_id", kind=Kind.STRING, nullable=False, index=True, default=""),
        Column(name="created_at", kind=Kind.BIGINT, nullable=False),
        Column(name="updated_at", kind=Kind.BIGINT),
        Column(name="completed", kind=Kind.BOOLEAN, nullable=False, default=False),
    ),
    key=("id",),
    uniques=(
        Unique(
            name="uq_metrics_user_date_period",
            columns=(
                "user_id",
                "date",
                "aggregation_period",
            ),
        ),
    ),
    owner="user_id",
    provisioned=True,
)

TABLES = (METRICS,)
