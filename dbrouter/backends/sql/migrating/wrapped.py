r"""JSON of sessions that agno before 3.1 wrote on SQLite as a text of JSON: `"{\"a\": 1}"` for `{"a": 1}`."""

from __future__ import annotations

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.tables import Kind
from dbrouter.backends.sql.dialect import Dialect

COLUMNS = tuple(column.name for column in TABLES["sessions"].columns if column.kind is Kind.JSON)
"""All of them hold objects, so that a text in one is such a text."""

_OPENINGS = "'\"{', '\"['"

PROBED = 1_000
"""Sessions that are looked at before others are read, the oldest first: those of an older agno come first."""


def how_many(dialect: Dialect, sessions: str) -> str:
    """A select of how many sessions have such JSON."""
    return f"SELECT COUNT(*) FROM {dialect.qualified(sessions)} WHERE {_any(dialect)}"


def one_of_the_oldest(dialect: Dialect, sessions: str) -> str:
    """A select that gives a row if one of the oldest sessions has such JSON."""
    some = ", ".join(map(dialect.quoted, COLUMNS))
    oldest = f"SELECT {some} FROM {dialect.qualified(sessions)} ORDER BY rowid LIMIT {PROBED}"
    return f"SELECT 1 FROM ({oldest}) AS oldest WHERE {_any(dialect)} LIMIT 1"


def unwrapping(dialect: Dialect, sessions: str) -> str:
    """The statement that makes it JSON."""
    changes = ", ".join(
        f"{dialect.quoted(each)} = CASE WHEN {_is_wrapped(dialect, each)}"
        f" THEN json_extract({dialect.quoted(each)}, '$') ELSE {dialect.quoted(each)} END"
        for each in COLUMNS
    )
    return f"UPDATE {dialect.qualified(sessions)} SET {changes} WHERE {_any(dialect)}"


def _any(dialect: Dialect) -> str:
    return " OR ".join(_is_wrapped(dialect, each) for each in COLUMNS)


def _is_wrapped(dialect: Dialect, column: str) -> str:
    name = dialect.quoted(column)
    return f"(substr({name}, 1, 2) IN ({_OPENINGS}) AND json_valid({name}))"
