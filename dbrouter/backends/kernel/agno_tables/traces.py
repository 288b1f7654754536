"""Traces and their spans, times as ISO-8601 text."""

from __future__ import annotations

from dbrouter.backends.kernel.tables import Column, Index, Kind, Parent, TableSpec, TimeUnit

TRACES = TableSpec(
    name="traces",
    family="traces",
    attribute="trace_table_name",
    default_name="agno_traces",
    columns=(
        Column(name="trace_id", kind=Kind.STRING, nullable=False),
        Column(name="name", kind=Kind.STRING, nullable=False),
        Column(name="status", kind=Kind.STRING, nullable=False, index=True),
        Column(name="start_time", kind=Kind.STRING, nullable=False, index=True),
        Column(name="end_time", kind=Kind.STRING, nullable=False),
        Column(name="duration_ms", kind=Kind.BIGINT, nullable=False),
        Column(name="run_id", kind=Kind.STRING, index=True),
        Column(name="session_id", kind=Kind.STRING, index=True),
        Column(name="user_id", kind=Kind.STRING, index=True),
        Column(name="agent_id", kind=Kind.STRING, index=True),
        Column(name="team_id", kind=Kind.STRING, index=True),
        Column(name="workflow_id", kind=Kind.STRING, index=True),
        Column(name="created_at", kind=Kind.STRING, nullable=False, index=True),
    ),
    key=("trace_id",),
    indexes=(Index(columns=("start_time", "trace_id"), ours=True, by_code_point=True),),
    owner="user_id",
    components=(("agent", "agent_id"), ("team", "team_id"), ("workflow", "workflow_id")),
    time=TimeUnit.ISO,
)

SPANS = TableSpec(
    name="spans",
    family="traces",
    attribute="span_table_name",
    default_name="agno_spans",
    columns=(
        Column(name="span_id", kind=Kind.STRING, nullable=False),
        Column(name="trace_id", kind=Kind.STRING, nullable=False, index=True),
        Column(name="parent_span_id", kind=Kind.STRING, index=True),
        Column(name="name", kind=Kind.STRING, nullable=False),
        Column(name="span_kind", kind=Kind.STRING, nullable=False),
        Column(name="status_code", kind=Kind.STRING, nullable=False),
        Column(name="status_message", kind=Kind.NOTE),
        Column(name="start_time", kind=Kind.STRING, nullable=False, index=True),
        Column(name="end_time", kind=Kind.STRING, nullable=False),
        Column(name="duration_ms", kind=Kind.BIGINT, nullable=False),
        Column(name="attributes", kind=Kind.JSON),
        Column(name="created_at", kind=Kind.STRING, nullable=False, index=True),
    ),
    key=("span_id",),
    parents=(Parent(table="traces", columns=("trace_id",), references=("trace_id",)),),
    leader="traces",
    follows="trace_id",
    time=TimeUnit.ISO,
)

TABLES = (
    TRACES,
    SPANS,
)
