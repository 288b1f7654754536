"""The durable job queue (agno has it on Postgres only)."""

from __future__ import annotations

from dbrouter.backends.kernel.filters import all_of, is_null, not_null
from dbrouter.backends.kernel.tables import Column, Index, Kind, TableSpec, Unique

JOBS = TableSpec(
    name="jobs",
    family="jobs",
    attribute="job_table_name",
    default_name="agno_jobs",
    columns=(
        Column(name="id", kind=Kind.STRING, nullable=False),
        Column(name="component_type", kind=Kind.STRING, nullable=False),
        Column(name="job_type", kind=Kind.STRING, nullable=False),
        Column(name="deployment_id", kind=Kind.STRING),
        Column(name="component_id", kind=Kind.STRING, nullable=False, index=True),
        Column(name="session_id", kind=Kind.STRING, nullable=False, index=True),
        Column(name="user_id", kind=Kind.STRING),
        Column(name="payload", kind=Kind.JSON, nullable=False),
        Column(name="status", kind=Kind.STRING, nullable=False, index=True),
        Column(name="attempt", kind=Kind.BIGINT, nullable=False),
        Column(name="max_attempts", kind=Kind.BIGINT, nullable=False),
        Column(name="idempotency_key", kind=Kind.STRING),
        Column(name="available_at", kind=Kind.BIGINT, nullable=False),
        Column(name="locked_by", kind=Kind.STRING),
        Column(name="locked_at", kind=Kind.BIGINT),
        Column(name="error", kind=Kind.TEXT),
        Column(name="created_at", kind=Kind.BIGINT, nullable=False, index=True),
        Column(name="updated_at", kind=Kind.BIGINT),
        Column(name="completed_at", kind=Kind.BIGINT),
    ),
    key=("id",),
    indexes=(
        Index(
            columns=(
                "status",
                "available_at",
            )
        ),
    ),
    uniques=(
        Unique(
            name="uq_jobs_idempotency_key",
            columns=(
                "idempotency_key",
                "user_id",
            ),
            where=not_null("idempotency_key"),
        ),
        Unique(
            name="uq_jobs_idempotency_key_anon",
            columns=("idempotency_key",),
            where=all_of(not_null("idempotency_key"), is_null("user_id")),
        ),
    ),
    owner="user_id",
)

TABLES = (JOBS,)
