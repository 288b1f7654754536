"""What the collections are called, and which indexes they have: agno's by agno's names, ours for listings. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from dbrouter.backends.kernel.codec import encode
from dbrouter.backends.kernel.duplicates import uniques_of
from dbrouter.backends.kernel.errors import StoreError
from dbrouter.backends.kernel.filters import And, Everything, Field, Filter, IsNull, Not
from dbrouter.backends.kernel.listings import listings
from dbrouter.backends.kernel.ops import Key
from dbrouter.backends.kernel.tables import Kind, TableSpec, Unique, declared
from dbrouter.backends.kernel.tenant_tables import ALL_TABLES, TENANT, physical_names

POSITIONS: Final = "dbrouter_positions"
"""The collection that counts the positions given within a parent."""

AGNOS_INDEXES: Final[Mapping[str, tuple[str, ...]]] = {
    "sessions": ("user_id", "session_type", "agent_id", "team_id", "workflow_id", "created_at", "updated_at"),
    "runs": (
        *("session_id", "run_type", "agent_id", "team_id", "workflow_id", "user_id", "parent_run_id", "status"),
        *("created_at", "updated_at", "session_id run_index"),
    ),
    "memories": ("user_id", "agent_id", "team_id", "topics", "input", "feedback", "created_at", "updated_at"),
    "evals": (
        *("eval_type", "eval_input", "agent_id", "team_id", "workflow_id", "model_id", "user_id", "created_at"),
        "updated_at",
    ),
    "knowledge": (
        *("name", "description", "type", "status", "status_message", "metadata", "size", "linked_to", "access_count"),
        *("created_at", "updated_at", "external_id"),
    ),
    "metrics": ("date", "aggregation_period", "user_id", "created_at", "updated_at"),
    "traces": (
        *("name", "status", "run_id", "session_id", "user_id", "agent_id", "team_id", "workflow_id", "start_time"),
        *("end_time", "created_at"),
    ),
    "spans": (
        *("trace_id", "parent_span_id", "name", "span_kind", "status_code", "start_time", "end_time", "created_at"),
    ),
    "learnings": (
        *("learning_type", "namespace", "user_id", "agent_id", "team_id", "workflow_id", "session_id", "entity_id"),
        *("entity_type", "created_at", "updated_at"),
    ),
    "schedules": (
        *("name", "enabled", "next_run_at", "locked_by", "locked_at", "user_id", "managed_by", "target_id"),
        *("created_at", "updated_at", "enabled next_run_at", "user_id enabled next_run_at"),
    ),
    "schedule_runs": ("schedule_id", "status", "triggered_at", "completed_at", "user_id", "created_at"),
}
"""The indexes that agno's class makes beside the key's, for the tables it has on MongoDB."""

AGNOS_UNIQUES: Final[Mapping[str, tuple[str | None, tuple[str, ...]]]] = {
    "metrics": (None, ("user_id", "date", "aggregation_period")),
    # MongoDB takes a missing owner for a value, so one index keeps both of the table's unique sets.
    "schedules": ("uq_user_name", ("user_id", "name")),
}
"""Where agno's class has a unique index of its own, its name (`None`: as MongoDB names it) and columns."""

_TEXTUAL = frozenset({Kind.STRING, Kind.NOTE, Kind.TEXT, Kind.DATE, Kind.TIMESTAMP})


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An index as MongoDB is asked for it."""

    columns: tuple[str, ...]
    name: str
    unique: bool = False
    where: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def as_dict(self) -> dict[str, Any]:
        """The entry of `createIndexes`."""
        wanted: dict[str, Any] = {"key": dict.fromkeys(self.columns, 1), "name": self.name}
        if self.unique:
            wanted["unique"] = True
        if self.where:
            wanted["partialFilterExpression"] = dict(self.where)
        return wanted


class Layout:
    """The collections of one configured database."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = physical_names(names)

    def spec(self, table: str) -> TableSpec:
        """The table's spec. Raises `StoreError` for a table nobody declared."""
        return declared(table, ALL_TABLES)

    def name(self, table: str) -> str:
        """What the table's collection is called."""
        return self._names[self.spec(table).name]


def counter(table: str, within: tuple[str, ...], parent: Key) -> str:
    """The name of a parent's counter."""
    return encode((table, within, parent))


def indexes_of(spec: TableSpec) -> tuple[Index, ...]:
    """Every index of a table's collection, once each."""
    found: dict[tuple[str, ...], Index] = {}
    for index in (*_keeping(spec), *_finding(spec), *_listing(spec)):
        found.setdefault((*index.columns, *map(str, index.where)) if index.where else index.columns, index)
    return tuple(found.values())


def named(columns: tuple[str, ...]) -> str:
    """The name that MongoDB gives an index over these columns."""
    return "_".join(f"{column}_1" for column in columns)


def unique_sets(spec: TableSpec) -> tuple[tuple[str, ...], ...]:
    """The columns of each unique index: what a duplicate can be about."""
    return tuple(index.columns for index in _keeping(spec))


def _keeping(spec: TableSpec) -> Iterator[Index]:
    """The unique indexes."""
    yield Index(columns=spec.key, name=named(spec.key), unique=True)
    if spec.name in AGNOS_UNIQUES:
        name, columns = AGNOS_UNIQUES[spec.name]
        yield Index(columns=columns, name=name or named(columns), unique=True)
        return
    for unique in uniques_of(spec):
        yield Index(columns=unique.columns, name=unique.name, unique=True, where=_covered(spec, unique))


def _finding(spec: TableSpec) -> Iterator[Index]:
    """The indexes that agno has, on MongoDB or else in its SQL schema."""
    for columns in AGNOS_INDEXES.get(spec.name, ()):
        together = tuple(columns.split())
        yield Index(columns=together, name=named(together))
    if spec.name in AGNOS_INDEXES:
        return
    for column in spec.columns:
        if column.index:
            yield Index(columns=(column.name,), name=named((column.name,)))
    for index in spec.indexes:
        if not index.ours:
            yield Index(columns=index.columns, name=named(index.columns))


def _listing(spec: TableSpec) -> Iterator[Index]:
    """Ours: what is listed in an order, with the key behind it that breaks ties."""
    owned = {(), (spec.owner,), (TENANT,), (TENANT, spec.owner)}
    ways = [index.columns for index in spec.indexes if index.ours]
    ways += [(*each.path, each.by) for each in listings(spec) if each.path in owned]
    for columns in ways:
        whole = (*columns, *(column for column in spec.key if column not in columns))
        yield Index(columns=whole, name=named(whole))


def _covered(spec: TableSpec, unique: Unique) -> Mapping[str, Any]:
    """The documents that a unique set counts: those it is declared for, and none that has a null in it."""
    covered = dict(_conditions(spec, unique.where))
    for column in unique.columns:
        if spec.column(column).nullable:
            covered[column] = _present(spec, column)
    return covered


def _conditions(spec: TableSpec, where: Filter) -> Iterator[tuple[str, Any]]:
    match where:
        case Everything():
            return
        case And(filters=filters):
            for each in filters:
                yield from _conditions(spec, each)
        case IsNull(field=Field(column=column)):
            yield column, None
        case Not(filter=IsNull(field=Field(column=column))):
            yield column, _present(spec, column)
        case _:
            raise StoreError(f"{spec.name}: MongoDB has no unique index for records where {where}")


def _present(spec: TableSpec, column: str) -> Mapping[str, str]:
    """MongoDB has no `not null` for the documents of an index, but it has types."""
    return {"$type": "string" if spec.column(column).kind in _TEXTUAL else "number"}
