"""agno's tables as DDL: its names, types, indexes and constraints, plus the indexes our listings need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbrouter.backends.kernel.filters import EVERYTHING, And, Filter, IsNull, Not
from dbrouter.backends.kernel.identifiers import fitting
from dbrouter.backends.kernel.tables import Column, Index, TableSpec, Unique
from dbrouter.backends.kernel.tenant_tables import ALL_TABLES
from dbrouter.backends.sql.dialect import Dialect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import MetaData, Table


def ddl(spec: TableSpec, names: Mapping[str, str], dialect: Dialect, schema: str | None) -> list[str]:
    """CREATE TABLE and CREATE INDEX statements for one table, each harmless if it exists.

    names: spec name -> physical name, for the table and its parents.
    """
    from sqlalchemy.schema import CreateIndex, CreateTable

    table = built(spec, names, dialect, schema)
    compiler = dialect.compiler()
    statements: list[Any] = [CreateTable(table, if_not_exists=True)]
    if dialect.indexes_apart:
        indexes = sorted(table.indexes, key=lambda each: str(each.name))
        statements.extend(CreateIndex(index, if_not_exists=True) for index in indexes)
    return [str(statement.compile(dialect=compiler)) for statement in statements]


def built(spec: TableSpec, names: Mapping[str, str], dialect: Dialect, schema: str | None) -> Table:
    """The table as SQLAlchemy has it: what `ddl` says in words."""
    from sqlalchemy import MetaData

    return _with_parents(spec, names, dialect, MetaData(schema=schema))


def lineage(spec: TableSpec, dialect: Dialect) -> list[str]:
    """The table after the tables its foreign keys name: the order to create them in."""
    result: list[str] = []
    for parent in spec.parents:
        if dialect.has_foreign_key(spec, parent.table):
            result.extend(each for each in lineage(ALL_TABLES[parent.table], dialect) if each not in result)
    return [*result, spec.name]


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
        physical,
        metadata,
        *(_column(column, spec, names, dialect, metadata.schema) for column in spec.columns),
        **dialect.options(spec),
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
    for unique in spec.uniques if dialect.keeps_uniques else ():
        if unique.where == EVERYTHING or not dialect.partial_indexes:
            columns = unique.columns if unique.where == EVERYTHING else _whole(table, unique)
            table.append_constraint(UniqueConstraint(*columns, name=fitting(f"{physical}_{unique.name}")))
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


def _whole(table: Table, unique: Unique) -> tuple[str, ...]:
    """The columns of a partial unique set where indexes have all rows.

    A null takes nothing in a unique set, so a column that is null outside the condition stands for the first.
    """
    from sqlalchemy import Column as SqlColumn
    from sqlalchemy import Computed

    first, *others = unique.columns
    if all(each in unique.columns for each in _required(unique.where)):
        return unique.columns
    stand_in = f"dbr_{unique.name}"
    only = f"CASE WHEN {_partial(unique.where)} THEN {first} END"
    table.append_column(SqlColumn(stand_in, table.c[first].type, Computed(only, persisted=False)))
    return (stand_in, *others)


def _required(where: Filter) -> Iterator[str]:
    """The columns that must not be null, and the empty name for anything else that is asked."""
    match where:
        case Not(filter=IsNull(field=field)):
            yield field.column
        case And(filters=filters):
            for each in filters:
                yield from _required(each)
        case _:
            yield ""


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
    nullable = spec.takes_null and not (spec.sqlite_not_null and dialect.name == "sqlite")
    return SqlColumn(
        spec.name,
        dialect.column_type(spec, table),
        *keys,
        primary_key=table.key == (spec.name,),
        nullable=nullable,
        unique=(spec.unique and dialect.keeps_uniques) or None,
    )


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
