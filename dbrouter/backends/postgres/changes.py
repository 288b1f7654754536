"""Changing existing tables on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dbrouter.backends.sql.migrating.shape import TableShape


class PostgresChanges:
    """The statements for one schema. quoted: the dialect's, which knows of placeholders."""

    outdated_types: Sequence[str] = ("json",)
    wraps_json = False
    constraints = True

    def __init__(self, schema: str, quoted: Callable[[str], str]) -> None:
        self._schema = schema
        self._quoted = quoted

    def columns(self) -> tuple[str, tuple[object, ...]]:
        text = (
            "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod) FROM pg_class c"
            " JOIN pg_namespace n ON n.oid = c.relnamespace"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
            " WHERE n.nspname = %s AND c.relkind IN ('r', 'p')"
        )
        return text, (self._schema,)

    def indexes(self) -> tuple[str, tuple[object, ...]]:
        text = (
            "SELECT t.relname::text, i.relname::text, x.indisunique, x.indpred IS NOT NULL, x.indisprimary,"
            " a.attname::text FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid"
            " JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_namespace n ON n.oid = t.relnamespace"
            " CROSS JOIN LATERAL unnest(x.indkey) WITH ORDINALITY AS k(attnum, position)"
            " LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum"
            " WHERE n.nspname = %s ORDER BY t.relname, i.relname, k.position"
        )
        return text, (self._schema,)

    def text(self, column: str) -> str:
        return f"{self._quoted(column)}::text"

    def beside(self, definition: str, parent: TableShape, key: Sequence[str]) -> str:
        return definition

    def add_column(self, table: str, column: str, definition: str, default: str | None) -> tuple[str, ...]:
        altered = f"ALTER TABLE {self._table(table)}"
        if default is None:
            return (f"{altered} ADD COLUMN IF NOT EXISTS {definition}",)
        return (
            f"{altered} ADD COLUMN IF NOT EXISTS {definition} DEFAULT {default}",
            f"{altered} ALTER COLUMN {self._quoted(column)} DROP DEFAULT",
        )

    def retype(self, table: str, column: str) -> tuple[str, ...]:
        name = self._quoted(column)
        return (f"ALTER TABLE {self._table(table)} ALTER COLUMN {name} TYPE jsonb USING {name}::jsonb",)

    def add_key(self, table: str, columns: Sequence[str], found: TableShape) -> tuple[str, ...]:
        same = [
            name
            for name, each in found.indexes.items()
            if each.unique and not each.partial and sorted(each.columns) == sorted(columns)
        ]
        over = ", ".join(map(self._quoted, columns))
        altered = f"ALTER TABLE {self._table(table)}"
        # The runs that are made later refer to the key; nothing refers to the constraint yet.
        dropped = (f"{altered} DROP CONSTRAINT IF EXISTS {self._quoted(name)}" for name in same)
        return (f"{altered} ADD PRIMARY KEY ({over})", *dropped)

    def add_unique(self, table: str, name: str, columns: Sequence[str]) -> tuple[str, ...]:
        over = ", ".join(map(self._quoted, columns))
        return (f"ALTER TABLE {self._table(table)} ADD CONSTRAINT {self._quoted(name)} UNIQUE ({over})",)

    def drop_unique(self, table: str, name: str) -> tuple[str, ...]:
        # An index that a constraint owns goes with it, and only so; one that was made by hand, only by itself.
        return (
            f"ALTER TABLE {self._table(table)} DROP CONSTRAINT IF EXISTS {self._quoted(name)}",
            f"DROP INDEX IF EXISTS {self._quoted(self._schema)}.{self._quoted(name)}",
        )

    def create_index(self, table: str, name: str, definition: str, columns: Sequence[str], found: TableShape) -> str:
        return definition

    def _table(self, name: str) -> str:
        return f"{self._quoted(self._schema)}.{self._quoted(name)}"
