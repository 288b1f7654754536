"""What an op says of owners and components: the values that its records, filters and keys fix."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.filters import And, Filter, Related, pinned
from dbrouter.backends.kernel.ops import (
    Aggregate,
    AnyOp,
    Batch,
    Change,
    Check,
    Claim,
    Commit,
    Delete,
    Get,
    Insert,
    Key,
    Load,
    Put,
    Remove,
    Require,
    Scan,
    Update,
    Upsert,
)
from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.router.any_agno.call import Call

Values = Mapping[str, Any]


def described(op: AnyOp | Call) -> Iterator[tuple[TableSpec, Values]]:
    """For each record or set of records that the op is about, its table and the column values that the op fixes."""
    match op:
        case Call():
            yield from op.described()
        case Get() | Load():
            yield _keyed(op.table, op.key, op.where)
            yield from _nested(op.where)
            if isinstance(op, Load):
                yield from _filtered(op.children.table, op.children.where)
        case Scan() | Delete() | Aggregate():
            # What a measure of an aggregate counts is no restriction of the op.
            yield from _filtered(op.table, op.where)
        case Update() | Claim():
            yield from _filtered(op.table, op.where)
            yield TABLES[op.table], op.changes
        case Insert() | Upsert():
            for record in op.records:
                yield TABLES[op.table], record
        case Batch():
            for upsert in op.upserts:
                yield from described(upsert)
        case Commit():
            for write in op.writes:
                match write:
                    case Put():
                        yield TABLES[write.table], write.record
                    case Change():
                        yield _keyed(write.table, write.key, write.where)
                        yield TABLES[write.table], write.changes
                    case Require():
                        yield _keyed(write.table, write.key, write.where)
                    case Remove() | Check():
                        yield TABLES[write.table], _key_columns(write.table, write.key)


def values_of(op: AnyOp, column_of: Callable[[TableSpec], str | None]) -> Iterator[Any]:
    """The values that the op fixes in one column of each table; nulls and tables without such a column say nothing."""
    for spec, values in described(op):
        column = column_of(spec)
        if column is not None and values.get(column) is not None:
            yield values[column]


def _filtered(table: str, where: Filter) -> Iterator[tuple[TableSpec, Values]]:
    yield TABLES[table], pinned(where)
    yield from _nested(where)


def _nested(where: Filter) -> Iterator[tuple[TableSpec, Values]]:
    """What questions to other tables fix, if all must be answered with yes."""
    match where:
        case Related(table=table, where=inner):
            yield from _filtered(table, inner)
        case And(filters=filters):
            for each in filters:
                yield from _nested(each)
        case _:
            return


def _keyed(table: str, key: Key, where: Filter) -> tuple[TableSpec, Values]:
    return TABLES[table], {**pinned(where), **_key_columns(table, key)}


def _key_columns(table: str, key: Key) -> Values:
    return dict(zip(TABLES[table].key, key, strict=True))
