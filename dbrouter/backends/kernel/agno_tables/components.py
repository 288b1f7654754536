"""Stored agents, teams and workflows, their versions and links."""

from __future__ import annotations

from dbrouter.backends.kernel.tables import Column, Kind, Parent, TableSpec

COMPONENTS = TableSpec(
    name="components",
    family="components",
    attribute="components_table_name",
    default_name="agno_components",
    columns=(
        Column(name="component_id", kind=Kind.STRING, nullable=False),
        Column(name="component_type", kind=Kind.STRING, nullable=False, index=True),
        Column(name="name", kind=Kind.STRING, sqlite_not_null=True, index=True),
        Column(name="user_id", kind=Kind.STRING, index=True),
        Column(name="description", kind=Kind.NOTE),
        Column(name="current_version", kind=Kind.INTEGER, index=True),
        Column(name="metadata", kind=Kind.JSON),
        Column(name="created_at", kind=Kind.BIGINT, nullable=False, index=True),
        Column(name="updated_at", kind=Kind.BIGINT),
        Column(name="deleted_at", kind=Kind.BIGINT),
    ),
    key=("component_id",),
    owner="user_id",
    provisioned=True,
)

COMPONENT_CONFIGS = TableSpec(
    name="component_configs",
    family="components",
    attribute="component_configs_table_name",
    default_name="agno_component_configs",
    columns=(
        Column(name="component_id", kind=Kind.STRING, nullable=False),
        Column(name="version", kind=Kind.INTEGER, nullable=False),
        Column(name="label", kind=Kind.STRING),
        Column(name="stage", kind=Kind.STRING, nullable=False, index=True, default="draft"),
        Column(name="config", kind=Kind.JSON, nullable=False),
        Column(name="notes", kind=Kind.NOTE),
        Column(name="created_at", kind=Kind.BIGINT, nullable=False, index=True),
        Column(name="updated_at", kind=Kind.BIGINT),
        Column(name="deleted_at", kind=Kind.BIGINT, absent_on=frozenset({"sqlite"})),
    ),
    key=(
        "component_id",
        "version",
    ),
    parents=(
        Parent(
            table="components", columns=("component_id",), references=("component_id",), absent_on=frozenset({"sqlite"})
        ),
    ),
    provisioned=True,
)

COMPONENT_LINKS = TableSpec(
    name="component_links",
    family="components",
    attribute="component_links_table_name",
    default_name="agno_component_links",
    columns=(
        Column(name="parent_component_id", kind=Kind.STRING, nullable=False),
        Column(name="parent_version", kind=Kind.INTEGER, nullable=False),
        Column(name="link_kind", kind=Kind.STRING, nullable=False, index=True),
        Column(name="link_key", kind=Kind.STRING, nullable=False),
        Column(name="child_component_id", kind=Kind.STRING, nullable=False),
        Column(name="child_version", kind=Kind.INTEGER),
        Column(name="position", kind=Kind.INTEGER, nullable=False),
        Column(name="meta", kind=Kind.JSON),
        Column(name="created_at", kind=Kind.BIGINT, index=True),
        Column(name="updated_at", kind=Kind.BIGINT),
    ),
    key=(
        "parent_component_id",
        "parent_version",
        "link_kind",
        "link_key",
    ),
    parents=(
        Parent(
            table="component_configs",
            columns=("parent_component_id", "parent_version"),
            references=("component_id", "version"),
            absent_on=frozenset({"sqlite"}),
        ),
        Parent(
            table="components",
            columns=("child_component_id",),
            references=("component_id",),
            absent_on=frozenset({"sqlite"}),
        ),
    ),
    provisioned=True,
)

TABLES = (
    COMPONENTS,
    COMPONENT_CONFIGS,
    COMPONENT_LINKS,
)
