"""PostgreSQL's SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dbrouter.backends.kernel.filters import Contains, Filter, Like, StartsWith
from dbrouter.backends.kernel.tables import Column, Kind, TableSpec
from dbrouter.backends.kernel.tenant_tables import TENANT
from dbrouter.backends.postgres.changes import PostgresChanges
from dbrouter.backends.sql.dialect import Longest
from dbrouter.backends.sql.statements import Statement

CASTS = {
    Kind.STRING: "text",
    Kind.NOTE: "text",
    Kind.TEXT: "text",
    Kind.BIGINT: "bigint",
    Kind.INTEGER: "bigint",
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "date",
    Kind.TIMESTAMP: "timestamptz",
    Kind.JSON: "jsonb",
}


POLICY = "dbr_tenant_rows"
"""What the row-level security of a table that tenants share is called."""
TENANT_SETTING = "dbrouter.tenant"
"""The setting that says, for one transaction, whose rows it may see."""


class PostgresDialect:
    """PostgreSQL 13 and newer, tables in one schema.

    schema: qualified in every statement, never set on a session. row_level_security: whether the tables that tenants
    share hold back the rows of all but one. used_by: the role that uses the tables, where another one makes them.
    """

    name = "postgresql"
    placeholder = "%s"
    max_params = 60_000
    returning = True
    inserts_return = True
    on_duplicate_key = False
    partial_indexes = True
    indexes_apart = True
    keeps_uniques = True
    together = False
    exact_columns = False  # a column has the server's locale, unless it is told otherwise
    writes_out_floats = True

    def __init__(
        self,
        schema: str,
        *,
        create_schema: bool = True,
        row_level_security: bool = True,
        used_by: str | None = None,
    ) -> None:
        self.schema = schema
        self.create_schema = create_schema
        self.row_level_security = row_level_security
        self.used_by = used_by

    def in_schema(self, schema: str) -> PostgresDialect:
        """The same for another schema, which is made where it is missing."""
        return PostgresDialect(schema, row_level_security=self.row_level_security, used_by=self.used_by)

    def quoted(self, identifier: str) -> str:
        # `%` begins a placeholder in the driver's text.
        return '"' + identifier.replace('"', '""').replace("%", "%%") + '"'

    def qualified(self, name: str) -> str:
        return f"{self.quoted(self.schema)}.{self.quoted(name)}"

    def folded(self, name: str) -> str:
        return name

    def compiler(self) -> Any:
        from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

        return PGDialect_psycopg()

    def column_type(self, column: Column, table: TableSpec) -> Any:
        from sqlalchemy.dialects.postgresql import JSONB
        from sqlalchemy.types import BigInteger, Boolean, Date, DateTime, Integer, String, Text

        if column.name == TENANT:
            # Compared byte by byte whatever the server's locale, and in the order that listings ask for.
            return String(collation="C")
        match column.kind:
            case Kind.TIMESTAMP:
                return DateTime(timezone=True)
            case _:
                return {
                    Kind.STRING: String,
                    Kind.NOTE: Text,
                    Kind.TEXT: Text,
                    Kind.BIGINT: BigInteger,
                    Kind.INTEGER: Integer,
                    Kind.BOOLEAN: Boolean,
                    Kind.DATE: Date,
                    Kind.JSON: JSONB,
                }[column.kind]()

    def longest(self, column: Column, table: TableSpec) -> Longest | None:
        return None

    def options(self, table: TableSpec) -> dict[str, Any]:
        return {}

    def is_exact(self, collation: str) -> bool:
        return True

    def bound(self, kind: Kind) -> str:
        return f"%s::{CASTS[kind]}"

    def to_database(self, kind: Kind, value: Any) -> Any:
        return value

    def from_database(self, kind: Kind) -> Any:
        return None

    def output(self, expression: str, kind: Kind) -> str:
        # As text: our codec reads it faster than the driver, and raw columns want it unread.
        return f"{expression}::text" if kind is Kind.JSON else expression

    def version(self, table: str, columns: Sequence[str]) -> str | None:
        return f"{table}.xmin::text"

    def version_is(self, table: str, columns: Sequence[str]) -> str:
        return f"{table}.xmin = %s::text::xid"

    def code_points(self, expression: str) -> str:
        return f'{expression} COLLATE "C"'

    def ordered(self, expression: str, *, descending: bool, nullable: bool) -> str:
        # Nulls as the largest is what Postgres does by itself.
        return f"{expression} DESC" if descending else expression

    def json_at(self, expression: str, path: tuple[str, ...]) -> str:
        steps = ", ".join("'" + step.replace("'", "''").replace("%", "%%") + "'" for step in path)
        return f"jsonb_extract_path_text({expression}, {steps})"

    def contains(self, expression: str) -> str:
        return f"{expression}::text ILIKE %s::text"

    def like(self, expression: str) -> str:
        return f"{expression}::text ILIKE %s::text"

    def has_item(self, expression: str) -> str:
        return f"(jsonb_typeof({expression}) = 'array' AND jsonb_exists({expression}, %s::text))"

    def member(self, expression: str, count: int) -> str:
        # An array keeps the statement's text the same for every count, so it stays prepared.
        return f"{expression} = ANY(%s)"

    def member_params(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        return (list(values),)

    def least(self, stored: str, incoming: Callable[[], str]) -> str:
        return f"LEAST({stored}, {incoming()})"

    def greatest(self, stored: str, incoming: Callable[[], str]) -> str:
        return f"GREATEST({stored}, {incoming()})"

    def elapsed_ms(self, start: str, end: str) -> str:
        return f"FLOOR(EXTRACT(EPOCH FROM (({end})::timestamptz - ({start})::timestamptz)) * 1000)::bigint"

    def p95(self, expression: str) -> str | None:
        return f"PERCENTILE_CONT(0.95) WITHIN GROUP (ORDER BY {expression})"

    def mean(self, expression: str) -> str:
        return f"AVG({expression})::float8"

    def kept_size(self, expression: str) -> str:
        # As it lies on disk: what is compressed and stored apart need not be read for it.
        return f"pg_column_size({expression})"

    def lock_positions(self, column: str, parents: Sequence[tuple[Any, ...]]) -> tuple[Statement, ...]:
        lists = tuple(map(list, zip(*parents, strict=True)))
        # The key that agno's own class locks, so that both can write side by side. Sorted, so writers cannot deadlock.
        lock = f"SELECT pg_advisory_xact_lock(hashtext('agno_{column}'), hashtext(%s))"
        if len(lists) == 1:
            sql = f"{lock % 'parent'} FROM unnest(%s::text[]) AS parents(parent)"
        else:
            # The text of a row quotes its parts, so no two parents have the same.
            arrays = ", ".join(["%s::text[]"] * len(lists))
            sql = f"{lock % 'parents::text'} FROM unnest({arrays}) AS parents"
        return (Statement(sql, lists, writes=True, answers=False),)

    def incoming(self, column: str) -> str:
        return f"excluded.{column}"

    def incoming_alias(self) -> str:
        return ""

    def apart(self, select: str) -> str:
        return select

    def skip_locked(self) -> str:
        return " FOR UPDATE SKIP LOCKED"

    def share_lock(self) -> str:
        return " FOR SHARE"

    def insert_if_absent(self, table: str, columns: str, values: str) -> str:
        return f"INSERT INTO {table} ({columns}) VALUES ({values}) ON CONFLICT DO NOTHING"

    @staticmethod
    def runs_natively(where: Filter) -> bool:
        """Whether Postgres evaluates this filter, its parts aside, exactly as the reference does."""
        match where:
            # How Postgres folds other letters depends on the server's locale.
            case Contains(text=text) | StartsWith(text=text):
                return text.isascii()
            case Like(pattern=pattern):
                return pattern.isascii()
            case _:
                return True

    def catalog(self) -> tuple[str, tuple[Any, ...]]:
        columns = (
            "SELECT c.relname::text, a.attname::text FROM pg_class c"
            " JOIN pg_namespace n ON n.oid = c.relnamespace"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
            " WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'f')"
        )
        return columns, (self.schema,)

    def changes(self) -> PostgresChanges:
        return PostgresChanges(self.schema, self.quoted)

    def before_ddl(self) -> tuple[tuple[str, tuple[Any, ...]], ...]:
        lock = ("SELECT pg_advisory_xact_lock(hashtext('dbrouter_ddl'), hashtext(%s))", (self.schema,))
        if not self.create_schema:
            return (lock,)
        return (lock, (f"CREATE SCHEMA IF NOT EXISTS {self.quoted(self.schema)}", ()))

    def secured(self, spec: TableSpec, name: str) -> tuple[str, ...]:
        if not self.row_level_security or not spec.has(TENANT):
            return ()
        table, policy = self.qualified(name), self.quoted(POLICY)
        # Of a connection that had a tenant once the setting is empty, not null. Nobody is called nothing.
        own = f"{self.quoted(TENANT)} = NULLIF(current_setting('{TENANT_SETTING}', true), '')"
        return (
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            # The owner too: without an owner of its own the application is the owner.
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            # There is no CREATE POLICY IF NOT EXISTS; nobody sees the moment between, it is one transaction.
            f"DROP POLICY IF EXISTS {policy} ON {table}",
            f"CREATE POLICY {policy} ON {table} USING ({own}) WITH CHECK ({own})",
        )

    def after_ddl(self, names: Sequence[str]) -> tuple[str, ...]:
        if self.used_by is None:
            return ()
        role = self.quoted(self.used_by)
        tables = ", ".join(self.qualified(each) for each in names)
        return (
            f"GRANT USAGE ON SCHEMA {self.quoted(self.schema)} TO {role}",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {role}",
        )

    def has_foreign_key(self, spec: TableSpec, parent: str) -> bool:
        return any(link.table == parent and link.enforced for link in spec.parents)
