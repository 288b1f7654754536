"""The tables are those that agno's own migrations make, and nothing that was there is gone."""

from __future__ import annotations

import asyncio
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from agno.db.migrations.manager import MigrationManager
from sqlalchemy import create_engine, inspect
from sqlalchemy.pool import NullPool

from dbrouter.backends import SqliteDb
from tests.migrations.conftest import MakeOld, Migrate, configured, on
from tests.migrations.old import Old, load_sqlite


@contextmanager
def inspected(old: Old) -> Iterator[tuple[Any, str | None]]:
    """SQLAlchemy's own look at it, and the schema to look into."""
    entry = old.entry
    url = (
        f"sqlite:///{entry['path']}"
        if old.kind == "sqlite"
        else entry["url"].replace("postgresql:", "postgresql+psycopg:")
    )
    engine = create_engine(url, poolclass=NullPool)
    try:
        yield inspect(engine), entry.get("schema")
    finally:
        engine.dispose()


def shape(old: Old) -> dict[str, dict[str, Any]]:
    """Table -> columns, key, unique sets and the columns of indexes."""
    with inspected(old) as (look, schema), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {
            table: {
                "columns": {each["name"]: each["nullable"] for each in look.get_columns(table, schema=schema)},
                "key": tuple(look.get_pk_constraint(table, schema=schema)["constrained_columns"]),
                "unique": {tuple(each["column_names"]) for each in look.get_unique_constraints(table, schema=schema)},
                "indexes": {
                    (tuple(each["column_names"]), bool(each["unique"]))
                    for each in look.get_indexes(table, schema=schema)
                    if not str(each["name"]).startswith("dbr_")
                },
            }
            for table in look.get_table_names(schema=schema)
        }


@on("sqlite", "postgres")
@pytest.mark.parametrize("release", ["2.3.0", "2.9.0"])
def test_tables_are_as_agno_makes_them(old: MakeOld, release: str, tmp_path: Path, migrate: Migrate) -> None:
    ours, theirs = old(release), old(release)
    before = shape(ours)
    db = theirs.agno()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        asyncio.run(MigrationManager(db).up())
    db.close()
    assert migrate(configured(tmp_path, ours), "--apply").exit_code == 0

    found, expected = shape(ours), shape(theirs)
    assert found.keys() == expected.keys()
    for table, held in expected.items():
        assert found[table]["columns"] == held["columns"], table
        assert found[table]["key"] == held["key"], table
        assert found[table]["unique"] == held["unique"], table
        assert found[table]["indexes"] >= held["indexes"], table
    for table, held in before.items():
        assert found[table]["columns"].items() >= held["columns"].items(), table


@on("sqlite")
def test_what_the_release_before_writes_fits_into_the_tables_of_today(kind: str, tmp_path: Path) -> None:
    assert kind == "sqlite"
    today, before = tmp_path / "today.db", tmp_path / "before.db"
    db = SqliteDb(db_file=str(today))
    db._create_all_tables()
    db.close()
    load_sqlite("3.0.0", before)
    with closing(sqlite3.connect(today)) as connection:
        connection.execute("attach ? as before", (str(before),))
        tables = [name for (name,) in connection.execute("select name from before.sqlite_master where type = 'table'")]
        existing = {name for (name,) in connection.execute("select name from main.sqlite_master where type = 'table'")}
        assert len(existing.intersection(tables)) > 10
        for table in existing.intersection(tables) - {"agno_schema_versions"}:
            columns = ", ".join(row[1] for row in connection.execute(f"pragma before.table_info({table})"))
            connection.execute(f"insert into main.{table} ({columns}) select {columns} from before.{table}")
