"""Changing existing tables on MySQL and MariaDB. Each statement is a transaction of its own there."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from dbrouter.backends.sql.migrating.shape import TableShape

COLLATED = " collate "
"""Stands between a column's type and its collation."""

PREFIX = 255
"""Characters of a long text that an index holds, as agno's migrations have it."""


class MySqlChanges:
    """The statements for one database. quoted: the dialect's, which knows of placeholders.

    collation: of our texts, once the server is known.
    """

    outdated_types: Sequence[str] = ()
    wraps_json = False
    constraints = True

    def __init__(self, schema: str, quoted: Callable[[str], str], collation: Callable[[], str]) -> None:
        self._schema = schema
        self._quoted = quoted
        self._collation = collation

    def columns(self) -> tuple[str, tuple[object, ...]]:
        kind = f"CONCAT(column_type, IFNULL(CONCAT('{COLLATED}', collation_name), ''))"
        text = f"SELECT table_name, column_name, {kind} FROM information_schema.columns"
        return f"{text} WHERE table_schema = %s", (self._schema,)

    def indexes(self) -> tuple[str, tuple[object, ...]]:
        text = (
            "SELECT table_name, index_name, non_unique = 0, 0, index_name = 'PRIMARY', column_name"
            " FROM information_schema.statistics WHERE table_schema = %s"
            " ORDER BY table_name, index_name, seq_in_index"
        )
        return text, (self._schema,)

    def text(self, column: str) -> str:
        return f"CONVERT({self._quoted(column)} USING utf8mb4)"

    def beside(self, definition: str, parent: TableShape, key: Sequence[str]) -> str:
        collation = next((parent.columns[each].partition(COLLATED)[2] for each in key), "")
        if not collation:
            return definition
        charset = collation.partition("_")[0]
        options = re.sub(r"COLLATE[= ]\w+", f"COLLATE {collation}", definition)
        return re.sub(r"CHARSET=\w+", f"CHARSET={charset}", options)

    def add_column(self, table: str, column: str, definition: str, default: str | None) -> tuple[str, ...]:
        altered = f"ALTER TABLE {self._table(table)}"
        exact = self._exact(definition)
        if default is None:
            return (f"{altered} ADD COLUMN {exact}",)
        return (
            f"{altered} ADD COLUMN {exact} DEFAULT {default}",
            f"{altered} ALTER COLUMN {self._quoted(column)} DROP DEFAULT",
        )

    def retype(self, table: str, column: str) -> tuple[str, ...]:
        raise AssertionError("MySQL has one type of JSON")

    def add_key(self, table: str, columns: Sequence[str], found: TableShape) -> tuple[str, ...]:
        same = [
            name
            for name, each in found.indexes.items()
            if each.unique and not each.primary and sorted(each.columns) == sorted(columns)
        ]
        over = ", ".join(map(self._quoted, columns))
        changes = [f"ADD PRIMARY KEY ({over})", *(f"DROP INDEX {self._quoted(name)}" for name in same)]
        return (f"ALTER TABLE {self._table(table)} {', '.join(changes)}",)

    def add_unique(self, table: str, name: str, columns: Sequence[str]) -> tuple[str, ...]:
        over = ", ".join(map(self._quoted, columns))
        return (f"ALTER TABLE {self._table(table)} ADD CONSTRAINT {self._quoted(name)} UNIQUE ({over})",)

    def drop_unique(self, table: str, name: str) -> tuple[str, ...]:
        return (f"DROP INDEX {self._quoted(name)} ON {self._table(table)}",)

    def create_index(self, table: str, name: str, definition: str, columns: Sequence[str], found: TableShape) -> str:
        over = ", ".join(
            f"{self._quoted(each)}({PREFIX})"
            if found.columns.get(each, "").partition(COLLATED)[0].endswith("text")
            else self._quoted(each)
            for each in columns
        )
        unique = "UNIQUE " if definition.startswith("CREATE UNIQUE") else ""
        return f"CREATE {unique}INDEX {self._quoted(name)} ON {self._table(table)} ({over})"

    def _exact(self, definition: str) -> str:
        """The column with our collation: a table of agno's has the server's, which may take two texts for one."""
        name, kind, *rest = definition.split(" ")
        if not kind.upper().startswith(("VARCHAR", "TEXT", "LONGTEXT")):
            return definition
        return " ".join((name, kind, f"CHARACTER SET utf8mb4 COLLATE {self._collation()}", *rest))

    def _table(self, name: str) -> str:
        return f"{self._quoted(self._schema)}.{self._quoted(name)}"
