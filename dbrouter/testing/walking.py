"""A minimal store that also keeps the listings: the proof that the kernel makes pages of walks."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar, cast

from dbrouter.backends.kernel.capabilities import Capabilities
from dbrouter.backends.kernel.completing import key_in, projected
from dbrouter.backends.kernel.isolation import Isolation
from dbrouter.backends.kernel.listings import listings
from dbrouter.backends.kernel.matching import matches
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import GetMany, Op, Order, Walk, Walked
from dbrouter.backends.kernel.ordering import sort_records
from dbrouter.backends.kernel.stored_form import decoded
from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.testing.minimal import AsyncMinimalStore, MinimalStore

R = TypeVar("R")


def kept(spec: TableSpec, path: tuple[str, ...], order: Order) -> bool:
    """Whether it is a listing of the table's."""
    return any(listing.serves(path, order) for listing in listings(spec))


class WalkingStore(MinimalStore):
    """Also walks along listings and gets several records at once; refuses any other walk. Counts records handed out."""

    handed_out = 0

    @property
    def capabilities(self) -> Capabilities:
        """Those of a store that keeps index entries."""
        commits = self._commits
        rows = frozenset({Isolation.ROWS})
        return Capabilities(commits=commits, together=commits, walks=kept, many=True, isolations=rows)

    async def execute(self, op: Op[R], /) -> R:
        """The op's answer, or `Unsupported`."""
        known = cast("object", op)
        match known:
            case Walk():
                self.requests["Walk"] += 1
                return cast("R", self._walk(known))
            case GetMany():
                self.requests["GetMany"] += 1
                self.handed_out += len(known.keys)
                return cast("R", self._many(known))
            case _:
                return await super().execute(op)

    def _walk(self, op: Walk) -> Walked:
        spec = self._spec(op.table)
        rows = [row for row, _ in self._tables.get(op.table, {}).values() if matches(op.where, row)]
        ordered = sort_records(rows, (op.order,), spec.key)
        keys = [key_in(spec, row) for row in ordered]
        start = 0 if op.after is None else keys.index(op.after) + 1
        start += op.skip
        page = ordered[start : start + op.limit]
        self.handed_out += len(page)
        over = start + op.limit >= len(ordered)
        return Walked(
            [projected(decoded(spec, row, op.columns, op.raw), op.columns) for row in page],
            after=None if over else (key_in(spec, page[-1]) if page else op.after),
            total=len(ordered) if op.total else None,
        )

    def _many(self, op: GetMany) -> list[Record | None]:
        spec, rows = self._spec(op.table), self._tables.get(op.table, {})
        return [
            projected(decoded(spec, rows[key][0], op.columns, op.raw), op.columns) if key in rows else None
            for key in op.keys
        ]


class SkippingStore(WalkingStore):
    """Also passes over records that no page shows."""

    @property
    def capabilities(self) -> Capabilities:
        """Those of a store whose index counts."""
        return replace(super().capabilities, skips=True)


class AsyncWalkingStore(WalkingStore, AsyncMinimalStore):
    """The same for an event loop."""
