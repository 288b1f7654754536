"""Tables are agno's: the same columns, keys, constraints and indexes, with indexes of ours beside them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import agno.db.postgres
import agno.db.postgres.schemas
import agno.db.sqlite
import agno.db.sqlite.schemas
import pytest
from sqlalchemy import Engine, create_engine, inspect, text

from dbrouter.backends.kernel.agno_tables import TABLES as EVERY_TABLE
from dbrouter.backends.kernel.filters import EVERYTHING
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.backends.postgres.dialect import PostgresDialect
from dbrouter.backends.postgres.store import AsyncPostgresStore, PostgresStore
from dbrouter.backends.sql.schema import _partial
from dbrouter.backends.sqlite.dialect import SqliteDialect
from dbrouter.backends.sqlite.store import AsyncSqliteStore, SqliteStore

TABLES = {name: spec for name, spec in EVERY_TABLE.items() if not spec.ours}
ABSENT_ON_SQLITE = frozenset({"jobs", "sandbox_bindings"})


class Databases:
    """Two empty databases of one kind: one for agno's class, one for ours."""

    def __init__(self, kind: str, engines: tuple[Engine, Engine], schemas: tuple[str | None, str | None]) -> None:
        self.kind = kind
        self.engines = engines
        self.schemas = schemas
        self.tables = [name for name in TABLES if kind == "postgres" or name not in ABSENT_ON_SQLITE]

    def agno(self, which: int) -> Any:
        """agno's class on the first or the second."""
        if self.kind == "sqlite":
            return agno.db.sqlite.SqliteDb(db_engine=self.engines[which])
        schema: Any = self.schemas[which]
        return agno.db.postgres.PostgresDb(db_engine=self.engines[which], db_schema=schema)

    def ours(self, which: int) -> Any:
        """Our store on the first or the second."""
        if self.kind == "sqlite":
            return SqliteStore(engine=self.engines[which])
        schema: Any = self.schemas[which]
        return PostgresStore(engine=self.engines[which], schema=schema)


@pytest.fixture(
    params=[pytest.param(kind, marks=pytest.mark.backend(kind, mode="interchange")) for kind in ("sqlite", "postgres")]
)
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Databases]:
    if request.param == "sqlite":
        engines = (create_engine(f"sqlite:///{tmp_path}/theirs.db"), create_engine(f"sqlite:///{tmp_path}/ours.db"))
        schemas: tuple[str | None, str | None] = (None, None)
    else:
        url = request.getfixturevalue("postgres").url.replace("postgresql:", "postgresql+psycopg:")
        schema = request.getfixturevalue("postgres_schema")
        engines, schemas = (create_engine(url),) * 2, (schema, f"{schema}_ours")
    yield Databases(request.param, engines, schemas)
    if schemas[1] is not None:
        with engines[1].begin() as connection:
            connection.execute(text(f'drop schema if exists "{schemas[1]}" cascade'))
    for engine in engines:
        engine.dispose()


def reflected(engine: Engine, schema: str | None, table: str) -> dict[str, Any]:
    """What the database itself says of a table, without the name of its schema."""
    asking = inspect(engine)
    return {
        "columns": {
            each["name"]: (str(each["type"]), each["nullable"], each.get("default"))
            for each in asking.get_columns(table, schema)
        },
        "primary key": asking.get_pk_constraint(table, schema)["constrained_columns"],
        "foreign keys": sorted(
            (
                each["name"],
                each["constrained_columns"],
                each["referred_table"],
                each["referred_columns"],
                each["options"],
            )
            for each in asking.get_foreign_keys(table, schema)
        ),
        "uniques": sorted(
            (str(each["name"]), each["column_names"]) for each in asking.get_unique_constraints(table, schema)
        ),
        "indexes": indexes(engine, schema, table),
    }


def indexes(engine: Engine, schema: str | None, table: str) -> dict[str, str]:
    """Every index as the database would create it again: with its columns, order, uniqueness and condition."""
    statement = (
        text("select name, sql from sqlite_master where type = 'index' and sql is not null and tbl_name = :table")
        if schema is None
        else text("select indexname, indexdef from pg_indexes where schemaname = :schema and tablename = :table")
    )
    with engine.connect() as connection:
        found = connection.execute(statement, {"table": table} | ({} if schema is None else {"schema": schema}))
        return {name: re.sub(r"[\"\s]+", " ", sql).replace(f"{schema}.", "") for name, sql in found}


def test_every_table_is_agnos_with_indexes_of_ours_beside(databases: Databases) -> None:
    theirs, mine = databases.agno(0), databases.ours(1)
    for table in databases.tables:
        theirs._get_table(table, create_table_if_not_found=True)
    finish(mine.create_tables(tuple(databases.tables)))
    for table in databases.tables:
        physical = TABLES[table].default_name
        expected = reflected(databases.engines[0], databases.schemas[0], physical)
        found = reflected(databases.engines[1], databases.schemas[1], physical)
        ours = {name for name in found["indexes"] if name.startswith("dbr_")}
        found["indexes"] = {name: sql for name, sql in found["indexes"].items() if name not in ours}
        assert found == expected, table
        declared = {f"dbr_{physical}_{'_'.join(index.columns)}" for index in TABLES[table].indexes if index.ours}
        assert ours == declared, table


def test_agnos_class_accepts_the_tables_that_ours_made(databases: Databases) -> None:
    finish(databases.ours(1).create_tables(tuple(databases.tables)))
    theirs = databases.agno(1)
    for table in databases.tables:
        assert theirs._get_table(table, create_table_if_not_found=True) is not None
    theirs._create_all_tables()


def test_ours_accepts_the_tables_that_agnos_class_made(databases: Databases) -> None:
    theirs, mine = databases.agno(0), databases.ours(0)
    for table in databases.tables:
        theirs._get_table(table, create_table_if_not_found=True)
    before = {
        table: reflected(databases.engines[0], databases.schemas[0], TABLES[table].default_name)
        for table in databases.tables
    }
    assert finish(mine.existing_tables()) >= {TABLES[table].default_name for table in databases.tables}
    assert finish(mine.catalog.missing(databases.tables)) == frozenset()
    finish(mine.create_tables(tuple(databases.tables)))
    assert before == {
        table: reflected(databases.engines[0], databases.schemas[0], TABLES[table].default_name)
        for table in databases.tables
    }


def test_the_async_stores_make_the_same_tables(databases: Databases) -> None:
    async def create(store: Any) -> None:
        await store.create_tables(tuple(databases.tables))
        await store.close()

    url = databases.engines[0].url
    if databases.kind == "sqlite":
        asyncio.run(create(AsyncSqliteStore(url.database)))
    else:
        schema: Any = databases.schemas[0]
        asyncio.run(create(AsyncPostgresStore(url.render_as_string(hide_password=False), schema=schema)))
    finish(databases.ours(1).create_tables(tuple(databases.tables)))
    for table in databases.tables:
        physical = TABLES[table].default_name
        one, two = (reflected(databases.engines[each], databases.schemas[each], physical) for each in (0, 1))
        assert one == two, table


# --- the specs against agno's own descriptions ---

SOURCES = {"postgresql": agno.db.postgres.schemas, "sqlite": agno.db.sqlite.schemas}
DIALECTS = {"postgresql": PostgresDialect("ai"), "sqlite": SqliteDialect()}
DESCRIBED = [
    (dialect, name) for dialect in SOURCES for name in TABLES if dialect == "postgresql" or name not in ABSENT_ON_SQLITE
]


@pytest.mark.parametrize(("dialect", "name"), DESCRIBED)
def test_the_spec_is_agnos_description(dialect: str, name: str) -> None:
    spec, described = TABLES[name].without(dialect), described_by_agno(dialect, name)
    special = {key: described.pop(key) for key in list(described) if key.startswith("_")}
    on_sqlite = dialect == "sqlite"
    assert {column.name: column_as_described(spec, column.name, dialect) for column in spec.columns} == {
        column: {
            "type": str(says["type"]().compile(dialect=compiler(dialect))),
            "nullable": says.get("nullable", True) and not says.get("primary_key", False),
            "index": says.get("index", False),
            "unique": says.get("unique", False),
            "foreign key": (says.get("foreign_key", "").split(".")[-1] or None, says.get("ondelete")),
        }
        for column, says in described.items()
    }
    keys = special.get("__primary_key__") or [name for name, says in described.items() if says.get("primary_key")]
    assert list(spec.key) == list(keys)
    assert [list(each.columns) for each in spec.uniques if each.where == EVERYTHING] == [
        each["columns"] for each in special.get("_unique_constraints", [])
    ]
    assert [
        (each.name, list(each.columns), _partial(each.where)) for each in spec.uniques if each.where != EVERYTHING
    ] == [(each["name"], each["columns"], each["where"]) for each in special.get("_partial_unique_indexes", [])]
    assert [list(each.columns) for each in spec.indexes if not each.ours] == [
        each["columns"] for each in special.get("__composite_indexes__", [])
    ]
    assert on_sqlite or {"__foreign_keys__": special.get("__foreign_keys__", [])} == {
        "__foreign_keys__": [
            {"columns": list(each.columns), "ref_table": each.table, "ref_columns": list(each.references)}
            for each in spec.parents
            if len(each.columns) > 1 and each.enforced
        ]
    }


def described_by_agno(dialect: str, name: str) -> dict[str, Any]:
    source: Any = SOURCES[dialect]
    described: dict[str, Any] = source.get_table_schema_definition(name)
    return dict(described)


def compiler(dialect: str) -> Any:
    from sqlalchemy.dialects import postgresql, sqlite

    return postgresql.dialect() if dialect == "postgresql" else sqlite.dialect()


def column_as_described(spec: TableSpec, name: str, dialect: str) -> dict[str, Any]:
    column = spec.column(name)
    on_sqlite = dialect == "sqlite"
    links = [
        each
        for each in spec.parents
        if each.columns == (name,) and DIALECTS[dialect].has_foreign_key(TABLES[spec.name], each.table)
    ]
    return {
        "type": str(DIALECTS[dialect].column_type(column, spec).compile(dialect=compiler(dialect))),
        "nullable": column.takes_null and not (on_sqlite and column.sqlite_not_null),
        "index": column.index or (on_sqlite and column.sqlite_index),
        "unique": column.unique,
        "foreign key": (links[0].references[0], "CASCADE" if links[0].cascade else None) if links else (None, None),
    }


def test_there_is_a_spec_for_every_table_that_agno_names() -> None:
    db = agno.db.postgres.PostgresDb(db_url="postgresql+psycopg://nobody@127.0.0.1:1/none")
    named = {attribute: name for attribute, name in vars(db).items() if attribute.endswith("_table_name")}
    assert named == {spec.attribute: spec.default_name for spec in TABLES.values()}
