"""Conversations, their runs, and what belongs to a conversation: transcripts, compactions, tool results."""

from __future__ import annotations

from dbrouter.backends.kernel.filters import not_null
from dbrouter.backends.kernel.tables import Column, Index, Kind, Parent, TableSpec, TimeUnit, Unique

SESSIONS = TableSpec(
    name="sessions",
    family="sessions",
    attribute="session_table_name",
    default_name="agno_sessions",
    columns=(
        Column(name="session_id", kind=Kind.STRING, nullable=False),
        Column(name="session_type", kind=Kind.STRING, nullable=False, index=True),
        Column(name="agent_id", kind=Kind.STRING),
        Column(name="team_id", kind=Kind.STRING),
        Column(name="workflow_id", kind=Kind.STRING),
        Column(name="user_id", kind=Kind.STRING),
        Column(name="session_data", kind=Kind.JSON),
        Column(name="agent_data", kind=Kind.JSON),
        Column(name="team_data", kind=Kind.JSON),
        Column(name="workflow_data", kind=Kind.JSON),
        Column(name="metadata", kind=Kind.JSON),
        Column(name="summary", kind=Kind.JSON),
        Column(name="created_at", kind=Kind.BIGINT, nullable=False, index=True),
        Column(name="updated_at", kind=Kind.BIGINT),
    ),
    key=("session_id",),
    indexes=(
        Index(columns=("user_id", "created_at"), ours=True),
        Index(columns=("agent_id", "created_at"), ours=True, where=not_null("agent_id")),
        Index(columns=("team_id", "created_at"), ours=True, where=not_null("team_id")),
        Index(columns=("workflow_id", "created_at"), ours=True, where=not_null("workflow_id")),
    ),
    owner="user_id",
    components=(("agent", "agent_id"), ("team", "team_id"), ("workflow", "workflow_id")),
    provisioned=True,
)

RUNS = TableSpec(
    name="runs",
    family="sessions",
    attribute="runs_table_name",
    default_name="agno_runs",
    columns=(
        Column(name="run_id", kind=Kind.STRING, nullable=False),
        Column(name="session_id", kind=Kind.STRING, nullable=False, index=True),
        Column(name="run_type", kind=Kind.STRING, nullable=False, index=True),
        Column(name="agent_id", kind=Kind.STRING, index=True),
        Column(name="team_id", kind=Kind.STRING, index=True),
        Column(name="workflow_id", kind=Kind.STRING, index=True),
        Column(name="user_id", kind=Kind.STRING, index=True),
        Column(name="parent_run_id", kind=Kind.STRING),
        Column(name="status", kind=Kind.STRING, index=True),
        Column(name="run_index", kind=Kind.BIGINT),
        Column(name="run_data", kind=Kind.JSON, nullable=False),
        Column(name="created_at", kind=Kind.BIGINT, nullable=False, index=True),
        Column(name="updated_at", kind=Kind.BIGINT),
    ),
    key=("run_id",),
    indexes=(
        Index(
            columns=(
                "session_id",
                "run_index",
            )
        ),
    ),
    parents=(Parent(table="sessions", columns=("session_id",), references=("session_id",), cascade=True),),
    owner="user_id",
    leader="sessions",
    follows="session_id",
    provisioned=True,
)

TRANSCRIPTS = TableSpec(
    name="transcripts",
    family="sessions",
    attribute="transcripts_table_name",
    default_name="agno_transcripts",
    columns=(
        Column(name="framework", kind=Kind.STRING, nullable=False),
        Column(name="project_key", kind=Kind.STRING, nullable=False),
        Column(name="session_id", kind=Kind.STRING, nullable=False),
        Column(name="subpath", kind=Kind.STRING, nullable=False),
        Column(name="position", kind=Kind.BIGINT, nullable=False),
        Column(name="entry_uuid", kind=Kind.STRING),
        Column(name="entry", kind=Kind.STRING, nullable=False),
        Column(name="agno_session_id", kind=Kind.STRING, nullable=False, index=True),
        Column(name="created_at", kind=Kind.BIGINT, nullable=False),
    ),
    key=(
        "framework",
        "project_key",
        "session_id",
        "subpath",
        "position",
    ),
    uniques=(
        Unique(
            name="uq_entry_uuid",
            columns=(
                "framework",
                "project_key",
                "session_id",
                "subpath",
                "entry_uuid",
            ),
        ),
    ),
    parents=(
        Parent(
            table="sessions", columns=("agno_session_id",), references=("session_id",), cascade=True, enforced=False
        ),
    ),
    leader="sessions",
    follows="agno_session_id",
    time=TimeUnit.MILLISECONDS,
)

COMPACTIONS = TableSpec(
    name="compactions",
    family="sessions",
    attribute="compactions_table_name",
    default_name="agno_compactions",
    columns=(
        Column(name="compaction_id", kind=Kind.STRING, nullable=False),
        Column(name="session_id", kind=Kind.STRING, nullable=False),
        Column(name="run_id", kind=Kind.STRING),
        Column(name="user_id", kind=Kind.STRING),
        Column(name="first_kept_message_id", kind=Kind.STRING),
        Column(name="summary", kind=Kind.STRING),
        Column(name="archived_messages", kind=Kind.STRING),
        Column(name="messages_compacted", kind=Kind.BIGINT),
        Column(name="tokens_before", kind=Kind.BIGINT),
        Column(name="tokens_after", kind=Kind.BIGINT),
        Column(name="created_at", kind=Kind.BIGINT, nullable=False),
    ),
    key=("compaction_id",),
    indexes=(
        Index(
            columns=(
                "session_id",
                "created_at",
            )
        ),
    ),
    parents=(
        Parent(table="sessions", columns=("session_id",), references=("session_id",), cascade=True, enforced=False),
    ),
    owner="user_id",
    leader="sessions",
    follows="session_id",
)

TOOL_RESULTS = TableSpec(
    name="tool_results",
    family="sessions",
    attribute="tool_results_table_name",
    default_name="agno_tool_results",
    columns=(
        Column(name="result_id", kind=Kind.STRING, nullable=False),
        Column(name="namespace", kind=Kind.STRING, nullable=False),
        Column(name="path", kind=Kind.STRING, nullable=False),
        Column(name="session_id", kind=Kind.STRING, nullable=False),
        Column(name="run_id", kind=Kind.STRING, nullable=False),
        Column(name="tool_call_id", kind=Kind.STRING, nullable=False),
        Column(name="tool_name", kind=Kind.STRING, nullable=False),
        Column(name="args_hash", kind=Kind.STRING, nullable=False),
        Column(name="content_type", kind=Kind.STRING, nullable=False),
        Column(name="size_bytes", kind=Kind.BIGINT, nullable=False),
        Column(name="line_count", kind=Kind.BIGINT, nullable=False),
        Column(name="preview", kind=Kind.NOTE, nullable=False),
        Column(name="user_id", kind=Kind.STRING),
        Column(name="created_at", kind=Kind.BIGINT, nullable=False),
        Column(name="expires_at", kind=Kind.BIGINT, index=True),
    ),
    key=("result_id",),
    indexes=(
        Index(
            columns=(
                "session_id",
                "created_at",
            )
        ),
    ),
    uniques=(
        Unique(
            name="uq_tool_results_namespace_path",
            columns=(
                "namespace",
                "path",
            ),
        ),
    ),
    parents=(
        Parent(table="sessions", columns=("session_id",), references=("session_id",), cascade=True, enforced=False),
    ),
    owner="user_id",
    leader="sessions",
    follows="session_id",
    provisioned=True,
)

SANDBOX_BINDINGS = TableSpec(
    name="sandbox_bindings",
    family="sessions",
    attribute="sandbox_table_name",
    default_name="agno_sessions_sandbox_bindings",
    columns=(
        Column(name="namespace", kind=Kind.STRING, nullable=False),
        Column(name="session_id", kind=Kind.STRING, nullable=False),
        Column(name="agent_id", kind=Kind.STRING, nullable=False),
        Column(name="user_id", kind=Kind.STRING),
        Column(name="epoch", kind=Kind.BIGINT, nullable=False),
        Column(name="owner", kind=Kind.STRING),
        Column(name="run_id", kind=Kind.STRING),
        Column(name="queue_attempt", kind=Kind.BIGINT),
        Column(name="expires_at", kind=Kind.TIMESTAMP),
        Column(name="record", kind=Kind.JSON, nullable=False),
    ),
    key=("namespace", "session_id"),
    parents=(
        Parent(table="sessions", columns=("session_id",), references=("session_id",), cascade=True),
        # A turn that holds the session keeps its run from being deleted alone.
        Parent(table="runs", columns=("run_id",), references=("run_id",)),
    ),
    owner="user_id",
    leader="sessions",
    follows="session_id",
    time=TimeUnit.NONE,
)
"""Which sandbox a session holds. agno has it on Postgres only, and its own class keeps it."""

TABLES = (SESSIONS, RUNS, TRANSCRIPTS, COMPACTIONS, TOOL_RESULTS, SANDBOX_BINDINGS)
