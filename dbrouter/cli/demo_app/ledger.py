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
    sessions = {row["session_id"]: _home(row) for table, row, _ in found if table.name == "sessions"}
    return [
        Entry(table=table, row=row, found_in=name, belongs_in=_belongs(table, row, sessions))
        for table, row, name in found
    ]


def _belongs(table: TableSpec, row: Row, sessions: dict[str, str]) -> str:
    """Say where a row belongs by the demo's `dbrouter.yaml`, read by a human: no routing code is asked."""
    match table.family:
        case "traces":
            return "traces"
        case "evals":
            return "evals"
        case "sessions" if table.name != "sessions":
            # A run follows its session: the ops bot's part in a team's conversation stays with the team.
            return sessions.get(row["session_id"], "the file of its session, which is nowhere")
        case _:
            return _home(row)


def _home(row: Row) -> str:
    return "ops" if row.get("agent_id") == "ops-bot" else "primary"


def _rows(path: Path) -> Iterator[tuple[TableSpec, Row]]:
    if not path.exists():
        return
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table in TABLES.values():
            if table.default_name in tables:
                for row in connection.execute(f'SELECT * FROM "{table.default_name}"'):  # noqa: S608 - our own names
                    yield table, dict(row)
