"""The tables that tenants share: agno's, led by the tenant, under names that no database cuts or confuses."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.identifiers import LONGEST, fitting
from dbrouter.backends.kernel.tenant_tables import (
    ALL_TABLES,
    TENANT,
    TENANT_TABLES,
    children_of,
    physical_names,
    tenant_table,
)
from dbrouter.backends.postgres.dialect import PostgresDialect
from dbrouter.backends.sql.dialect import Dialect
from dbrouter.backends.sql.schema import ddl
from dbrouter.backends.sqlite.dialect import SqliteDialect

DIALECTS: dict[str, Dialect] = {"postgresql": PostgresDialect("ai"), "sqlite": SqliteDialect()}
LONG = {name: f"{name}_{'x' * 62}"[:62] for name in TABLES}


def definitions(dialect: str, names: dict[str, str]) -> list[str]:
    """The DDL of all tables."""
    schema = "ai" if dialect == "postgresql" else None
    return [text for table in ALL_TABLES for text in ddl(ALL_TABLES[table], names, DIALECTS[dialect], schema)]


@pytest.mark.parametrize("table", TENANT_TABLES)
def test_the_tenant_leads_every_key_index_unique_set_and_reference(table: str) -> None:
    spec = TENANT_TABLES[table]
    led = [spec.key, *(index.columns for index in spec.indexes), *(unique.columns for unique in spec.uniques)]
    led += [columns for parent in spec.parents for columns in (parent.columns, parent.references)]
    assert {columns[0] for columns in led} == {TENANT}
    assert not any(column.index or column.unique for column in spec.columns)
    assert all(parent.table in TENANT_TABLES for parent in spec.parents)
    assert not spec.column(TENANT).nullable


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("names", [{}, LONG], ids=["default names", "the longest names"])
def test_no_name_is_cut_and_no_two_are_the_same(dialect: str, names: dict[str, str]) -> None:
    made: list[str] = []
    for text in definitions(dialect, physical_names(names)):
        found = re.findall(r'(?:CREATE TABLE|INDEX) IF NOT EXISTS (?:ai\.)?"?([^\s"(]+)', text)
        assert len(found) == 1, text
        made += found
        constraints = re.findall(r'CONSTRAINT "?([^\s"(]+)', text)
        assert len(set(constraints)) == len(constraints)
        assert all(len(each.encode()) <= LONGEST for each in constraints), text
    assert [name for name, uses in Counter(made).items() if uses > 1] == []
    assert [name for name in made if len(name.encode()) > LONGEST] == []


def test_a_name_that_fits_stays_and_two_that_do_not_stay_two() -> None:
    assert fitting("x" * LONGEST) == "x" * LONGEST
    one, other = fitting("x" * 64), fitting("x" * 65)
    assert one != other
    assert len(fitting("é" * 40).encode()) <= LONGEST
    assert fitting("é" * 40).startswith("é" * 20)


def test_shared_tables_are_named_after_what_agnos_are_called() -> None:
    names = physical_names({"sessions": "app1_sessions", tenant_table("runs"): "elsewhere"})
    assert names["sessions"] == "app1_sessions"
    assert names[tenant_table("sessions")] == "tenants_app1_sessions"
    assert names[tenant_table("runs")] == "elsewhere"
    assert names[tenant_table("traces")] == "tenants_agno_traces"


def test_children_are_of_the_same_kind_as_their_parent() -> None:
    assert {child.name for child in children_of("sessions")} >= {"runs", "transcripts"}
    assert {tenant_table(child.name) for child in children_of("sessions")} == {
        child.name for child in children_of(tenant_table("sessions"))
    }


def test_references_of_several_columns_cascade_where_the_table_says_so() -> None:
    names = physical_names({})
    for dialect in DIALECTS.values():
        (runs, *_) = ddl(ALL_TABLES[tenant_table("runs")], names, dialect, None)
        assert re.search(r"FOREIGN KEY\(dbr_tenant, session_id\) REFERENCES [^)]*\) ON DELETE CASCADE", runs), runs
        (spans, *_) = ddl(ALL_TABLES[tenant_table("spans")], names, dialect, None)
        assert "FOREIGN KEY(dbr_tenant, trace_id)" in spans
        assert "CASCADE" not in spans
