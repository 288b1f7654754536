"""SQLite's SQL, with functions of our own that every connection of ours registers (`FUNCTIONS`)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from dbrouter.backends.kernel.aggregating import percentile
from dbrouter.backends.kernel.codec import MARK, as_json_text, decode, encode_text
from dbrouter.backends.kernel.errors import Corrupt
from dbrouter.backends.kernel.filters import Field
from dbrouter.backends.kernel.matching import fold, json_text, like, read
from dbrouter.backends.kernel.merging import elapsed_ms
from dbrouter.backends.kernel.tables import Column, Kind, TableSpec
from dbrouter.backends.sql.dialect import Longest
from dbrouter.backends.sql.statements import Statement
from dbrouter.backends.sqlite.changes import SqliteChanges

LISTED = 100
"""Up to so many values of a list are parameters each, which is faster. SQLite takes 32,766 in a statement, and fewer
where it was built so; a longer list goes as one JSON text."""


def dbr_like(text: str | None, pattern: str) -> int | None:
    """LIKE with escape backslash that ignores the case of all letters; SQLite's own knows only ASCII's."""
    return None if text is None else int(like(fold(pattern), fold(str(text))))


def dbr_json_like(text: str | None, pattern: str) -> int | None:
    """`dbr_like` over the canonical text of a JSON value, however it was written."""
    if text is None:
        return None
    word = _word_in(pattern)
    if word is not None and "\\" not in text:
        # A word stands in every way of writing the value, unless something in it is escaped.
        return int(word in fold(text))
    return dbr_like(text if MARK in text else json_text(decode(text)), pattern)


@lru_cache(maxsize=256)
def _word_in(pattern: str) -> str | None:
    """The letters, folded, or the digits that a pattern like `%word%` looks for; `None` for any other pattern."""
    word = pattern[1:-1]
    return (
        fold(word) if pattern.startswith("%") and pattern.endswith("%") and (word.isalpha() or word.isdigit()) else None
    )


def dbr_json_at(text: str | None, *path: str) -> str | None:
    """What `json_at` gives, for the text that SQLite does not take for JSON: agno's writer leaves NaN and Infinity."""
    if text is None:
        return None
    try:
        found = read(Field("value", path), {"value": decode(text)})
    except Corrupt:
        return None
    return None if found is None else encode_text(found)


def dbr_elapsed_ms(start: str, end: str) -> int:
    """Whole milliseconds between two ISO-8601 times; julianday would lose digits."""
    return elapsed_ms(start, end)


class Percentile95:
    """An aggregate function: the interpolated 95th percentile of the numbers it is given."""

    def __init__(self) -> None:
        self._values: list[float] = []

    def step(self, value: float | None) -> None:
        """Take in one value; nulls are left out."""
        if value is not None:
            self._values.append(value)

    def finalize(self) -> float | None:
        """The percentile, or `None` of nothing."""
        return percentile(self._values, 0.95)


FUNCTIONS: tuple[tuple[str, int, Callable[..., Any]], ...] = (
    ("dbr_like", 2, dbr_like),
    ("dbr_json_like", 2, dbr_json_like),
    ("dbr_json_at", -1, dbr_json_at),
    ("dbr_elapsed_ms", 2, dbr_elapsed_ms),
)


class SqliteDialect:
    """SQLite 3.35 and newer (RETURNING)."""

    name = "sqlite"
    placeholder = "?"
    max_params = 30_000
    returning = True
    inserts_return = True
    on_duplicate_key = False
    partial_indexes = True
    indexes_apart = True
    keeps_uniques = True
    together = False
    exact_columns = True
    writes_out_floats = False

    def quoted(self, identifier: str) -> str:
        return '"' + identifier.replace('"', '""') + '"'

    def qualified(self, name: str) -> str:
        return self.quoted(name)

    def folded(self, name: str) -> str:
        return name.lower()

    def compiler(self) -> Any:
        from sqlalchemy.dialects.sqlite.base import SQLiteDialect

        return SQLiteDialect()

    def column_type(self, column: Column, table: TableSpec) -> Any:
        from sqlalchemy.types import JSON, BigInteger, Boolean, Date, DateTime, String, Text

        return {
            Kind.STRING: String,
            Kind.NOTE: String,
            Kind.TEXT: Text,
            Kind.BIGINT: BigInteger,
            Kind.INTEGER: BigInteger,
            Kind.BOOLEAN: Boolean,
            Kind.DATE: Date,
            Kind.TIMESTAMP: DateTime,
            Kind.JSON: JSON,
        }[column.kind]()

    def longest(self, column: Column, table: TableSpec) -> Longest | None:
        return None

    def options(self, table: TableSpec) -> dict[str, Any]:
        return {}

    def is_exact(self, collation: str) -> bool:
        return True

    def bound(self, kind: Kind) -> str:
        return "?"

    def to_database(self, kind: Kind, value: Any) -> Any:
        match kind:
            case Kind.DATE:
                return value.isoformat()
            case Kind.JSON:
                # To SQLite a column of type JSON is numeric: it would store 1.0 as 1.
                return as_json_text(value)
            case _:
                return value

    def from_database(self, kind: Kind) -> Any:
        return {Kind.BOOLEAN: bool, Kind.DATE: date.fromisoformat}.get(kind)

    def output(self, expression: str, kind: Kind) -> str:
        return expression

    def version(self, table: str, columns: Sequence[str]) -> str | None:
        # SQLite keeps no row version: the row's own values are it.
        return None

    def version_is(self, table: str, columns: Sequence[str]) -> str:
        raise AssertionError("SQLite compares whole rows")

    def code_points(self, expression: str) -> str:
        # BINARY, the default, compares UTF-8 bytes, which sort as code points do.
        return expression

    def ordered(self, expression: str, *, descending: bool, nullable: bool) -> str:
        direction = " DESC" if descending else ""
        if not nullable:
            return f"{expression}{direction}"
        return f"{expression}{direction} NULLS {'FIRST' if descending else 'LAST'}"

    def json_at(self, expression: str, path: tuple[str, ...]) -> str:
        # json_extract fails on the NaN that agno's writer leaves, so it looks only into valid JSON.
        steps = "".join("." + json.dumps(step, ensure_ascii=False) for step in path).replace("'", "''")
        at = f"{expression}, '${steps}'"
        named = ", ".join("'" + step.replace("'", "''") + "'" for step in path)
        words = "WHEN 'true' THEN 'true' WHEN 'false' THEN 'false'"
        text = f"CASE json_type({at}) {words} ELSE CAST(json_extract({at}) AS TEXT) END"
        return f"CASE WHEN json_valid({expression}) THEN {text} ELSE dbr_json_at({expression}, {named}) END"

    def contains(self, expression: str) -> str:
        return f"dbr_like({expression}, ?)"

    def like(self, expression: str) -> str:
        return f"dbr_json_like({expression}, ?)"

    def has_item(self, expression: str) -> str:
        array = f"json_valid({expression}) AND json_type({expression}) = 'array'"
        found = f"{array} AND EXISTS (SELECT 1 FROM json_each({expression}) AS dbr_item WHERE dbr_item.value = ?)"
        # Of a null it is unknown; without the CASE the EXISTS would make it false.
        return f"(CASE WHEN {expression} IS NOT NULL THEN {found} END)"

    def member(self, expression: str, count: int) -> str:
        if count > LISTED:
            return f"{expression} IN (SELECT dbr_value.value FROM json_each(?) AS dbr_value)"
        return f"{expression} IN ({', '.join('?' * count)})"

    def member_params(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        return values if len(values) <= LISTED else (json.dumps(values, ensure_ascii=False),)

    def least(self, stored: str, incoming: Callable[[], str]) -> str:
        # Of a sub-select, for SQLite's MIN of two values is null if one is; and each side may be written only once:
        # it may be a placeholder.
        return f"(SELECT MIN(dbr_value) FROM (SELECT {stored} AS dbr_value UNION ALL SELECT {incoming()}))"

    def greatest(self, stored: str, incoming: Callable[[], str]) -> str:
        return f"(SELECT MAX(dbr_value) FROM (SELECT {stored} AS dbr_value UNION ALL SELECT {incoming()}))"

    def elapsed_ms(self, start: str, end: str) -> str:
        return f"dbr_elapsed_ms({start}, {end})"

    def p95(self, expression: str) -> str | None:
        # Only the blocking store's connections take aggregate functions; the async store does not claim percentiles.
        return f"dbr_p95({expression})"

    def mean(self, expression: str) -> str:
        return f"AVG({expression})"

    def kept_size(self, expression: str) -> str:
        return f"LENGTH(CAST({expression} AS BLOB))"

    def lock_positions(self, column: str, parents: Sequence[tuple[Any, ...]]) -> tuple[Statement, ...]:
        # One writer at a time: the sub-select in the insert is already serialised.
        return ()

    def incoming(self, column: str) -> str:
        return f"excluded.{column}"

    def incoming_alias(self) -> str:
        return ""

    def apart(self, select: str) -> str:
        return select

    def skip_locked(self) -> str:
        return ""

    def share_lock(self) -> str:
        return ""

    def insert_if_absent(self, table: str, columns: str, values: str) -> str:
        return f"INSERT INTO {table} ({columns}) VALUES ({values}) ON CONFLICT DO NOTHING"

    def catalog(self) -> tuple[str, tuple[Any, ...]]:
        columns = (
            "SELECT m.name, p.name FROM sqlite_master AS m, pragma_table_info(m.name) AS p"
            " WHERE m.type IN ('table', 'view')"
        )
        return columns, ()

    def changes(self) -> SqliteChanges:
        return SqliteChanges()

    def before_ddl(self) -> tuple[tuple[str, tuple[Any, ...]], ...]:
        return ()

    def secured(self, spec: TableSpec, name: str) -> tuple[str, ...]:
        return ()

    def after_ddl(self, names: Sequence[str]) -> tuple[str, ...]:
        return ()

    def has_foreign_key(self, spec: TableSpec, parent: str) -> bool:
        return any(link.table == parent and link.enforced and self.name not in link.absent_on for link in spec.parents)
