"""What an op may add to what is stored: rows and bytes, as an upper bound that needs no question to the database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.filters import Filter, all_of, any_of, eq, one_of
from dbrouter.backends.kernel.ops import (
    ABSENT,
    AnyOp,
    Batch,
    Change,
    Commit,
    Delete,
    Insert,
    Op,
    Put,
    Remove,
    Update,
    Upsert,
)
from dbrouter.backends.kernel.tenant_tables import children_of
from dbrouter.policies.limits.sizes import size_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """One part of an op: what it writes to a table.

    rows: new ones at most. written: records, or the changed columns of one. replaces: which stored records these
    replace or change, if any are there; `None` if they are new in any case. columns: those that change, `None` for
    all. everywhere: each record that `replaces` matches is changed so.
    """

    table: str
    rows: int
    written: tuple[Mapping[str, Any], ...]
    replaces: Filter | None = None
    columns: tuple[str, ...] | None = None
    everywhere: bool = False

    @property
    def family(self) -> str:
        """The family that grows."""
        return TABLES[self.table].family

    @property
    def bytes(self) -> int:
        """Bytes that it writes."""
        return sum(map(size_of, self.written))


def growths(op: Op[Any]) -> tuple[Growth, ...]:
    """What the op may add, part by part; nothing for an op that only reads or removes.

    A claim is none: it marks a record that is there, with a few bytes, and refusing it would stop the work that frees
    what is stored.
    """
    known = cast("AnyOp", op)
    match known:
        case Insert(table=table, records=records):
            return (Growth(table=table, rows=len(records), written=records),)
        case Upsert():
            return (_upserted(known),)
        case Batch(upserts=upserts):
            return tuple(map(_upserted, upserts))
        case Commit(writes=writes):
            return tuple(_committed(writes))
        case Update(table=table, where=where, changes=changes):
            return (_changed(table, changes, where, everywhere=True),)
        case _:
            return ()


def shrinks(op: Op[Any]) -> frozenset[str]:
    """The families that the op may remove rows of, those of children that go with their parent included."""
    known = cast("AnyOp", op)
    match known:
        case Delete(table=table):
            tables = [table]
        case Commit(writes=writes):
            tables = [each.table for each in writes if isinstance(each, Remove)]
        case _:
            return frozenset()
    return frozenset(spec.family for table in tables for spec in (TABLES[table], *children_of(table)))


def _upserted(op: Upsert) -> Growth:
    only_updates = op.expect is not None and op.expect is not ABSENT
    return Growth(
        table=op.table,
        rows=0 if only_updates else len(op.records),
        written=op.records,
        replaces=None if op.expect is ABSENT else _identified(op.on or TABLES[op.table].key, op.records),
    )


def _committed(writes: Iterable[Any]) -> Iterator[Growth]:
    for each in writes:
        match each:
            case Put(table=table, record=record, expect=expect):
                yield Growth(
                    table=table,
                    rows=1 if expect is None or expect is ABSENT else 0,
                    written=(record,),
                    replaces=None if expect is ABSENT else _identified(TABLES[table].key, (record,)),
                )
            case Change(table=table, key=key, changes=changes):
                keyed = dict(zip(TABLES[table].key, key, strict=True))
                yield _changed(table, changes, _identified(TABLES[table].key, (keyed,)))
            case _:
                continue


def _changed(table: str, changes: Mapping[str, Any], where: Filter | None, *, everywhere: bool = False) -> Growth:
    return Growth(
        table=table, rows=0, written=(changes,), replaces=where, columns=tuple(changes), everywhere=everywhere
    )


def _identified(columns: tuple[str, ...], records: Iterable[Mapping[str, Any]]) -> Filter | None:
    """The stored records with these values in the columns that identify one. A null equals nothing."""
    every: list[tuple[Any, ...]] = [tuple(record.get(name) for name in columns) for record in records]
    known = [values for values in every if None not in values]
    if not known:
        return None
    if len(columns) == 1:
        return one_of(columns[0], [value for (value,) in known])
    return any_of(*(all_of(*map(eq, columns, values)) for values in known))
