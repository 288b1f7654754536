"""What the tables of a schema look like, as the database itself says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from dbrouter.backends.sql.statements import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An index with its columns in order. partial: whether it leaves rows out."""

    columns: tuple[str, ...]
    unique: bool
    partial: bool
    primary: bool


@dataclass(frozen=True, slots=True)
class TableShape:
    """One table: column -> type as the database writes it, and index name -> index."""

    columns: dict[str, str] = field(default_factory=dict[str, str])
    indexes: dict[str, Index] = field(default_factory=dict[str, Index])

    @property
    def has_key(self) -> bool:
        """Whether it has a primary key. SQLite names none for a key that is the row's own number."""
        return any(each.primary for each in self.indexes.values())

    def keeps_apart(self, columns: Iterable[str]) -> bool:
        """Whether no two rows can have the same values in just these columns."""
        wanted = sorted(columns)
        return any(
            each.unique and not each.partial and sorted(each.columns) == wanted for each in self.indexes.values()
        )

    def finds(self, name: str, columns: tuple[str, ...], *, partial: bool) -> bool:
        """Whether there is an index of this name, or another over the same columns of all rows."""
        same = any(each.columns == columns and not each.partial for each in self.indexes.values())
        return name in self.indexes or (same and not partial)


def shapes(columns: Iterable[Row], indexes: Iterable[Row]) -> Mapping[str, TableShape]:
    """Table -> shape.

    columns: (table, column, type). indexes: (table, index, unique, partial, primary, column), an index's together and
    in order; a column is null where the index is over an expression.
    """
    found: dict[str, TableShape] = {}
    for table, column, kind in columns:
        found.setdefault(table, TableShape()).columns[column] = str(kind).lower()
    for table, name, unique, partial, primary, column in indexes:
        if table in found:
            held = found[table].indexes
            before = held[name].columns if name in held else ()
            held[name] = Index(
                columns=(*before, column or ""), unique=bool(unique), partial=bool(partial), primary=bool(primary)
            )
    return found
