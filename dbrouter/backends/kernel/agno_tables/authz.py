"""Roles, policies, users and the audit trail of authorization."""

from __future__ import annotations

from dbrouter.backends.kernel.tables import Column, Kind, TableSpec, TimeUnit

AUTHZ_POLICY = TableSpec(
    name="authz_policy",
    family="authz",
    attribute="authz_policy_table_name",
    default_name="agno_authz_policy",
    columns=(
        Column(name="role", kind=Kind.STRING, nullable=False),
        Column(name="resource", kind=Kind.STRING, nullable=False),
        Column(name="action", kind=Kind.STRING, nullable=False),
        Column(name="effect", kind=Kind.STRING, nullable=False),
    ),
    key=(
        "role",
        "resource",
        "action",
    ),
    time=TimeUnit.NONE,
)

AUTHZ_GROUPING = TableSpec(
    name="authz_grouping",
    family="authz",
    attribute="authz_grouping_table_name",
    default_name="agno_authz_grouping",
    columns=(
        Column(name="subject", kind=Kind.STRING, nullable=False),
        Column(name="role", kind=Kind.STRING, nullable=False, index=True),
    ),
    key=(
        "subject",
        "role",
    ),
    time=TimeUnit.NONE,
)

AUTHZ_ROLES = TableSpec(
    name="authz_roles",
    family="authz",
    attribute="authz_roles_table_name",
    default_name="agno_authz_roles",
    columns=(
        Column(name="slug", kind=Kind.STRING, nullable=False),
        Column(name="name", kind=Kind.STRING),
        Column(name="description", kind=Kind.TEXT),
        Column(name="is_default", kind=Kind.BOOLEAN, nullable=False),
        Column(name="created_at", kind=Kind.BIGINT, nullable=False),
        Column(name="updated_at", kind=Kind.BIGINT, nullable=False),
    ),
    key=("slug",),
)

AUTHZ_USERS = TableSpec(
    name="authz_users",
    family="authz",
    attribute="authz_users_table_name",
    default_name="agno_authz_users",
    columns=(
        Column(name="id", kind=Kind.STRING, nullable=False),
        Column(name="email", kind=Kind.STRING),
        Column(name="name", kind=Kind.STRING),
        Column(name="disabled", kind=Kind.BOOLEAN, nullable=False),
        Column(name="created_at", kind=Kind.BIGINT, nullable=False, index=True),
        Column(name="updated_at", kind=Kind.BIGINT, nullable=False, index=True),
        Column(name="user_metadata", kind=Kind.TEXT),
    ),
    key=("id",),
)

AUTHZ_AUDIT = TableSpec(
    name="authz_audit",
    family="authz",
    attribute="authz_audit_table_name",
    default_name="agno_authz_audit",
    columns=(
        Column(name="event_id", kind=Kind.STRING, nullable=False),
        Column(name="created_at", kind=Kind.BIGINT, nullable=False, index=True),
        Column(name="actor", kind=Kind.STRING),
        Column(name="action", kind=Kind.STRING, nullable=False),
        Column(name="target", kind=Kind.STRING),
        Column(name="before", kind=Kind.TEXT),
        Column(name="after", kind=Kind.TEXT),
    ),
    key=("event_id",),
)

AUTHZ_DECISIONS = TableSpec(
    name="authz_decisions",
    family="authz",
    attribute="authz_decisions_table_name",
    default_name="agno_authz_decisions",
    columns=(
        Column(name="event_id", kind=Kind.STRING, nullable=False),
        Column(name="created_at", kind=Kind.BIGINT, nullable=False, index=True),
        Column(name="actor", kind=Kind.STRING),
        Column(name="action", kind=Kind.STRING, nullable=False),
        Column(name="target", kind=Kind.TEXT),
        Column(name="token_ref", kind=Kind.STRING),
        Column(name="required", kind=Kind.TEXT),
        Column(name="scopes", kind=Kind.TEXT),
    ),
    key=("event_id",),
)

TABLES = (
    AUTHZ_POLICY,
    AUTHZ_GROUPING,
    AUTHZ_ROLES,
    AUTHZ_USERS,
    AUTHZ_AUDIT,
    AUTHZ_DECISIONS,
)
