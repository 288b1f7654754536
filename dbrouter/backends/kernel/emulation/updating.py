"""Updates and claims over conditional puts: each record is looked at again at the moment it is written."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from dbrouter.backends.kernel.completing import changed, check_changes, projected
from dbrouter.backends.kernel.emulation.at_once import a_few_at_once
from dbrouter.backends.kernel.emulation.reading import Reading
from dbrouter.backends.kernel.emulation.writing import Writing, is_unchanged
from dbrouter.backends.kernel.filters import Filter
from dbrouter.backends.kernel.matching import matches
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Claim, Key, Update
from dbrouter.backends.kernel.racing import Attempts, Lost
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.kernel.stored_form import as_stored
from dbrouter.backends.kernel.tables import TableSpec


class Updating:
    """Answers updates and claims. An update that fails half-way has changed some records and not others."""

    def __init__(self, store: Store, reading: Reading, writing: Writing) -> None:
        self._store = store
        self._reading = reading
        self._writing = writing

    async def update(self, op: Update) -> list[Record]:
        """The changed records, by key."""
        spec = self._reading.spec(op.table)
        check_changes(spec, op.changes)
        changes = await self._reading.resolved_changes(op.changes)
        keys = await self._reading.keys(op.table, await self._reading.resolved(op.where))
        calls = [partial(self._change, spec, key, op.where, changes) for key in keys]
        found = await a_few_at_once(self._store.runtime, calls)
        columns = None if op.returning else spec.key
        return [projected(record, columns) for record in found if record is not None]

    async def claim(self, op: Claim) -> Record | None:
        """The first matching record that no other claimer got, changed."""
        spec = self._reading.spec(op.table)
        check_changes(spec, op.changes)
        changes = await self._reading.resolved_changes(op.changes)
        for key in await self._reading.keys(op.table, await self._reading.resolved(op.where), op.order):
            claimed = await self._change(spec, key, op.where, changes, always=True)
            if claimed is not None:
                return claimed
        return None

    async def _change(
        self, spec: TableSpec, key: Key, where: Filter, changes: Mapping[str, Any], *, always: bool = False
    ) -> Record | None:
        """The record after the changes, or `None` if it does not match (any more). always: write even the same."""
        attempts = Attempts(self._store.runtime, f"update of {spec.name} {key}")
        while True:
            stored = await self._reading.current(spec.name, key)
            if stored is None or not matches(await self._reading.resolved(where), stored.record):
                return None
            after = as_stored(spec, changed(spec, stored.record, changes))
            if not always and is_unchanged(stored.record, after):
                return after
            await self._writing.check_parents(spec, stored.record, after)
            try:
                await self._writing.write(spec, stored, after)
            except Lost:
                await attempts.again()
            else:
                return after
