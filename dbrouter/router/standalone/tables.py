"""Table names as agno's constructors take them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.tables import TableSpec

_ARGUMENTS = {"trace_table_name": "traces_table", "span_table_name": "spans_table"}
"""Where agno's argument is not its attribute without `_name`."""


class TableNames(TypedDict, total=False):
    """What tables are called, where it is not agno's default name. The names of the arguments are agno's."""

    session_table: str | None
    runs_table: str | None
    memory_table: str | None
    metrics_table: str | None
    eval_table: str | None
    knowledge_table: str | None
    traces_table: str | None
    spans_table: str | None
    versions_table: str | None
    components_table: str | None
    component_configs_table: str | None
    component_links_table: str | None
    learnings_table: str | None
    schedules_table: str | None
    products_table: str | None
    sources_table: str | None
    projects_table: str | None
    tasks_table: str | None
    schedule_runs_table: str | None
    job_table: str | None
    approvals_table: str | None
    auth_tokens_table: str | None
    service_accounts_table: str | None
    mcp_oauth_clients_table: str | None
    mcp_oauth_transactions_table: str | None
    mcp_oauth_codes_table: str | None
    mcp_oauth_refresh_tokens_table: str | None
    mcp_oauth_keys_table: str | None


def argument_of(spec: TableSpec) -> str:
    """The constructor argument that names this table."""
    return _ARGUMENTS.get(spec.attribute, spec.attribute.removesuffix("_name"))


def physical_names(given: TableNames) -> dict[str, str]:
    """Spec name -> physical name, for the tables that are named. `TypeError` for an argument that names none.

    Named sessions have runs named after them, as in agno: runs refer to one table of sessions.
    """
    arguments: Mapping[str, Any] = given
    unknown = sorted(set(arguments) - TableNames.__optional_keys__)
    if unknown:
        raise TypeError(
            f"unexpected argument {unknown[0]!r}; tables are named by {', '.join(TableNames.__annotations__)}"
        )
    named = ((spec.name, arguments.get(argument_of(spec))) for spec in TABLES.values())
    names: dict[str, str] = {table: name for table, name in named if name}
    sessions = names.get("sessions", TABLES["sessions"].default_name)
    if sessions != TABLES["sessions"].default_name:
        names.setdefault("runs", f"{sessions}_runs")
    return names


def table_names_in(data: Mapping[str, Any]) -> TableNames:
    """The table names in a stored configuration."""
    return TableNames(**{key: data[key] for key in TableNames.__optional_keys__ if key in data})
