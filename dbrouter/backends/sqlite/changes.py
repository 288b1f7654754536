"""Changing existing tables on SQLite, which can add columns and indexes and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from dbrouter.backends.sql.migrating.shape import TableShape


class SqliteChanges:
    """The statements for one file."""

    outdated_types: Sequence[str] = ()
    wraps_json = True
    constraints = False

    def columns(self) -> tuple[str, tuple[object, ...]]:
        text = "SELECT m.name, p.name, p.type FROM sqlite_master AS m, pragma_table_info(m.name) AS p"
        return f"{text} WHERE m.type = 'table'", ()

    def indexes(self) -> tuple[str, tuple[object, ...]]:
        text = (
            "SELECT m.name, l.name, l.\"unique\", l.partial, l.origin = 'pk', i.name FROM sqlite_master AS m,"
            " pragma_index_list(m.name) AS l, pragma_index_info(l.name) AS i WHERE m.type = 'table'"
            " ORDER BY m.name, l.name, i.seqno"
        )
        return text, ()

    def text(self, column: str) -> str:
        return f"CAST({_quoted(column)} AS TEXT)"

    def beside(self, definition: str, parent: TableShape, key: Sequence[str]) -> str:
        return definition

    def add_column(self, table: str, column: str, definition: str, default: str | None) -> tuple[str, ...]:
        # A default cannot be taken away again; nothing minds it.
        given = "" if default is None else f" DEFAULT {default}"
        return (f"ALTER TABLE {_quoted(table)} ADD COLUMN {definition}{given}",)

    def retype(self, table: str, column: str) -> tuple[str, ...]:
        raise AssertionError("SQLite has one type of JSON")

    def add_key(self, table: str, columns: Sequence[str], found: TableShape) -> tuple[str, ...]:
        raise AssertionError("SQLite declares keys when a table is made")

    def add_unique(self, table: str, name: str, columns: Sequence[str]) -> tuple[str, ...]:
        over = ", ".join(map(_quoted, columns))
        return (f"CREATE UNIQUE INDEX IF NOT EXISTS {_quoted(name)} ON {_quoted(table)} ({over})",)

    def drop_unique(self, table: str, name: str) -> tuple[str, ...]:
        raise AssertionError("SQLite cannot drop what a table was made with")

    def create_index(self, table: str, name: str, definition: str, columns: Sequence[str], found: TableShape) -> str:
        return definition


def _quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'
