"""A memory store that admits to less than it can do, to see that the kernel asks for no more."""

from __future__ import annotations

from typing import TypeVar, cast

from dbrouter.backends.kernel.capabilities import Capabilities, all_filters
from dbrouter.backends.kernel.emulation import INTERNAL_TABLES
from dbrouter.backends.kernel.filters import EVERYTHING
from dbrouter.backends.kernel.matching import split
from dbrouter.backends.kernel.merging import Next
from dbrouter.backends.kernel.ops import (
    Aggregate,
    AnyOp,
    Batch,
    Claim,
    Commit,
    Delete,
    Get,
    Load,
    Measure,
    Op,
    Scan,
    Update,
    Upsert,
)
from dbrouter.backends.kernel.tenant_tables import ALL_TABLES
from dbrouter.backends.memory.store import MemoryStore

R = TypeVar("R")


class LimitedStore(MemoryStore):
    """Fails a test that asks for what the capabilities do not promise."""

    def __init__(self, capabilities: Capabilities) -> None:
        super().__init__(tables={**ALL_TABLES, **INTERNAL_TABLES})
        self._capabilities = capabilities

    @property
    def capabilities(self) -> Capabilities:
        """Those it was made with."""
        return self._capabilities

    async def execute(self, op: Op[R], /) -> R:
        """The answer to an op that was promised."""
        assert self._promised(op), f"{op} was not promised"
        return await super().execute(op)

    def _promised(self, op: Op[R]) -> bool:  # one line a kind of op
        can = self._capabilities
        match cast("AnyOp", op):
            case Get(where=where):
                return split(where, can.filters) == (where, EVERYTHING)
            case Scan() as scan:
                # Without a filter of its own a store still looks up one column; the minimal store is strict about it.
                lookup = can.filters is not all_filters
                paged = bool(scan.order) or scan.limit is not None or scan.offset > 0
                return (
                    (can.order or not paged)
                    and (can.counts or not scan.total)
                    and (lookup or split(scan.where, can.filters) == (scan.where, EVERYTHING))
                )
            case Load():
                return can.loads
            case Aggregate(measures=measures):
                return can.aggregates and (can.percentiles or all(each.measure is not Measure.P95 for each in measures))
            case Commit(writes=writes):
                return can.commits or len(writes) == 1
            case Upsert(rules=rules):
                return can.upserts and (can.positions or not any(isinstance(rule, Next) for rule in rules.values()))
            case Update():
                return can.updates
            case Claim():
                return can.claims
            case Delete():
                return can.deletes
            case Batch():
                return can.batches
            case _:
                # An insert has no capability of its own: who can upsert can insert.
                return can.upserts
