"""The built-in MCP OAuth authorization server."""

from __future__ import annotations

from dbrouter.backends.kernel.tables import Column, Kind, TableSpec, TimeUnit

MCP_OAUTH_CLIENTS = TableSpec(
    name="mcp_oauth_clients",
    family="mcp_oauth",
    attribute="mcp_oauth_clients_table_name",
    default_name="agno_mcp_oauth_clients",
    columns=(
        Column(name="client_id", kind=Kind.STRING, nullable=False),
        Column(name="client_metadata", kind=Kind.TEXT, nullable=False),
        Column(name="created_at", kind=Kind.BIGINT, nullable=False, index=True),
        Column(name="consumed_at", kind=Kind.BIGINT),
    ),
    key=("client_id",),
)

MCP_OAUTH_TRANSACTIONS = TableSpec(
    name="mcp_oauth_transactions",
    family="mcp_oauth",
    attribute="mcp_oauth_transactions_table_name",
    default_name="agno_mcp_oauth_transactions",
    columns=(
        Column(name="txn_id", kind=Kind.STRING, nullable=False),
        Column(name="client_id", kind=Kind.STRING, nullable=False),
        Column(name="params", kind=Kind.TEXT, nullable=False),
        Column(name="expires_at", kind=Kind.BIGINT, nullable=False, index=True),
    ),
    key=("txn_id",),
    time=TimeUnit.NONE,
)

MCP_OAUTH_CODES = TableSpec(
    name="mcp_oauth_codes",
    family="mcp_oauth",
    attribute="mcp_oauth_codes_table_name",
    default_name="agno_mcp_oauth_codes",
    columns=(
        Column(name="code_hash", kind=Kind.STRING, nullable=False),
        Column(name="payload", kind=Kind.TEXT, nullable=False),
        Column(name="expires_at", kind=Kind.BIGINT, nullable=False, index=True),
    ),
    key=("code_hash",),
    time=TimeUnit.NONE,
)

MCP_OAUTH_REFRESH_TOKENS = TableSpec(
    name="mcp_oauth_refresh_tokens",
    family="mcp_oauth",
    attribute="mcp_oauth_refresh_tokens_table_name",
    default_name="agno_mcp_oauth_refresh_tokens",
    columns=(
        Column(name="token_hash", kind=Kind.STRING, nullable=False),
        Column(name="client_id", kind=Kind.STRING, nullable=False),
        Column(name="scopes", kind=Kind.TEXT, nullable=False),
        Column(name="expires_at", kind=Kind.BIGINT, nullable=False, index=True),
        Column(name="family_id", kind=Kind.STRING, nullable=False, index=True),
    ),
    key=("token_hash",),
    time=TimeUnit.NONE,
)

MCP_OAUTH_KEYS = TableSpec(
    name="mcp_oauth_keys",
    family="mcp_oauth",
    attribute="mcp_oauth_keys_table_name",
    default_name="agno_mcp_oauth_keys",
    columns=(
        Column(name="kid", kind=Kind.STRING, nullable=False),
        Column(name="secret", kind=Kind.TEXT, nullable=False),
        Column(name="created_at", kind=Kind.BIGINT, nullable=False, index=True),
    ),
    key=("kid",),
)

TABLES = (
    MCP_OAUTH_CLIENTS,
    MCP_OAUTH_TRANSACTIONS,
    MCP_OAUTH_CODES,
    MCP_OAUTH_REFRESH_TOKENS,
    MCP_OAUTH_KEYS,
)
