"""Whether a store runs an op itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

from dbrouter.backends.kernel.capabilities import Capabilities, no_walks
from dbrouter.backends.kernel.duplicates import uniques_of
from dbrouter.backends.kernel.filters import EVERYTHING, Filter
from dbrouter.backends.kernel.matching import split
from dbrouter.backends.kernel.merging import Next
from dbrouter.backends.kernel.ops import (
    Aggregate,
    Batch,
    Change,
    Check,
    Choice,
    Claim,
    Commit,
    Delete,
    Get,
    GetMany,
    Insert,
    Load,
    Measure,
    Op,
    Put,
    Remove,
    Require,
    Scan,
    Update,
    Upsert,
    Walk,
    Write,
)
from dbrouter.backends.kernel.relating import Children
from dbrouter.backends.kernel.tables import TableSpec


class Native:
    """What a store with these capabilities runs itself, over these tables."""

    def __init__(self, capabilities: Capabilities, tables: Mapping[str, TableSpec], children: Children) -> None:
        self.capabilities = capabilities
        # Tables whose declared constraints the kernel has to keep when it writes.
        self._guarded: set[str] = (
            set()
            if capabilities.uniques and capabilities.parents
            else {
                name
                for name, spec in tables.items()
                if (not capabilities.uniques and uniques_of(spec))
                or (not capabilities.parents and any(parent.enforced for parent in spec.parents))
            }
        )
        self._fathers = children.keys()

    def runs(self, op: Op[Any]) -> bool:
        """Whether the op can be passed on as it is."""
        can = self.capabilities
        match op:
            case Get(where=where):
                return self.filters(where)
            case Scan(where=where, total=total):
                return can.order and self.filters(where) and (can.counts or not total)
            case Load(where=where, children=children):
                return can.loads and self.filters(where) and self.filters(children.where)
            case Aggregate(where=where, measures=measures):
                computed = can.percentiles or all(each.measure is not Measure.P95 for each in measures)
                return (
                    can.aggregates and computed and all(map(self.filters, (where, *(each.where for each in measures))))
                )
            case Commit(writes=writes):
                return (can.commits or len(writes) == 1) and all(map(self._writes, writes))
            case Upsert(table=table, rules=rules):
                positions = any(isinstance(rule, Next) for rule in rules.values())
                return can.upserts and self.plain(table) and (can.positions or not positions)
            case Update(table=table, where=where, changes=changes):
                return can.updates and self.plain(table) and self.filters(where) and self._choices(changes)
            case Claim(table=table, where=where, changes=changes):
                return can.claims and self.plain(table) and self.filters(where) and self._choices(changes)
            case Delete(table=table, where=where):
                return can.deletes and self.filters(where)
            case Batch(upserts=upserts):
                return can.batches and all(self.runs(each) for each in upserts)
            case Walk():
                # Only emulations ask, and only for what is declared: this is one beneath another.
                return can.walks is not no_walks
            case GetMany():
                return can.many
            case Insert(table=table):
                # An insert has no capability of its own: who can upsert can insert; for others it is a commit of puts.
                return can.upserts and self.plain(table)
            case _:
                return False

    def filters(self, where: Filter) -> bool:
        """Whether the store runs the whole filter as it stands."""
        return split(where, self.capabilities.filters) == (where, EVERYTHING)

    def plain(self, table: str) -> bool:
        """Whether a write to the table needs nothing from the kernel."""
        return table not in self._guarded

    def _writes(self, write: Write) -> bool:
        match write:
            case Put(table=table):
                return self.plain(table)
            case Remove(table=table):
                return self.plain(table) and (self.capabilities.deletes or table not in self._fathers)
            case Check():
                return self.capabilities.commits
            case Change(table=table, where=where, changes=changes):
                can = self.capabilities
                return (
                    can.commits and can.updates and self.plain(table) and self.filters(where) and self._choices(changes)
                )
            case Require(where=where):
                # Who does not change records where they match has no condition to commit on, only versions.
                return self.capabilities.commits and self.capabilities.updates and self.filters(where)
            case _:
                assert_never(write)

    def _choices(self, changes: Mapping[str, Any]) -> bool:
        return all(self.filters(change.where) for change in changes.values() if isinstance(change, Choice))
