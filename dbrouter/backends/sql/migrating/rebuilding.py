"""The daily metrics, whose unique set of older agnos knows no owner."""

from __future__ import annotations

from datetime import date

from dbrouter.backends.kernel.errors import StoreError
from dbrouter.backends.kernel.tables import Kind
from dbrouter.backends.sql.dialect import Dialect
from dbrouter.backends.sql.migrating.differences import Compared
from dbrouter.backends.sql.statements import Statement

EARLIEST = date(1000, 1, 1)
"""Before every day of metrics, and the first that MySQL promises to hold."""

ASIDE = "_pre_v3_0_0"
"""What agno calls the old table while the new one is filled."""


def rebuilt(table: Compared, dialect: Dialect) -> tuple[str, ...]:
    """Statements that make the table anew with all of its rows, where its unique set cannot be changed.

    All in one transaction. `StoreError` if it has columns that nobody declares: they would be lost.
    """
    from sqlalchemy.schema import CreateIndex, CreateTable

    strange = sorted(set(table.found.columns) - set(table.spec.column_names))
    if strange:
        raise StoreError(
            f"{table.physical} cannot be made anew: it has columns that agno does not declare, {', '.join(strange)};"
            " move them to a table of your own"
        )
    quoted = dialect.quoted
    name, aside = dialect.qualified(table.physical), dialect.qualified(table.physical + ASIDE)
    kept = [each for each in table.spec.column_names if each in table.found.columns and each != table.spec.owner]
    owner = f"COALESCE({quoted('user_id')}, '')" if table.spec.owner in table.found.columns else "''"
    columns = ", ".join(map(quoted, kept))
    compiler = dialect.compiler()
    # Indexes that a constraint brings go with their table; others would keep their names from the new ones.
    indexes = [
        each for each, index in table.found.indexes.items() if not each.startswith("sqlite_") and not index.primary
    ]
    return (
        f"ALTER TABLE {name} RENAME TO {quoted(table.physical + ASIDE)}",
        *(f"DROP INDEX IF EXISTS {quoted(each)}" for each in indexes),
        str(CreateTable(table.wanted).compile(dialect=compiler)),
        *(str(CreateIndex(each).compile(dialect=compiler)) for each in sorted(table.wanted.indexes, key=str)),
        f"INSERT INTO {name} ({columns}, {quoted('user_id')}) SELECT {columns}, {owner} FROM {aside}",
        f"DROP TABLE {aside}",
    )


def unfinished_day(table: str, dialect: Dialect) -> Statement:
    """Removes the newest day of nobody's metrics where it was not over, as agno's migration does.

    It is computed anew, per owner; left there, that day would be counted twice for good.
    """
    name, quoted = dialect.qualified(table), dialect.quoted
    day, completed = quoted("date"), quoted("completed")
    # In derived tables: MySQL reads none beside what it deletes from.
    last = (
        f"SELECT COALESCE(MAX({day}), {dialect.bound(Kind.DATE)}) AS dbr_day FROM {name} WHERE {completed} = TRUE",
        f"SELECT MAX({day}) AS dbr_day FROM {name}",
    )
    finished, newest = (f"(SELECT dbr_day FROM ({each}) AS dbr_days)" for each in last)
    text = (
        f"DELETE FROM {name} WHERE {completed} = FALSE AND {quoted('user_id')} = ''"
        f" AND {day} > {finished} AND {day} = {newest}"
    )
    return Statement(text, (dialect.to_database(Kind.DATE, EARLIEST),), True, False)
