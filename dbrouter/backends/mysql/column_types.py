"""How long texts may be: agno's own lengths where the table is agno's, and lengths like them where it is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dbrouter.backends.kernel.tables import Column, Kind, TableSpec
from dbrouter.backends.kernel.tenant_tables import PREFIX
from dbrouter.backends.sql.dialect import Longest

AGNOS: Final = frozenset(
    {"sessions", "runs", "memories", "evals", "knowledge", "metrics", "versions", "traces", "spans"}
)
"""Tables that agno's class has; the others are ours on MySQL."""

SHORT_TEXT: Final = Longest(65_535, in_bytes=True)
"""What agno's `Text` takes."""

USUAL = 128
"""Characters of an id."""

BY_NAME: Final[Mapping[str, int]] = {
    "name": 255,
    "title": 255,
    "evaluated_component_name": 255,
    "source_name": 255,
    "email": 320,
    "cron_expr": 255,
    "endpoint": 2000,
    "disabled_reason": 1000,
    "credential_ref": 1000,
    "resource": 255,
    "link_key": 255,
    "dedupe_key": 255,
    "idempotency_key": 255,
    "status": 50,
    "status_code": 50,
    "run_status": 50,
    "span_kind": 50,
    "eval_type": 50,
    "type": 50,
    "session_type": 20,
    "run_type": 20,
    "aggregation_period": 20,
    "version": 10,
}
"""Column -> characters, where not the usual."""

BY_COLUMN: Final[Mapping[tuple[str, str], int | None]] = {
    # A key ends at 3072 bytes, four a character; tenants that share a table take 512 of them.
    ("transcripts", "framework"): 32,
    ("transcripts", "project_key"): 200,
    ("transcripts", "subpath"): 200,
    ("transcripts", "entry_uuid"): 64,
    ("tool_results", "path"): 500,
    ("authz_audit", "target"): 1000,
    ("dbrouter_tenants", "name"): 255,
    ("dbrouter_usage", "id"): 500,
    # Names that the kernel makes of a table and the values of a unique set in it, or of a parent.
    ("kernel_reservations", "id"): 700,
    ("kernel_reservations", "holder"): None,
    ("kernel_positions", "id"): 700,
    # Whole messages and summaries: as long as a record may be.
    ("transcripts", "entry"): None,
    ("compactions", "summary"): None,
    ("compactions", "archived_messages"): None,
}
"""(Table, column) -> characters, where not by the column's name; `None`: no limit of its own."""


class Lengths:
    """The lengths of text columns. by_column: those that are not MySQL's."""

    def __init__(self, by_column: Mapping[tuple[str, str], int | None] | None = None) -> None:
        self._by_column = {**BY_COLUMN, **(by_column or {})}

    def of(self, column: Column, table: TableSpec) -> Longest | None:
        """How long a text in the column may be; `None` if it has no limit of its own."""
        name = table.name.removeprefix(PREFIX)
        match column.kind:
            case Kind.STRING:
                characters = self._by_column.get((name, column.name), BY_NAME.get(column.name, USUAL))
                return None if characters is None else Longest(characters)
            case Kind.NOTE | Kind.TEXT if table.name in AGNOS:
                return SHORT_TEXT
            case _:
                return None
