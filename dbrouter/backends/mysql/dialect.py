"""The SQL of MySQL 8 and 9 and of MariaDB."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from dbrouter.backends.kernel.codec import encode
from dbrouter.backends.kernel.tables import Column, Kind, TableSpec
from dbrouter.backends.mysql.changes import MySqlChanges
from dbrouter.backends.mysql.column_types import Lengths
from dbrouter.backends.mysql.flavour import Server
from dbrouter.backends.sql.dialect import Longest
from dbrouter.backends.sql.statements import Refusal, Statement
from dbrouter.backends.sql.without_returning import REFUSES

CASTS = {Kind.DATE: "CAST(%s AS DATE)", Kind.TIMESTAMP: "CAST(%s AS DATETIME(6))"}

LENGTHS = Lengths()


class MySqlDialect:
    """Tables in one MySQL database, which is named in every statement and never set on a session.

    server: what is known of the server; shared by all databases on it. lock_wait: seconds to wait for another writer.
    together: whether packets may hold several statements.
    """

    name = "mysql"
    placeholder = "%s"
    # Values stand in the text: no limit but the packet's, which a statement of many large records would meet.
    max_params = 6_000
    returning = False
    on_duplicate_key = True
    partial_indexes = False
    indexes_apart = False
    keeps_uniques = True
    exact_columns = True
    writes_out_floats = False
    lengths = LENGTHS
    about = "SELECT @@max_allowed_packet, @@lower_case_table_names"
    """Asks how long a packet may be, and whether the letters of table names matter not."""

    def __init__(
        self, schema: str, server: Server, *, create_schema: bool = True, lock_wait: int = 10, together: bool = True
    ) -> None:
        self.schema = schema
        self.together = together
        self.server = server
        self.create_schema = create_schema
        self.lock_wait = lock_wait

    @property
    def inserts_return(self) -> bool:
        """Whether inserts answer rows: MariaDB's do."""
        return self.server.flavour.inserts_return

    def in_schema(self, schema: str) -> MySqlDialect:
        """The same for another database of the server, which is made where it is missing."""
        return type(self)(schema, self.server, lock_wait=self.lock_wait, together=self.together)

    def quoted(self, identifier: str) -> str:
        return "`" + identifier.replace("`", "``").replace("%", "%%") + "`"

    def qualified(self, name: str) -> str:
        return f"{self.quoted(self.schema)}.{self.quoted(name)}"

    def folded(self, name: str) -> str:
        return name.lower() if self.server.folds_names else name

    def compiler(self) -> Any:
        from dbrouter.backends.mysql.tables import Compiling

        return Compiling()

    def column_type(self, column: Column, table: TableSpec) -> Any:
        from sqlalchemy.dialects.mysql import DATETIME, LONGTEXT
        from sqlalchemy.types import JSON, BigInteger, Boolean, Date, String, Text

        match column.kind:
            case Kind.STRING | Kind.NOTE | Kind.TEXT:
                longest = self.longest(column, table)
                if longest is None:
                    return LONGTEXT()
                return Text() if longest.in_bytes else String(longest.limit)
            case Kind.TIMESTAMP:
                return DATETIME(fsp=6)
            case _:
                return {
                    Kind.BIGINT: BigInteger,
                    Kind.INTEGER: BigInteger,
                    Kind.BOOLEAN: Boolean,
                    Kind.DATE: Date,
                    Kind.JSON: JSON,
                }[column.kind]()

    def longest(self, column: Column, table: TableSpec) -> Longest | None:
        return self.lengths.of(column, table)

    def options(self, table: TableSpec) -> dict[str, Any]:
        return {"mysql_charset": "utf8mb4", "mysql_collate": self.server.flavour.collation}

    def is_exact(self, collation: str) -> bool:
        return collation == self.server.flavour.collation

    def bound(self, kind: Kind) -> str:
        return CASTS.get(kind, "%s")

    def to_database(self, kind: Kind, value: Any) -> Any:
        if kind is Kind.TIMESTAMP and isinstance(value, datetime) and value.tzinfo is not None:
            return value.astimezone(UTC).replace(tzinfo=None)
        return value

    def from_database(self, kind: Kind) -> Any:
        return {Kind.BOOLEAN: bool, Kind.TIMESTAMP: _in_utc}.get(kind)

    def output(self, expression: str, kind: Kind) -> str:
        return expression

    def version(self, table: str, columns: Sequence[str]) -> str | None:
        # There is no version of a row, so a digest of it is one. Column by column: joined, they could exceed a packet.
        digests = ", ".join(f"IFNULL(SHA2({table}.{column}, 256), '')" for column in columns)
        return f"SHA2(CONCAT_WS(',', {digests}), 256)"

    def version_is(self, table: str, columns: Sequence[str]) -> str:
        return f"{self.version(table, columns)} = %s"

    def code_points(self, expression: str) -> str:
        return f"CONVERT({expression} USING utf8mb4) COLLATE {self.server.flavour.collation}"

    def ordered(self, expression: str, *, descending: bool, nullable: bool) -> str:
        direction = " DESC" if descending else ""
        # Nulls are the smallest to MySQL.
        first = f"{expression} IS NULL{direction}, " if nullable else ""
        return f"{first}{expression}{direction}"

    def json_at(self, expression: str, path: tuple[str, ...]) -> str:
        steps = "".join("." + json.dumps(step, ensure_ascii=False) for step in path)
        literal = steps.replace("\\", "\\\\").replace("'", "''").replace("%", "%%")
        at = f"JSON_EXTRACT({expression}, '${literal}')"
        text = f"CASE JSON_TYPE({at}) WHEN 'NULL' THEN NULL ELSE JSON_UNQUOTE({at}) END"
        return self.code_points(text)

    def contains(self, expression: str) -> str:
        return f"LOWER({self.code_points(expression)}) LIKE LOWER(%s)"

    def like(self, expression: str) -> str:
        return self.contains(expression)

    def has_item(self, expression: str) -> str:
        return f"(JSON_TYPE({expression}) = 'ARRAY' AND JSON_OVERLAPS({expression}, JSON_ARRAY(%s)))"

    def member(self, expression: str, count: int) -> str:
        return f"{expression} IN ({', '.join(['%s'] * count)})"

    def member_params(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        return values

    def least(self, stored: str, incoming: Callable[[], str]) -> str:
        return f"LEAST(COALESCE({stored}, {incoming()}), COALESCE({incoming()}, {stored}))"

    def greatest(self, stored: str, incoming: Callable[[], str]) -> str:
        return f"GREATEST(COALESCE({stored}, {incoming()}), COALESCE({incoming()}, {stored}))"

    def elapsed_ms(self, start: str, end: str) -> str:
        # MariaDB knows no time with an offset, so that is taken off and set against the rest.
        between = f"TIMESTAMPDIFF(MICROSECOND, {_local(start)}, {_local(end)})"
        return f"FLOOR(({between} + 1000000 * ({_offset(start)} - {_offset(end)})) / 1000)"

    def p95(self, expression: str) -> str | None:
        return None

    def mean(self, expression: str) -> str:
        # Of integers the mean would be a decimal with four digits behind the point.
        return f"AVG({expression} + 0e0)"

    def kept_size(self, expression: str) -> str:
        return f"LENGTH({expression})"

    def lock_positions(self, column: str, parents: Sequence[tuple[Any, ...]]) -> tuple[Statement, ...]:
        # The lock that agno's own class takes, so that both can write side by side. Sorted, so writers cannot deadlock.
        return tuple(
            Statement(
                f"SELECT CASE WHEN GET_LOCK(%s, {self.lock_wait}) = 1 THEN 'a' ELSE {REFUSES} END",
                (_lock_name(column, parent),),
                writes=True,
                returns=False,
                answers=False,
                after="DO RELEASE_ALL_LOCKS()",
                refusal=Refusal.HELD,
            )
            for parent in parents
        )

    def incoming(self, column: str) -> str:
        return f"dbr_new.{column}" if self.server.flavour.names_incoming_row else f"VALUES({column})"

    def incoming_alias(self) -> str:
        return " AS dbr_new" if self.server.flavour.names_incoming_row else ""

    def apart(self, select: str) -> str:
        # What is written cannot be read beside it, but a derived table is read before. The limit keeps it one.
        return f"SELECT * FROM ({select} LIMIT 1) AS dbr_apart"

    def skip_locked(self) -> str:
        return " FOR UPDATE SKIP LOCKED"

    def share_lock(self) -> str:
        return " LOCK IN SHARE MODE"

    def insert_if_absent(self, table: str, columns: str, values: str) -> str:
        return f"INSERT IGNORE INTO {table} ({columns}) VALUES ({values})"

    def catalog(self) -> tuple[str, tuple[Any, ...]]:
        columns = "SELECT table_name, column_name, collation_name FROM information_schema.columns"
        return f"{columns} WHERE table_schema = %s", (self.schema,)

    def changes(self) -> MySqlChanges:
        return MySqlChanges(self.schema, self.quoted, lambda: self.server.flavour.collation)

    def before_ddl(self) -> tuple[tuple[str, tuple[Any, ...]], ...]:
        if not self.create_schema:
            return ()
        text = f"CREATE DATABASE IF NOT EXISTS {self.quoted(self.schema)} CHARACTER SET utf8mb4"
        return ((f"{text} COLLATE {self.server.flavour.collation}", ()),)

    def secured(self, spec: TableSpec, name: str) -> tuple[str, ...]:
        return ()

    def after_ddl(self, names: Sequence[str]) -> tuple[str, ...]:
        return ()

    def has_foreign_key(self, spec: TableSpec, parent: str) -> bool:
        return any(link.table == parent and link.enforced and self.name not in link.absent_on for link in spec.parents)

    def settings(self) -> tuple[str, ...]:
        """Statements that make a session ours: text by code point, nothing cut in silence, bounded waits for locks.

        Each statement sees what was committed before it, as on Postgres; the gaps between rows are not locked.
        """
        wait = self.lock_wait
        return (
            f"SET NAMES utf8mb4 COLLATE {self.server.flavour.collation}",
            # Every name says its database; but MySQL wants to know one before it reads what an insert is made of.
            "USE information_schema",
            "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
            f"SET SESSION innodb_lock_wait_timeout = {wait}, SESSION lock_wait_timeout = {wait}",
            "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        )

    def undoing(self) -> tuple[str, ...]:
        """Statements that end a failed transaction and what it holds."""
        return ("ROLLBACK", "DO RELEASE_ALL_LOCKS()")


def _in_utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC)


def _local(time: str) -> str:
    return f"LEFT({time}, CHAR_LENGTH({time}) - 6)"


def _offset(time: str) -> str:
    return f"TIME_TO_SEC(RIGHT({time}, 5)) * IF(SUBSTRING({time}, -6, 1) = '-', -1, 1)"


def _lock_name(column: str, parent: tuple[Any, ...]) -> str:
    """The name of a parent's lock. Made here: MySQL 9 has no MD5 any more."""
    named = str(parent[0]) if len(parent) == 1 else encode(list(parent))
    return f"agno_{column}_{hashlib.md5(named.encode(), usedforsecurity=False).hexdigest()}"
