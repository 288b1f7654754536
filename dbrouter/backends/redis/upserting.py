"""Upserts: in one request where the script knows the rules, else merged here over what is stored, and tried again.

The script inserts whatever is new. What it cannot merge it hands over with its version, having written nothing; what
comes back merged is written if that version is still there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from dbrouter.backends.kernel.completing import check_columns, completed, key_in
from dbrouter.backends.kernel.emulation.writing import is_unchanged
from dbrouter.backends.kernel.errors import StoreError
from dbrouter.backends.kernel.merging import Next, Record, merged
from dbrouter.backends.kernel.ops import Stored, Upsert
from dbrouter.backends.kernel.ordered_form import decoded
from dbrouter.backends.kernel.racing import Attempts
from dbrouter.backends.kernel.running import Runtime
from dbrouter.backends.kernel.stored_form import as_stored, encoded
from dbrouter.backends.redis.layout import Layout, Table
from dbrouter.backends.redis.records import flat_record
from dbrouter.backends.redis.writing import Writes

Commit: TypeAlias = Callable[[Writes, bool], Awaitable[tuple[str, Sequence[Any]]]]
"""Runs writes; answers what the script did, and its answers."""

STAGED = "|"
"""In the version of a record that the same commit has just written, before that of what is stored."""


class _Upsert:
    """One record on its way in."""

    def __init__(self, table: Table, op: Upsert, record: Record) -> None:
        self.table = table
        self.op = op
        self.record = record
        self.merged: tuple[Record, str] | None = None
        self.settled = False
        self.answer: Stored | None = None

    def settle(self, answer: Stored | None) -> None:
        """Nothing is to be done any more."""
        self.settled, self.answer = True, answer

    def meet(self, version: str, flat: Sequence[bytes]) -> None:
        """Decide what becomes of the stored record of this version; none without a version."""
        self.merged = None
        if not version:
            return None
        op, spec = self.op, self.table.spec
        stored, incoming = flat_record(self.table, flat), as_stored(spec, self.record)
        if op.expect is not None and op.expect != version:
            return self.settle(None)
        if op.guard is not None and not op.guard.admits(stored, incoming):
            return self.settle(None)
        after = completed(spec, merged(stored, incoming, op.rules))
        if key_in(spec, after) != key_in(spec, stored):
            raise StoreError(f"{spec.name}: an upsert cannot change the key of the record it found")
        placed = any(isinstance(rule, Next) and stored[column] is None for column, rule in op.rules.items())
        # What the same commit writes is not stored yet, and may be another record by then.
        settled = STAGED not in version
        if settled and is_unchanged(encoded(spec, stored), encoded(spec, after)) and not placed:
            return self.settle(Stored(stored, version))
        self.merged = (after, version)
        return None

    def answered(self, answer: Sequence[Any], *, rows: bool) -> Stored | None:
        """What is stored now, from the script's answer."""
        kind, version, *more = answer
        if kind == b"refused":
            return None
        columns = self.op.on or self.table.spec.key
        if kind == b"inserted":
            placed = {column.decode(): decoded(data) for column, data in zip(more[::2], more[1::2], strict=True)}
            record = as_stored(self.table.spec, self.record) if rows else self.record
            shown = {**record, **placed} if rows else {column: record.get(column) for column in columns}
            return Stored(shown, version.decode())
        if rows:
            return Stored(flat_record(self.table, more[0]), version.decode())
        return Stored({column: self.record.get(column) for column in columns}, version.decode())


async def upserted(
    layout: Layout, namespace: str, runtime: Runtime, commit: Commit, ops: Sequence[Upsert], *, rows: bool
) -> list[Stored | None]:
    """What is stored now, per record and in order; `None` where a guard or an expectation refused."""
    coming: list[_Upsert] = []
    for op in ops:
        table = layout.table(op.table)
        check_columns(table.spec, op.rules)
        coming += [_Upsert(table, op, record) for record in op.records]
    attempts = Attempts(runtime, f"upsert of {', '.join(dict.fromkeys(op.table for op in ops))}")
    token = Writes(layout, namespace).token
    while waiting := [each for each in coming if not each.settled]:
        # Versions that a try would have given are the same in the next: a record may be told of twice in one op.
        writes = Writes(layout, namespace, token=token)
        for each in waiting:
            writes.upsert(each.op, each.record, each.merged)
        what, answers = await commit(writes, rows)
        if what == "done":
            for each, answer in zip(waiting, answers, strict=True):
                each.settle(each.answered(answer, rows=rows))
            break
        lost = any(waiting[number - 1].merged is not None for number, _, _ in answers)
        for number, version, flat in answers:
            waiting[number - 1].meet(version.decode(), flat)
        if lost:
            await attempts.again()
    return [each.answer for each in coming]
