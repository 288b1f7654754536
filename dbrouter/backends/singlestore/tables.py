"""SingleStore's `CREATE TABLE`: where rows lie and how they are sorted, and neither foreign keys nor unique sets."""

from __future__ import annotations

from typing import Any

from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.backends.mysql.tables import Compiling, IndexedTables

SORTED = "dbr_sorted"
"""The table's column by which its rows lie in order."""


def order_on_disk(spec: TableSpec) -> str | None:
    """The column that listings go by, if the table has one."""
    return next((each for each in ("created_at", "start_time") if spec.has(each)), None)


class ShardedTables(IndexedTables):
    """Compiles a table with its shard and sort keys. Its key is the shard key: only so it can be enforced."""

    def create_table_constraints(self, table: Any, _include_foreign_key_constraints: Any = None, **kw: Any) -> str:
        """The key, the shard key, the sort key, then the indexes by name."""
        key, *indexes = (
            super()
            .create_table_constraints(table, _include_foreign_key_constraints=_include_foreign_key_constraints, **kw)
            .split(", \n\t")
        )
        shard = ", ".join(self.preparer.format_column(column) for column in table.primary_key)
        lines = [key, f"SHARD KEY ({shard})"]
        if table.info[SORTED] is not None:
            lines.append(f"SORT KEY ({self.preparer.quote(table.info[SORTED])})")
        return ", \n\t".join([*lines, *indexes])


class Sharding(Compiling):
    """SQLAlchemy's dialect, for making SingleStore's tables."""

    supports_statement_cache = True
    ddl_compiler = ShardedTables
