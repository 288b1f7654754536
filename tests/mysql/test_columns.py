"""Tables are agno's where agno has them, no index is longer than MySQL takes, no text is cut."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import agno.db.mysql.schemas
import agno.db.singlestore.schemas
import pytest

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.errors import TooLarge
from dbrouter.backends.kernel.filters import EVERYTHING, eq
from dbrouter.backends.kernel.ops import Insert, Scan, Update, Upsert
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.tables import Kind, TableSpec
from dbrouter.backends.kernel.tenant_tables import ALL_TABLES
from dbrouter.backends.mysql.column_types import AGNOS
from dbrouter.backends.mysql.dialect import MySqlDialect
from dbrouter.backends.mysql.flavour import MARIADB, MYSQL, Server
from dbrouter.backends.mysql.store import MySqlStore
from dbrouter.backends.singlestore.dialect import SingleStoreDialect
from dbrouter.backends.sql.layout import Layout
from dbrouter.testing.conformance.records import learning, session

LONGEST_KEY = 3072
"""Bytes of an index in InnoDB."""
DIALECTS: dict[str, tuple[MySqlDialect, Any]] = {
    "mysql": (MySqlDialect("ai", Server(MYSQL)), agno.db.mysql.schemas),
    "singlestore": (SingleStoreDialect("ai", Server()), agno.db.singlestore.schemas),
}


@pytest.mark.parametrize("kind", DIALECTS)
@pytest.mark.parametrize("table", sorted(AGNOS))
def test_columns_have_the_types_that_agnos_class_gives_them(kind: str, table: str) -> None:
    dialect, schemas = DIALECTS[kind]
    described = schemas.get_table_schema_definition(table)
    for column in TABLES[table].columns:
        ours, theirs = dialect.column_type(column, TABLES[table]), described[column.name]["type"]()
        assert str(ours.compile(dialect=dialect.compiler())) == str(theirs.compile(dialect=dialect.compiler())), column
        assert column.takes_null == described[column.name].get("nullable", True), column
    assert set(TABLES[table].column_names) == {name for name in described if not name.startswith("_")}


def test_agno_has_no_other_tables_on_mysql() -> None:
    for schemas in (agno.db.mysql.schemas, agno.db.singlestore.schemas):
        for table in TABLES.keys() - AGNOS:
            with pytest.raises(ValueError, match="Unknown table type"):
                schemas.get_table_schema_definition(table)


def sets(spec: TableSpec) -> Iterable[tuple[str, ...]]:
    yield spec.key
    yield from (each.columns for each in (*spec.indexes, *spec.uniques))
    yield from ((column.name,) for column in spec.columns if column.index or column.unique)


@pytest.mark.parametrize("table", ALL_TABLES)
def test_no_index_is_longer_than_innodb_takes(table: str) -> None:
    spec = ALL_TABLES[table]
    dialect = DIALECTS["mysql"][0]
    for columns in sets(spec):
        taken = 0
        for column in map(spec.column, columns):
            longest = dialect.longest(column, spec)
            if column.kind is Kind.STRING:
                assert longest is not None, f"{column.name} is indexed, so it must have a length"
                taken += 4 * longest.limit
            else:
                taken += 8
        assert taken <= LONGEST_KEY, columns


def test_a_unique_set_of_some_rows_only_is_one_of_a_column_that_is_null_outside_them() -> None:
    (text,) = Layout({}, MySqlDialect("ai", Server(MARIADB)), "ai").definition("schedules")
    assert (
        "dbr_uq_unowned_name VARCHAR(255) GENERATED ALWAYS AS (CASE WHEN user_id IS NULL THEN name END) VIRTUAL" in text
    )
    assert "CONSTRAINT agno_schedules_uq_unowned_name UNIQUE (dbr_uq_unowned_name)" in text
    # A null takes nothing anyway.
    assert "CONSTRAINT agno_schedules_uq_user_name UNIQUE (user_id, name)" in text


TOO_LONG: dict[str, dict[str, Any]] = {
    "sessions.session_id": session("x" * 129),
    "sessions.session_type": {**session("s"), "session_type": "x" * 21},
    "sessions.user_id": session("s", user_id="\U0001f600" * 129),
}


@pytest.mark.parametrize("column", TOO_LONG)
def test_a_text_that_is_too_long_for_its_column_is_refused_by_name_before_it_is_sent(
    store: MySqlStore, column: str
) -> None:
    with pytest.raises(TooLarge, match=column):
        finish(store.execute(Upsert(table="sessions", records=(TOO_LONG[column],))))
    # Nothing was asked of the server but which tables it has, if that.
    assert finish(store.execute(Scan(table="sessions"))).records == []


def test_a_text_of_exactly_the_length_fits_whatever_its_characters(store: MySqlStore) -> None:
    longest = "\U0001f600" * 128
    finish(store.execute(Insert(table="sessions", records=(session(longest),))))
    assert finish(store.execute(Scan(table="sessions"))).records[0]["session_id"] == longest
    # A question about what cannot be there has an answer.
    assert finish(store.execute(Scan(table="sessions", where=eq("session_id", longest * 2)))).records == []


def test_a_change_to_a_text_that_is_too_long_is_refused(store: MySqlStore) -> None:
    finish(store.execute(Insert(table="learnings", records=(learning("a"),))))
    with pytest.raises(TooLarge, match=r"learnings\.namespace takes 128 characters"):
        finish(store.execute(Update(table="learnings", where=EVERYTHING, changes={"namespace": "x" * 129})))


def test_agnos_text_ends_at_its_bytes(store: MySqlStore) -> None:
    record = {"memory_id": "m", "memory": "x", "created_at": 1, "input": "é" * 32_768}
    with pytest.raises(TooLarge, match=r"memories\.input takes 65535 bytes"):
        finish(store.execute(Insert(table="memories", records=(record,))))
    finish(store.execute(Insert(table="memories", records=({**record, "input": "é" * 32_767},))))
    assert finish(store.execute(Scan(table="memories"))).records[0]["input"] == "é" * 32_767
