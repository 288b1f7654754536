"""Scheduled calls and the history of their runs."""

from __future__ import annotations

from dbrouter.backends.kernel.filters import is_null, not_null
from dbrouter.backends.kernel.tables import Column, Index, Kind, Parent, TableSpec, Unique

SCHEDULES = TableSpec(
    name="schedules",
    family="schedules",
    attribute="schedules_table_name",
    default_name="agno_schedules",
    columns=(
        Column(name="id", kind=Kind.STRING, nullable=False),
        Column(name="name", kind=Kind.STRING, nullable=False, index=True),
        Column(name="description", kind=Kind.NOTE),
        Column(name="method", kind=Kind.STRING, nullable=False),
        Column(name="endpoint", kind=Kind.STRING, nullable=False),
        Column(name="payload", kind=Kind.JSON),
        Column(name="cron_expr", kind=Kind.STRING, nullable=False),
        Column(name="timezone", kind=Kind.STRING, nullable=False),
        Column(name="timeout_seconds", kind=Kind.BIGINT, nullable=False),
        Column(name="max_retries", kind=Kind.BIGINT, nullable=False),
        Column(name="retry_delay_seconds", kind=Kind.BIGINT, nullable=False),
        Column(name="enabled", kind=Kind.BOOLEAN, nullable=False, default=True),
        Column(name="next_run_at", kind=Kind.BIGINT, index=True),
        Column(name="locked_by", kind=Kind.STRING),
        Column(name="locked_at", kind=Kind.BIGINT),
        Column(name="user_id", kind=Kind.STRING, index=True),
        Column(name="managed_by", kind=Kind.STRING, index=True),
        Column(name="target_type", kind=Kind.STRING),
        Column(name="target_id", kind=Kind.STRING, index=True),
        Column(name="created_by_run_id", kind=Kind.STRING),
        Column(name="created_by_session_id", kind=Kind.STRING),
        Column(name="updated_by_run_id", kind=Kind.STRING),
        Column(name="updated_by_session_id", kind=Kind.STRING),
        Column(name="disabled_reason", kind=Kind.STRING),
        Column(name="created_at", kind=Kind.BIGINT, nullable=False, index=True),
        Column(name="updated_at", kind=Kind.BIGINT),
    ),
    key=("id",),
    indexes=(
        Index(
            columns=(
                "enabled",
                "next_run_at",
            )
        ),
        Index(
            columns=(
                "user_id",
                "enabled",
                "next_run_at",
            )
        ),
    ),
    uniques=(
        Unique(
            name="uq_user_name",
            columns=(
                "user_id",
                "name",
            ),
            where=not_null("user_id"),
        ),
        Unique(name="uq_unowned_name", columns=("name",), where=is_null("user_id")),
    ),
    owner="user_id",
    provisioned=True,
)

SCHEDULE_RUNS = TableSpec(
    name="schedule_runs",
    family="schedules",
    attribute="schedule_runs_table_name",
    default_name="agno_schedule_runs",
    columns=(
        Column(name="id", kind=Kind.STRING, nullable=False),
        Column(name="schedule_id", kind=Kind.STRING, nullable=False, index=True),
        Column(name="attempt", kind=Kind.BIGINT, nullable=False),
        Column(name="triggered_at", kind=Kind.BIGINT),
        Column(name="completed_at", kind=Kind.BIGINT),
        Column(name="status", kind=Kind.STRING, nullable=False, index=True),
        Column(name="status_code", kind=Kind.BIGINT),
        Column(name="run_id", kind=Kind.STRING),
        Column(name="session_id", kind=Kind.STRING),
        Column(name="error", kind=Kind.NOTE),
        Column(name="input", kind=Kind.JSON),
        Column(name="output", kind=Kind.JSON),
        Column(name="requirements", kind=Kind.JSON),
        Column(name="user_id", kind=Kind.STRING, index=True),
        Column(name="created_at", kind=Kind.BIGINT, nullable=False, index=True),
    ),
    key=("id",),
    indexes=(Index(columns=("schedule_id", "created_at"), ours=True),),
    parents=(Parent(table="schedules", columns=("schedule_id",), references=("id",), cascade=True),),
    owner="user_id",
    leader="schedules",
    follows="schedule_id",
    provisioned=True,
)

TABLES = (
    SCHEDULES,
    SCHEDULE_RUNS,
)
