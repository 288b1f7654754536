"""What differs between SQL databases when existing tables are changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from dbrouter.backends.sql.migrating.shape import TableShape


class Changes(Protocol):
    """The statements that change tables of one schema. Tables and columns come unquoted and are quoted here."""

    outdated_types: Sequence[str]
    """Types of JSON columns that older agnos made and that cannot be searched."""
    wraps_json: bool
    """Whether agno before 3.1 wrote the JSON of a session as a text of JSON here."""
    constraints: bool
    """Whether an existing table can be given a key and unique constraints, and lose them."""

    def columns(self) -> tuple[str, tuple[object, ...]]:
        """A statement that lists (table, column, type)."""
        ...

    def indexes(self) -> tuple[str, tuple[object, ...]]:
        """A statement that lists (table, index, unique, partial, primary, column), columns in order."""
        ...

    def text(self, column: str) -> str:
        """The expression of a JSON column as text."""
        ...

    def beside(self, definition: str, parent: TableShape, key: Sequence[str]) -> str:
        """The statement that makes a table whose foreign key names this parent's key, as the key is compared."""
        ...

    def add_column(self, table: str, column: str, definition: str, default: str | None) -> tuple[str, ...]:
        """Statements that add a column; `default` fills the rows that there are and is gone afterwards."""
        ...

    def retype(self, table: str, column: str) -> tuple[str, ...]:
        """Statements that make a JSON column of the type that can be searched."""
        ...

    def add_key(self, table: str, columns: Sequence[str], found: TableShape) -> tuple[str, ...]:
        """Statements that declare the primary key, in place of a unique constraint that says the same."""
        ...

    def add_unique(self, table: str, name: str, columns: Sequence[str]) -> tuple[str, ...]:
        """Statements that add a unique set."""
        ...

    def drop_unique(self, table: str, name: str) -> tuple[str, ...]:
        """Statements that remove a unique set, however it was declared."""
        ...

    def create_index(self, table: str, name: str, definition: str, columns: Sequence[str], found: TableShape) -> str:
        """The statement that makes an index; `definition` is SQLAlchemy's text for it."""
        ...
