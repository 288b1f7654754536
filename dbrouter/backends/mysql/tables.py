"""MySQL's `CREATE TABLE` as SQLAlchemy makes it, with the indexes in it: there is no `CREATE INDEX IF NOT EXISTS`."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects.mysql.base import MySQLDDLCompiler
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql


class IndexedTables(MySQLDDLCompiler):
    """Compiles a table with its indexes."""

    def create_table_constraints(self, table: Any, _include_foreign_key_constraints: Any = None, **kw: Any) -> str:
        """The constraints, then the indexes by name."""
        constraints = super().create_table_constraints(
            table, _include_foreign_key_constraints=_include_foreign_key_constraints, **kw
        )
        indexes = [self._index(each) for each in sorted(table.indexes, key=lambda each: str(each.name))]
        return ", \n\t".join(each for each in (constraints, *indexes) if each)

    def _index(self, index: Any) -> str:
        columns = ", ".join(self.preparer.format_column(column) for column in index.columns)
        return f"{'UNIQUE ' if index.unique else ''}INDEX {self.preparer.quote(index.name)} ({columns})"


class Compiling(MySQLDialect_pymysql):
    """SQLAlchemy's dialect, for making tables with their indexes."""

    supports_statement_cache = True
    ddl_compiler = IndexedTables
