"""What can be asked of a store, as frozen values.

A policy is one function over ops, a log line prints them, a test compares them, the router routes them.
A store must execute `Get`, `Scan` of a table or a declared index, and `Commit` of one write. The others are
declared as capabilities; the kernel emulates them on a store that does not declare them (`emulation/`). `Walk` and
`GetMany` are asked by that emulation only, and only of stores that declare them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, TypeAlias, TypeVar

from dbrouter.backends.kernel.filters import EVERYTHING, Field, Filter, columns_of
from dbrouter.backends.kernel.merging import OwnerGuard, Record, Rule

R = TypeVar("R", covariant=True)

Key: TypeAlias = tuple[Any, ...]
"""The values of a table's key columns, in their declared order."""

Version: TypeAlias = Any
"""Opaque: what a store gives with a record and takes back as "still that one". Compare with nothing but `==`."""


class Absent(Enum):
    """The version of a record that is not there."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent.ABSENT


@dataclass(frozen=True, slots=True)
class Order:
    """One sort term. Nulls count as larger than every value; text sorts by code point.

    fallback: the column that stands in where `field` is null.
    """

    field: Field
    descending: bool = False
    fallback: str | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A record and the version it was read at."""

    record: Record
    version: Version


@dataclass(frozen=True, slots=True)
class Page:
    """Some records in order. `total` counts all matching records, if the op asked for it."""

    records: list[Record]
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """A record, its version, and its children in order."""

    record: Record
    version: Version
    children: list[Record]


class Op(Generic[R]):
    """A request to a store whose answer is an `R`. Every op names its table."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Get(Op["Stored | None"]):
    """One record by its key, if it also matches `where`.

    versioned: whether the caller will use the version (reading it may cost a little).
    """

    table: str
    key: Key
    where: Filter = EVERYTHING
    versioned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan(Op[Page]):
    """The records that match, in order, from `offset`, at most `limit`.

    The table's key breaks ties, so pages neither repeat nor miss a record that did not move.
    columns: only these columns (all if `None`). raw: JSON columns to leave as the codec's text.
    total: also count all that match.
    """

    table: str
    where: Filter = EVERYTHING
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0
    total: bool = False
    columns: tuple[str, ...] | None = None
    raw: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Walked:
    """The next records along a path. `after` is where the next walk goes on, `None` at the end.

    total: how many records are on the path, if the op asked for it.
    """

    records: list[Record]
    after: Any = None
    total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk(Op[Walked]):
    """The next records along one access path, in order: what pages are made of where a store cannot filter.

    where: an equality for each column of an access path (`emulation/access.py`), or `EVERYTHING`.
    order: one term; the table's key breaks ties in its direction. after: `Walked.after` of the walk before.
    skip: records to pass over first, on a store that declares `skips`. total: also count all records of the path.
    columns, raw: as in `Scan`.
    """

    table: str
    where: Filter
    order: Order
    limit: int
    after: Any = None
    skip: int = 0
    total: bool = False
    columns: tuple[str, ...] | None = None
    raw: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class GetMany(Op["list[Record | None]"]):
    """The records with these keys, in this order, `None` for those that are not there. columns, raw: as in `Scan`."""

    table: str
    keys: tuple[Key, ...]
    columns: tuple[str, ...] | None = None
    raw: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Children:
    """The records of another table whose `on` columns equal the loaded record's key, column by column.

    limit: only the last so many in `order`; they come in `order` all the same.
    """

    table: str
    on: tuple[str, ...]
    columns: tuple[str, ...]
    order: tuple[Order, ...]
    where: Filter = EVERYTHING
    limit: int | None = None
    raw: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Load(Op["Loaded | None"]):
    """One record by its key, if it matches `where`, together with its children. raw: as in `Scan`."""

    table: str
    key: Key
    children: Children
    where: Filter = EVERYTHING
    raw: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """Write one whole record.

    With `expect`, only if the stored version is that one, else `Conflict`; `ABSENT` means "only if there is none",
    else `Duplicate`.
    """

    table: str
    record: Record
    expect: Version | Absent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    """Delete one record by its key. With `expect`, only if the stored version is that one, else `Conflict`."""

    table: str
    key: Key
    expect: Version | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Require that a record still has this version (`ABSENT`: that there is none), else `Conflict`."""

    table: str
    key: Key
    expect: Version | Absent


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Set columns of one record if it matches `where` at the moment of writing, else `Conflict`. No read before it."""

    table: str
    key: Key
    changes: Mapping[str, Any]
    where: Filter = EVERYTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Require:
    """Require that a record is there and matches `where`, and keeps doing so until the commit, else `Conflict`."""

    table: str
    key: Key
    where: Filter = EVERYTHING


Write: TypeAlias = Put | Remove | Check | Change | Require


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit(Op["tuple[Version | None, ...]"]):
    """All of these writes, or none. Answers each put's new version, in order (`None` for the others).

    A record is written once at most; checks of it may come before.
    More than one write needs the capability `commits`; a store without it refuses before writing anything.
    """

    writes: tuple[Write, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Insert(Op[None]):
    """New records, all or none. A taken key or unique value raises `Duplicate`, a missing parent `MissingParent`.

    Of one record, a duplicate is told before a missing parent.
    """

    table: str
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upsert(Op["list[Stored | None]"]):
    """Insert each record, or merge it into the stored one by `rules` (columns without a rule stay).

    Answers, per record and in order, what is stored now, or `None` where the guard or `expect` refused the change.
    on: the columns that identify a record (the key if empty, else a declared unique set).
    expect: as in `Put`, but a mismatch answers `None`.
    returning: when false, answered records need hold only the identifying columns (versions come with an expectation
    all the same), and without a guard or an expectation the answer is an empty list.
    Positions (`Next`) are decided one writer at a time per parent. Of one record, a refusal is told before that its
    parent is missing.
    """

    table: str
    records: tuple[Record, ...]
    rules: Mapping[str, Rule] = field(default_factory=dict)
    on: tuple[str, ...] = ()
    guard: OwnerGuard | None = None
    expect: Version | Absent | None = None
    returning: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A value that depends on the record before the change: `then` where it matches, else `otherwise`.

    `otherwise` absent (`KEEP_VALUE`) leaves the column as it is.
    """

    where: Filter
    then: Any
    otherwise: Any


class KeepValue(Enum):
    """A change that leaves the column as it is."""

    KEEP_VALUE = "keep"


KEEP_VALUE = KeepValue.KEEP_VALUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Update(Op["list[Record]"]):
    """Set columns of every record that matches, re-checking the match at the moment of writing.

    Answers the changed records as they are now; with `returning` false, records of key columns only.
    """

    table: str
    where: Filter
    changes: Mapping[str, Any]
    returning: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim(Op["Record | None"]):
    """Change the first matching record in `order` that no other claimer is changing; answers it, or `None`.

    Of all concurrent claimers exactly one gets a record.
    """

    table: str
    where: Filter
    order: tuple[Order, ...]
    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete(Op[int]):
    """Remove every record that matches, with its children as the tables declare; answers how many, children aside."""

    table: str
    where: Filter


class Measure(Enum):
    """What is computed over a group."""

    COUNT = "count"
    DISTINCT = "distinct"
    MIN = "min"
    MAX = "max"
    MEAN = "mean"
    P95 = "p95"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """One measure of a group. `where` restricts it to some records; null fields are left out.

    P95 interpolates linearly between the two nearest ranks (as PERCENTILE_CONT). BYTES adds up what the values take
    where they are kept, compressed where the database compresses them: databases differ.
    """

    name: str
    measure: Measure
    field: Field | None = None
    where: Filter = EVERYTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate(Op[Page]):
    """One record per distinct combination of the grouping fields, with the measures beside it.

    by: result column name -> field. order: terms over result columns; the grouping columns break ties.
    """

    table: str
    by: Mapping[str, Field]
    measures: tuple[Computed, ...]
    where: Filter = EVERYTHING
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0
    total: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch(Op[None]):
    """Upserts whose answers nobody needs, in order: one round trip where the store can.

    Not atomic: a record that cannot be stored is reported by the raised error, and the caller may split.
    """

    upserts: tuple[Upsert, ...]


AnyOp: TypeAlias = Get | Scan | Load | Commit | Insert | Upsert | Update | Claim | Delete | Aggregate | Batch


def tables_of(op: Op[Any]) -> tuple[str, ...]:
    """The tables an op touches, its own first."""
    match op:
        case Commit(writes=writes):
            return tuple(dict.fromkeys(write.table for write in writes))
        case Batch(upserts=upserts):
            return tuple(dict.fromkeys(each.table for each in upserts))
        case Load(table=table, children=children):
            return (table, children.table)
        case _:
            return (op.table,)  # type: ignore[attr-defined]  # every other op is of one table


def wanted_columns(op: Scan) -> frozenset[str] | None:
    """Every column a scan needs to read: those asked for and those its filter and order use. `None`: all."""
    if op.columns is None:
        return None
    ordering = {column for term in op.order for column in (term.field.column, term.fallback) if column}
    return frozenset(op.columns) | ordering | frozenset(columns_of(op.where))
