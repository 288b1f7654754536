"""A table that is missing and is none of ours."""

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
