"""What differs between SQL databases. A dialect is data and small text functions; it opens nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from dbrouter.backends.kernel.tables import Column, Kind, TableSpec
from dbrouter.backends.sql.migrating.changes import Changes
from dbrouter.backends.sql.statements import Statement


@dataclass(frozen=True, slots=True)
class Longest:
    """The longest text that a column takes, in characters or in bytes of UTF-8."""

    limit: int
    in_bytes: bool = False

    def takes(self, text: str) -> bool:
        """Whether the text fits."""
        if not self.in_bytes:
            return len(text) <= self.limit
        # Most are far too short for their bytes to be counted.
        return len(text) * 4 <= self.limit or len(text.encode()) <= self.limit


class Dialect(Protocol):
    """The SQL of one database product.

    Expressions come in and go out as text; `placeholder` stands for each bound value, in order.
    """

    name: str
    placeholder: str
    max_params: int
    returning: bool
    """Whether every write can answer rows (`RETURNING`); else they are read within its transaction."""
    on_duplicate_key: bool
    """Whether an upsert is `ON DUPLICATE KEY UPDATE`, which meets every unique set and assigns column after column."""
    partial_indexes: bool
    """Whether an index can leave rows out."""
    indexes_apart: bool
    """Whether `CREATE INDEX IF NOT EXISTS` is known; else indexes are made with their table."""
    keeps_uniques: bool
    """Whether unique sets beside the key are declared and enforced."""
    together: bool
    """Whether a union costs more than two statements in one packet."""
    exact_columns: bool
    """Whether the text columns of our tables compare and sort by code point as they are."""
    writes_out_floats: bool
    """Whether the server's JSON shows a large float as digits without a fraction."""

    @property
    def inserts_return(self) -> bool:
        """Whether inserts, at least, can answer rows."""
        ...

    def quoted(self, identifier: str) -> str:
        """The identifier, quoted."""
        ...

    def qualified(self, name: str) -> str:
        """The physical table name, quoted, with its schema if there is one."""
        ...

    def folded(self, name: str) -> str:
        """The table's name in the letters by which the server tells tables apart, once a connection was open."""
        ...

    def compiler(self) -> Any:
        """The SQLAlchemy dialect that compiles DDL."""
        ...

    def column_type(self, column: Column, table: TableSpec) -> Any:
        """The SQLAlchemy type of a column: agno's for it here."""
        ...

    def longest(self, column: Column, table: TableSpec) -> Longest | None:
        """How long a text in the column may be; `None` if only the whole record's size counts."""
        ...

    def options(self, table: TableSpec) -> dict[str, Any]:
        """SQLAlchemy's keyword arguments for the table: storage, collation, what else it declares."""
        ...

    def is_exact(self, collation: str) -> bool:
        """Whether a column that the catalog lists with this collation compares as those of our tables do."""
        ...

    def bound(self, kind: Kind) -> str:
        """A placeholder for a value of this kind, cast where the database cannot infer the type."""
        ...

    def to_database(self, kind: Kind, value: Any) -> Any:
        """A plain value as the driver takes it."""
        ...

    def from_database(self, kind: Kind) -> Any:
        """A function from the driver's value to ours, or `None` if they are the same."""
        ...

    def output(self, expression: str, kind: Kind) -> str:
        """The expression as it is selected."""
        ...

    def version(self, table: str, columns: Sequence[str]) -> str | None:
        """An expression whose value changes with every change of the row, or `None` (then the row itself is it)."""
        ...

    def version_is(self, table: str, columns: Sequence[str]) -> str:
        """A condition with one placeholder: the row still has this version."""
        ...

    def code_points(self, expression: str) -> str:
        """The text expression under code-point order."""
        ...

    def ordered(self, expression: str, *, descending: bool, nullable: bool) -> str:
        """A sort term with nulls larger than every value."""
        ...

    def json_at(self, expression: str, path: tuple[str, ...]) -> str:
        """The text at a path of a JSON expression."""
        ...

    def contains(self, expression: str) -> str:
        """A condition with one placeholder (see `contains_pattern`): the text holds it, ignoring case."""
        ...

    def like(self, expression: str) -> str:
        """A condition with one placeholder: the text matches a LIKE pattern with escape backslash, ignoring case."""
        ...

    def has_item(self, expression: str) -> str:
        """A condition with one placeholder: the JSON array holds this text."""
        ...

    def member(self, expression: str, count: int) -> str:
        """A condition for membership in a list; see `member_params`."""
        ...

    def member_params(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """The list as `member` takes it."""
        ...

    def least(self, stored: str, incoming: Callable[[], str]) -> str:
        """The smaller of two expressions; nulls lose. Each call of `incoming` binds its parameter, in text order."""
        ...

    def greatest(self, stored: str, incoming: Callable[[], str]) -> str:
        """The larger of two expressions; nulls lose."""
        ...

    def elapsed_ms(self, start: str, end: str) -> str:
        """Whole milliseconds between two ISO-8601 text expressions."""
        ...

    def p95(self, expression: str) -> str | None:
        """The interpolated 95th percentile of a group, or `None` if the database has none."""
        ...

    def mean(self, expression: str) -> str:
        """The mean of a group as a floating-point number."""
        ...

    def kept_size(self, expression: str) -> str:
        """Bytes that a value takes where it is kept."""
        ...

    def lock_positions(self, column: str, parents: Sequence[tuple[Any, ...]]) -> tuple[Statement, ...]:
        """Statements that serialise position allocation within these parents; none if writers queue anyway."""
        ...

    def incoming(self, column: str) -> str:
        """The value that an upsert brings for a quoted column, where it meets a stored record."""
        ...

    def incoming_alias(self) -> str:
        """What stands behind the values of an upsert to name them; empty if they have a name."""
        ...

    def apart(self, select: str) -> str:
        """A select of at most one row of the table that the statement around it writes, as a sub-select may be."""
        ...

    def skip_locked(self) -> str:
        """What makes a locking sub-select pass over rows that another claimer holds; empty if writers queue anyway."""
        ...

    def share_lock(self) -> str:
        """What keeps the rows a select finds from changing until the commit; empty if writers queue anyway."""
        ...

    def insert_if_absent(self, table: str, columns: str, values: str) -> str:
        """An insert that does nothing if the key is there."""
        ...

    def catalog(self) -> tuple[str, tuple[Any, ...]]:
        """A statement that lists (table, column) or (table, column, collation) of everything in our schema."""
        ...

    def changes(self) -> Changes:
        """How existing tables of our schema are looked at and changed."""
        ...

    def before_ddl(self) -> tuple[tuple[str, tuple[Any, ...]], ...]:
        """Statements at the start of a schema change: locks, the schema itself."""
        ...

    def secured(self, spec: TableSpec, name: str) -> tuple[str, ...]:
        """Statements that follow the making of a table of this physical name, each harmless if repeated."""
        ...

    def after_ddl(self, names: Sequence[str]) -> tuple[str, ...]:
        """Statements at the end of a schema change that made these tables: who may use them."""
        ...

    def has_foreign_key(self, spec: TableSpec, parent: str) -> bool:
        """Whether agno's schema declares this parent as a foreign key here."""
        ...
