"""SQLite tells tables apart by their names in any letters, and so does the store over it."""

from __future__ import annotations

from pathlib import Path

from dbrouter.backends.kernel.ops import Insert, Scan
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.sqlite.store import SqliteStore
from dbrouter.testing.conformance.records import session


def test_a_table_that_is_named_in_other_letters_is_found(tmp_path: Path) -> None:
    named = SqliteStore(tmp_path / "a.db", tables={"sessions": "Our_Sessions"})
    finish(named.execute(Insert(table="sessions", records=(session("s1"),))))
    other = SqliteStore(tmp_path / "a.db", tables={"sessions": "our_sessions"})
    assert len(finish(other.execute(Scan(table="sessions"))).records) == 1
    assert "our_sessions" in finish(other.existing_tables())
    for each in (named, other):
        finish(each.close())
