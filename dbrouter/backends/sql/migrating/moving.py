"""The runs that agno kept inside their session before agno 3, copied to the table of runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from dbrouter.backends.kernel.codec import decode
from dbrouter.backends.kernel.legacy_runs import records_of
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.migrating import LEGACY_RUNS, Told
from dbrouter.backends.sql.connections import Unit
from dbrouter.backends.sql.migrating.changes import Changes
from dbrouter.backends.sql.migrating.unmoved import holding_runs
from dbrouter.backends.sql.statements import Statement
from dbrouter.backends.sql.store import SqlStore

SESSIONS_AT_ONCE = 50
"""As many as agno's migration reads at once: a session's runs may be large."""


async def copy_runs(store: SqlStore, changes: Changes, told: Told, *, since: float | None = None) -> None:
    """Copy them, session after session, in the order of their ids. A run that is there already stays as it is.

    The column keeps what it has, as a backup. since: leave out runs that began before.
    """
    dialect, after = store.dialect, ""
    key = dialect.code_points(dialect.quoted("session_id"))
    what = f"{dialect.quoted('session_id')}, {dialect.quoted('user_id')}, {changes.text(LEGACY_RUNS)}"
    found = holding_runs(dialect, store.physical_name("sessions"), what)
    text = f"{found} AND {key} > {dialect.placeholder} ORDER BY {key} LIMIT {SESSIONS_AT_ONCE}"
    while True:
        rows = (await store.connections.run(Unit([Statement(text, (after,))])))[0].rows
        if not rows:
            return
        records = [record for row in rows for record in _records(row, since)]
        if records:
            await store.connections.run(Unit(list(_inserts(store, records)), atomic=True))
        after = rows[-1][0]
        told(len(rows))


def forget_runs(store: SqlStore) -> tuple[str, ...]:
    """The statement that drops the column."""
    table = store.dialect.qualified(store.physical_name("sessions"))
    return (f"ALTER TABLE {table} DROP COLUMN {store.dialect.quoted(LEGACY_RUNS)}",)


def _records(row: Any, since: float | None) -> Iterator[Record]:
    session_id, user_id, runs = row
    found = decode(runs)
    if isinstance(found, str):
        # agno's class for SQLite writes JSON text as a text of JSON.
        found = decode(found)
    yield from records_of(found, session_id=session_id, user_id=user_id, now=int(time.time()), since=since)


def _inserts(store: SqlStore, records: list[Record]) -> Iterator[Statement]:
    relation, dialect = store.layout.relations["runs"], store.dialect
    columns = tuple(relation.kinds)
    most = max(1, dialect.max_params // len(columns))
    names = ", ".join(map(relation.quoted, columns))
    values = ", ".join(dialect.bound(relation.kinds[each]) for each in columns)
    for start in range(0, len(records), most):
        some = [relation.completed(each) for each in records[start : start + most]]
        params = tuple(relation.written(column, each[column]) for each in some for column in columns)
        text = dialect.insert_if_absent(relation.table, names, "), (".join([values] * len(some)))
        yield Statement(text, params, True, False)
