"""A table that is missing and is none of ours, and a column that was taken from one of ours."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dbrouter.backends.kernel.errors import StoreError
from dbrouter.backends.kernel.ops import Insert, Scan
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.sqlite.store import SqliteStore
from dbrouter.testing.conformance.records import learning


def test_a_table_that_a_trigger_writes_to_is_missed_by_name(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db")
    finish(store.create_tables(("learnings",)))
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute("CREATE TRIGGER t AFTER INSERT ON agno_learnings BEGIN INSERT INTO audit VALUES (1); END")
    with pytest.raises(StoreError, match=r"a\.db: no such table: main\.audit") as refused:
        finish(store.execute(Insert(table="learnings", records=(learning("a"),))))
    assert not refused.value.retryable
    assert finish(store.execute(Scan(table="learnings"))).records == []
    finish(store.close())


def test_a_column_that_is_gone_is_no_outage_whatever_its_table_is_called(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db", tables={"learnings": "unlocked"})
    finish(store.create_tables(("learnings",)))
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute("ALTER TABLE unlocked DROP COLUMN metadata")
    with pytest.raises(StoreError, match="unlocked has no column named metadata") as refused:
        finish(store.execute(Insert(table="learnings", records=(learning("a", metadata={}),))))
    assert not refused.value.retryable
    finish(store.close())
