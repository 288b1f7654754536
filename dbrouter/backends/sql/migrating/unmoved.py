"""Whether sessions are as an older agno wrote them, so that reading them as they are would be wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from dbrouter.backends.kernel.migrating import LEGACY_RUNS, UNSTAMPED, is_older
from dbrouter.backends.sql.connections import Connections, Unit
from dbrouter.backends.sql.dialect import Dialect
from dbrouter.backends.sql.migrating.wrapped import one_of_the_oldest
from dbrouter.backends.sql.statements import Statement

NOTHING = ("null", "[]", '"null"', '"[]"', "")
"""What stands in the column of a session without runs."""


def holding_runs(dialect: Dialect, sessions: str, what: str) -> str:
    """A select, from the sessions with runs in them, of `what`."""
    empty = ", ".join("'" + each + "'" for each in NOTHING)
    held = f"{dialect.quoted(LEGACY_RUNS)} IS NOT NULL AND {dialect.changes().text(LEGACY_RUNS)} NOT IN ({empty})"
    return f"SELECT {what} FROM {dialect.qualified(sessions)} WHERE {held}"


async def sessions_lack(
    names: Mapping[str, str], columns: Mapping[str, Collection[str]], dialect: Dialect, connections: Connections
) -> str | None:
    """Why sessions cannot be read as they are; `None` if they can. Arguments as for `are_unmoved`."""
    if names["sessions"] not in columns:
        return None
    if await are_unmoved(names, columns, dialect, connections):
        return "still holds runs that belong in a table of their own"
    if not dialect.changes().wraps_json:
        return None
    rows = (await connections.run(Unit([Statement(one_of_the_oldest(dialect, names["sessions"]))])))[0].rows
    return "holds JSON that was written as a text of JSON" if rows else None


async def are_unmoved(
    names: Mapping[str, str], columns: Mapping[str, Collection[str]], dialect: Dialect, connections: Connections
) -> bool:
    """Whether runs are in the sessions that are not in the table of runs.

    names: spec name -> physical name; columns: of every table by its physical name. Asks the database only where the
    sessions have the old column, which a migration leaves as a backup: a stamp then says that it was copied.
    """
    if LEGACY_RUNS not in columns.get(names["sessions"], ()):
        return False
    if names["runs"] in columns and not is_older(await _stamp(names, columns, dialect, connections)):
        return False
    one = Statement(f"{holding_runs(dialect, names['sessions'], '1')} LIMIT 1")
    return bool((await connections.run(Unit([one])))[0].rows)


async def _stamp(
    names: Mapping[str, str], columns: Mapping[str, Collection[str]], dialect: Dialect, connections: Connections
) -> str:
    if names["versions"] not in columns:
        return UNSTAMPED
    text = (
        f"SELECT {dialect.quoted('version')} FROM {dialect.qualified(names['versions'])}"
        f" WHERE {dialect.quoted('table_name')} = {dialect.placeholder}"
    )
    rows = (await connections.run(Unit([Statement(text, (names["sessions"],))])))[0].rows
    return rows[0][0] or UNSTAMPED if rows else UNSTAMPED
