"""What differs between SQL databases. A dialect is data and small text functions; it opens nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from dbrouter.backends.kernel.tables import Kind, TableSpec


class Dialect(Protocol):
    """The SQL of one database product.

    Expressions come in and go out as text; `placeholder` stands for each bound value, in order.
    """

    name: str
    placeholder: str
    max_params: int
    locks_positions: bool
    """Whether `Next` needs a lock statement before the insert (a single writer makes it needless)."""

    def quoted(self, identifier: str) -> str:
        """The identifier, quoted."""
        ...

    def qualified(self, name: str) -> str:
        """The physical table name, quoted, with its schema if there is one."""
        ...

    def sqlalchemy_type(self, kind: Kind) -> Any:
        """The column type agno uses for this kind here."""
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

    def version(self, table: str) -> str | None:
        """An expression whose value changes with every change of the row, or `None` (then the row itself is it)."""
        ...

    def version_is(self, table: str) -> str:
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

    def least(self, left: str, right: str) -> str:
        """The smaller of two expressions; nulls lose."""
        ...

    def greatest(self, left: str, right: str) -> str:
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

    def lock_position(self, column: str, width: int) -> str | None:
        """A statement that serialises position allocation within parents.

        width: how many columns name a parent; a placeholder for each stands for the list of its values.
        """
        ...

    def skip_locked(self) -> str:
        """What makes a locking sub-select pass over rows that another claimer holds; empty if writers queue anyway."""
        ...

    def catalog(self) -> tuple[str, tuple[Any, ...]]:
        """A statement that lists (table, column) of everything in our schema."""
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
