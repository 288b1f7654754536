"""Tables as data: columns, key, indexes, owner, parents. Drivers read these and never name a family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TypeVar

from dbrouter.backends.kernel.errors import StoreError
from dbrouter.backends.kernel.filters import EVERYTHING, Filter

T = TypeVar("T")


def declared(table: str, tables: Mapping[str, T]) -> T:
    """What `tables` has under that name. Raises `StoreError` for a table nobody declared."""
    try:
        return tables[table]
    except KeyError:
        raise StoreError(f"there is no table {table!r}; known are {', '.join(sorted(tables))}") from None


class Kind(Enum):
    """What a column holds. The names say the meaning; a driver picks its type."""

    STRING = "string"
    """Text, usually short: an id, a name."""
    NOTE = "note"
    """Text of any length that agno types differently per database (TEXT on Postgres, VARCHAR on SQLite)."""
    TEXT = "text"
    """Text of any length."""
    BIGINT = "bigint"
    """A 64-bit integer."""
    INTEGER = "integer"
    """A small integer (INTEGER on Postgres, BIGINT on SQLite, as agno has it)."""
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    """A point in time with a zone."""
    JSON = "json"
    """Any JSON value; the codec keeps what JSON cannot say."""


class TimeUnit(Enum):
    """How a table writes points in time."""

    SECONDS = "epoch seconds"
    MILLISECONDS = "epoch milliseconds"
    ISO = "ISO-8601 text in UTC"
    NONE = "no times"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column. `sqlite_not_null` and `absent_on` record where agno's own schemas differ.

    json_null: in agno's schemas it may not be null, and holds the null of JSON instead.
    """

    name: str
    kind: Kind
    nullable: bool = True
    index: bool = False
    unique: bool = False
    default: object = None
    sqlite_not_null: bool = False
    sqlite_index: bool = False
    json_null: bool = False
    absent_on: frozenset[str] = frozenset()

    @property
    def takes_null(self) -> bool:
        """Whether agno's schemas let it be null, where they do not differ."""
        return self.nullable and not self.json_null


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An index over several columns.

    ours: agno has none like it, a listing of ours needs it. by_code_point: its text columns serve an order, not an
    equality, so they are indexed in code-point order whatever the server's locale.
    """

    columns: tuple[str, ...]
    where: Filter = EVERYTHING
    ours: bool = False
    by_code_point: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unique:
    """A set of columns no two records share; with `where`, no two records that match it."""

    name: str
    columns: tuple[str, ...]
    where: Filter = EVERYTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """A record of `table` that must exist: `columns` here name its `references` there.

    cascade: deleting the parent deletes this record too; otherwise the parent cannot go first.
    enforced: agno's SQL schema has a foreign key for it. Otherwise only the cascade is ours.
    absent_on: dialects where agno leaves the foreign key out.
    """

    table: str
    columns: tuple[str, ...]
    references: tuple[str, ...]
    cascade: bool = False
    enforced: bool = True
    absent_on: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSpec:
    """One of agno's tables.

    name: agno's table type, the word used everywhere in this code. attribute: the db attribute that holds the
    physical name. family: the group of tables that is routed as one. owner: the column with the user the record
    belongs to. components: component kind -> the column that names it. follows: the column whose value names the
    record of `leader` that this record must live beside.
    """

    name: str
    family: str
    attribute: str
    default_name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    indexes: tuple[Index, ...] = ()
    uniques: tuple[Unique, ...] = ()
    parents: tuple[Parent, ...] = ()
    owner: str | None = None
    components: tuple[tuple[str, str], ...] = ()
    leader: str | None = None
    follows: str | None = None
    time: TimeUnit = TimeUnit.SECONDS
    provisioned: bool = False
    """Whether agno creates it in `_create_all_tables`, rather than on first write."""
    ours: bool = False
    """Whether agno has none like it, and its classes leave it alone."""
    # Asked for with every record that is read or written.
    column_names: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """In declared order."""
    json_columns: frozenset[str] = field(init=False, repr=False, compare=False)
    """Those whose values the codec writes."""

    def __post_init__(self) -> None:
        names = tuple(column.name for column in self.columns)
        of_json = frozenset(column.name for column in self.columns if column.kind is Kind.JSON)
        object.__setattr__(self, "column_names", names)
        object.__setattr__(self, "json_columns", of_json)

    def column(self, name: str) -> Column:
        """The column of that name; `KeyError` if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"table {self.name} has no column {name!r}; it has {', '.join(self.column_names)}")

    def has(self, name: str) -> bool:
        """Whether there is a column of that name."""
        return name in self.column_names

    def key_of(self, record: dict[str, object]) -> tuple[object, ...]:
        """The record's key."""
        return tuple(record[column] for column in self.key)

    def without(self, dialect: str) -> TableSpec:
        """This table as the dialect has it: without the columns agno omits there."""
        return replace(self, columns=tuple(each for each in self.columns if dialect not in each.absent_on))
