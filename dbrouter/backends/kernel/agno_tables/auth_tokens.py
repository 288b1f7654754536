"""OAuth tokens of third-party services."""

from __future__ import annotations

from dbrouter.backends.kernel.tables import Column, Kind, TableSpec, Unique

AUTH_TOKENS = TableSpec(
    name="auth_tokens",
    family="auth_tokens",
    attribute="auth_tokens_table_name",
    default_name="agno_auth_tokens",
    columns=(
        Column(name="id", kind=Kind.STRING, nullable=False),
        Column(name="provider", kind=Kind.STRING, nullable=False, index=True),
        Column(name="user_id", kind=Kind.STRING, nullable=False, index=True),
        Column(name="service", kind=Kind.STRING, nullable=False, index=True),
        Column(name="token_data", kind=Kind.JSON, nullable=False),
        Column(name="granted_scopes", kind=Kind.JSON),
        Column(name="created_at", kind=Kind.BIGINT, nullable=False, index=True),
        Column(name="updated_at", kind=Kind.BIGINT),
    ),
    key=("id",),
    uniques=(
        Unique(
            name="uq_auth_token_provider_user_service",
            columns=(
                "provider",
                "user_id",
                "service",
            ),
        ),
    ),
    owner="user_id",
)

TABLES = (AUTH_TOKENS,)
