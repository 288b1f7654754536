"""Machine identities and their token hashes."""

from __future__ import annotations

from dbrouter.backends.kernel.filters import is_null
from dbrouter.backends.kernel.tables import Column, Kind, TableSpec, Unique

SERVICE_ACCOUNTS = TableSpec(
    name="service_accounts",
    family="service_accounts",
    attribute="service_accounts_table_name",
    default_name="agno_service_accounts",
    columns=(
        Column(name="id", kind=Kind.STRING, nullable=False),
        Column(name="name", kind=Kind.STRING, nullable=False),
        Column(name="user_id", kind=Kind.STRING),
        Column(name="token_hash", kind=Kind.STRING, nullable=False, index=True, unique=True),
        Column(name="token_prefix", kind=Kind.STRING, nullable=False),
        Column(name="scopes", kind=Kind.JSON, nullable=False),
        Column(name="created_at", kind=Kind.BIGINT, nullable=False, index=True),
        Column(name="expires_at", kind=Kind.BIGINT),
        Column(name="last_used_at", kind=Kind.BIGINT),
        Column(name="revoked_at", kind=Kind.BIGINT),
        Column(name="created_by", kind=Kind.STRING),
    ),
    key=("id",),
    uniques=(Unique(name="uq_active_name", columns=("name",), where=is_null("revoked_at")),),
    owner="user_id",
    provisioned=True,
)

TABLES = (SERVICE_ACCOUNTS,)
