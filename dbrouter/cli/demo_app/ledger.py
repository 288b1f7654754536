"""Which row is in which file: read with nothing but `sqlite3`, so that the answer does not depend on dbrouter."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dbrouter.backends.kernel.agno_tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dbrouter.backends.kernel.tables import TableSpec

FILES = ("primary", "traces", "evals", "ops")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row that was found: its table, the file it is in, and the file it belongs in."""

    table: TableSpec
    row: Row
    found_in: str
    belongs_in: str


def entries(folder: Path) -> list[Entry]:
    """Return every row of the demo's files, except the schema stamps that each file has of its own."""
    found = [
        (table, row, name)
        for name in FILES
        for table, row in _rows(folder / f"{name}.db")
        if table.family != "schema_versions"
    ]
    leaders = {
        (table.name, row[table.key[0]]): _home(table, row)
        for table, row, _ in found
        if table.name in ("sessions", "traces")
    }
    return [
        Entry(table=table, row=row, found_in=name, belongs_in=_belongs(table, row, leaders))
        for table, row, name in found
    ]


def _belongs(table: TableSpec, row: Row, leaders: dict[tuple[str, str], str]) -> str:
    """Say where a row belongs. A run follows its session, a span its trace: a team's conversation stays in one file."""
    match table.name:
        case "runs":
            return leaders.get(("sessions", row["session_id"]), "the file of its session, which is nowhere")
        case "spans":
            return leaders.get(("traces", row["trace_id"]), "the file of its trace, which is nowhere")
        case _:
            return _home(table, row)


def _home(table: TableSpec, row: Row) -> str:
    """Say what the demo's `dbrouter.yaml` means for this row, as a human reads it: no routing code is asked."""
    if row.get("agent_id") == "ops-bot":
        return "ops"
    return {"traces": "traces", "evals": "evals"}.get(table.family, "primary")


def _rows(path: Path) -> Iterator[tuple[TableSpec, Row]]:
    if not path.exists():
        return
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table in TABLES.values():
            if table.default_name in tables:
                for row in connection.execute(f'SELECT * FROM "{table.default_name}"'):
                    yield table, dict(row)
