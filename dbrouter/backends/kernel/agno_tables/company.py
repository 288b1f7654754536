"""Products, sources, projects and tasks."""

from __future__ import annotations

from dbrouter.backends.kernel.tables import Column, Kind, TableSpec, Unique

PRODUCTS = TableSpec(
    name="products",
    family="company",
    attribute="products_table_name",
    default_name="agno_company_products",
    columns=(
        Column(name="id", kind=Kind.STRING, nullable=False),
        Column(name="name", kind=Kind.STRING, sqlite_not_null=True, index=True),
        Column(name="purpose", kind=Kind.TEXT),
        Column(name="user_id", kind=Kind.STRING, index=True),
        Column(name="metadata", kind=Kind.JSON),
        Column(name="created_at", kind=Kind.BIGINT, nullable=False, index=True),
        Column(name="updated_at", kind=Kind.BIGINT),
        Column(name="deleted_at", kind=Kind.BIGINT),
    ),
    key=("id",),
    owner="user_id",
)

SOURCES = TableSpec(
    name="sources",
    family="company",
    attribute="sources_table_name",
    default_name="agno_company_sources",
    columns=(
        Column(name="id", kind=Kind.STRING, nullable=False),
        Column(name="product_id", kind=Kind.STRING, nullable=False, index=True),
        Column(name="reference", kind=Kind.TEXT, nullable=False),
        Column(name="type", kind=Kind.STRING, nullable=False),
        Column(name="credential_ref", kind=Kind.STRING),
        Column(name="user_id", kind=Kind.STRING, index=True),
        Column(name="config", kind=Kind.JSON),
        Column(name="created_at", kind=Kind.BIGINT, nullable=False, index=True),
        Column(name="updated_at", kind=Kind.BIGINT),
        Column(name="deleted_at", kind=Kind.BIGINT),
    ),
    key=("id",),
    owner="user_id",
)

PROJECTS = TableSpec(
    name="projects",
    family="company",
    attribute="projects_table_name",
    default_name="agno_company_projects",
    columns=(
        Column(name="id", kind=Kind.STRING, nullable=False),
        Column(name="name", kind=Kind.STRING, sqlite_not_null=True, index=True),
        Column(name="outcome", kind=Kind.TEXT),
        Column(name="user_id", kind=Kind.STRING, index=True),
        Column(name="transitions", kind=Kind.JSON),
        Column(name="created_at", kind=Kind.BIGINT, nullable=False, index=True),
        Column(name="updated_at", kind=Kind.BIGINT),
        Column(name="deleted_at", kind=Kind.BIGINT),
        Column(name="product_id", kind=Kind.STRING, nullable=False, index=True),
        Column(name="status", kind=Kind.STRING, nullable=False, index=True),
        Column(name="target_date", kind=Kind.BIGINT),
    ),
    key=("id",),
    owner="user_id",
)

TASKS = TableSpec(
    name="tasks",
    family="company",
    attribute="tasks_table_name",
    default_name="agno_company_tasks",
    columns=(
        Column(name="id", kind=Kind.STRING, nullable=False),
        Column(name="product_id", kind=Kind.STRING, nullable=False, index=True),
        Column(name="project_id", kind=Kind.STRING, index=True),
        Column(name="title", kind=Kind.STRING, sqlite_not_null=True, index=True),
        Column(name="brief", kind=Kind.TEXT),
        Column(name="status", kind=Kind.STRING, nullable=False, index=True),
        Column(name="user_id", kind=Kind.STRING, index=True),
        Column(name="executor_type", kind=Kind.STRING),
        Column(name="executor_id", kind=Kind.STRING),
        Column(name="accepted_by", kind=Kind.STRING),
        Column(name="accepted_at", kind=Kind.BIGINT),
        Column(name="session_id", kind=Kind.STRING, index=True),
        Column(name="job_id", kind=Kind.STRING, index=True),
        Column(name="evidence", kind=Kind.JSON),
        Column(name="result", kind=Kind.JSON),
        Column(name="origin", kind=Kind.STRING),
        Column(name="routine_id", kind=Kind.STRING),
        Column(name="dedupe_key", kind=Kind.STRING),
        Column(name="transitions", kind=Kind.JSON),
        Column(name="metadata", kind=Kind.JSON),
        Column(name="created_at", kind=Kind.BIGINT, nullable=False, index=True),
        Column(name="updated_at", kind=Kind.BIGINT),
        Column(name="deleted_at", kind=Kind.BIGINT),
    ),
    key=("id",),
    uniques=(
        Unique(
            name="uq_company_task_evidence",
            columns=(
                "product_id",
                "dedupe_key",
            ),
        ),
    ),
    owner="user_id",
)

TABLES = (
    PRODUCTS,
    SOURCES,
    PROJECTS,
    TASKS,
)
