"""agno's tables as DDL: its names, types, indexes and constraints, plus the indexes our listings need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbrouter.backends.kernel.filters import EVERYTHING, And, Filter, IsNull, Not
from dbrouter.backends.kernel.identifiers import fitting
from dbrouter.backends.kernel.tables import Column, Index, TableSpec
from dbrouter.backends.kernel.tenant_tables import ALL_TABLES, TENANT
from dbrouter.backends.sql.dialect import Dialect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import MetaData, Table
    from sqlalchemy.engine import Dialect as SqlAlchemyDialect

SCHEMA_VERSION = "3.0.0"
"""What agno 3.1.10 stamps on a table it creates."""


def ddl(table: str, names: Mapping[str, str], dialect: Dialect, schema: str | None) -> list[str]:
    """CREATE TABLE and CREATE INDEX statements for one table, each harmless if it exists.

    names: spec name -> physical name, for the table and its parents.
    """
    from sqlalchemy import MetaData
    from sqlalchemy.schema import CreateIndex, CreateTable

    metadata = MetaData(schema=schema)
    built = _with_parents(ALL_TABLES[table], names, dialect, metadata)
    compiler = _compiler(dialect)
    statements: list[Any] = [CreateTable(built, if_not_exists=True)]
    indexes = sorted(built.indexes, key=lambda each: str(each.name))
    statements.extend(CreateIndex(index, if_not_exists=True) for index in indexes)
    return [str(statement.compile(dialect=compiler)) for statement in statements]


def lineage(table: str, dialect: Dialect) -> list[str]:
    """The table after the tables its foreign keys name: the order to create them in."""
    spec = ALL_TABLES[table]
    result: list[str] = []
    for parent in spec.parents:
        if dialect.has_foreign_key(spec, parent.table):
            result.extend(each for each in lineage(parent.table, dialect) if each not in result)
    return [*result, table]


def _compiler(dialect: Dialect) -> SqlAlchemyDialect:
    if dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

        return PGDialect_psycopg()
    from sqlalchemy.dialects.sqlite.base import SQLiteDialect

    return SQLiteDialect()


def _with_parents(spec: TableSpec, names: Mapping[str, str], dialect: Dialect, metadata: MetaData) -> Table:
    for parent in spec.parents:
        if dialect.has_foreign_key(spec, parent.table) and names[parent.table] not in {
            each.name for each in metadata.tables.values()
        }:
            _with_parents(ALL_TABLES[parent.table], names, dialect, metadata)
    return _table(spec.without(dialect.name), names, dialect, metadata)


def _table(spec: TableSpec, names: Mapping[str, str], dialect: Dialect, metadata: MetaData) -> Table:
    from sqlalchemy import ForeignKeyConstraint, PrimaryKeyConstraint, Table, UniqueConstraint, text
    from sqlalchemy import Index as SqlIndex

    physical = names[spec.name]
    table = Table(
        physical, metadata, *(_column(column, spec, names, dialect, metadata.schema) for column in spec.columns)
    )
    if len(spec.key) > 1:
        table.append_constraint(PrimaryKeyConstraint(*spec.key))
    for parent in spec.parents:
        if len(parent.columns) > 1 and dialect.has_foreign_key(spec, parent.table):
            prefix = f"{metadata.schema}." if metadata.schema else ""
            targets = [f"{prefix}{names[parent.table]}.{column}" for column in parent.references]
            name = fitting(f"{physical}_{'_'.join(parent.columns)}_fkey")
            ondelete = "CASCADE" if parent.cascade else None
            table.append_constraint(ForeignKeyConstraint(parent.columns, targets, name=name, ondelete=ondelete))
    for unique in spec.uniques:
        if unique.where == EVERYTHING:
            table.append_constraint(UniqueConstraint(*unique.columns, name=fitting(f"{physical}_{unique.name}")))
        else:
            condition = text(_partial(unique.where))
            SqlIndex(
                fitting(f"{physical}_{unique.name}"),
                *(table.c[column] for column in unique.columns),
                unique=True,
                postgresql_where=condition,
                sqlite_where=condition,
            )
    for column in spec.columns:
        if column.index or (column.sqlite_index and dialect.name == "sqlite"):
            SqlIndex(fitting(f"idx_{physical}_{column.name}"), table.c[column.name])
    for index in spec.indexes:
        prefix = "dbr" if index.ours else "idx"
        condition = text(_partial(index.where)) if index.where != EVERYTHING else None
        SqlIndex(
            fitting(f"{prefix}_{physical}_{'_'.join(index.columns)}"),
            *(_indexed(table.c[column], index, dialect) for column in index.columns),
            postgresql_where=condition,
            sqlite_where=condition,
        )
    return table


def _indexed(column: Any, index: Index, dialect: Dialect) -> Any:
    if index.by_code_point and dialect.name == "postgresql":
        return column.collate("C")
    return column


def _column(spec: Column, table: TableSpec, names: Mapping[str, str], dialect: Dialect, schema: str | None) -> Any:
    from sqlalchemy import Column as SqlColumn
    from sqlalchemy import ForeignKey

    keys = [
        ForeignKey(
            f"{schema + '.' if schema else ''}{names[parent.table]}.{parent.references[0]}",
            ondelete="CASCADE" if parent.cascade else None,
        )
        for parent in table.parents
        if parent.columns == (spec.name,) and dialect.has_foreign_key(table, parent.table)
    ]
    nullable = spec.nullable and not (spec.sqlite_not_null and dialect.name == "sqlite")
    return SqlColumn(
        spec.name,
        _type(spec, dialect),
        *keys,
        primary_key=table.key == (spec.name,),
        nullable=nullable,
        unique=spec.unique or None,
    )


def _type(column: Column, dialect: Dialect) -> Any:
    if column.name == TENANT and dialect.name == "postgresql":
        from sqlalchemy.types import String

        # Compared byte by byte whatever the server's locale, and in the order that listings ask for.
        return String(collation="C")
    return dialect.sqlalchemy_type(column.kind)


def _partial(where: Filter) -> str:
    """The condition of a partial index. Only null tests occur in agno's."""
    match where:
        case IsNull(field=field):
            return f"{field.column} IS NULL"
        case Not(filter=IsNull(field=field)):
            return f"{field.column} IS NOT NULL"
        case And(filters=filters):
            return " AND ".join(_partial(each) for each in filters)
        case _:
            raise AssertionError(f"no partial index on {where}")
