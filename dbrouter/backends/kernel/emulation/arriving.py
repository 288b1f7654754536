"""The new ones among many records of an upsert, written together: most of a batch, such as a trace's spans, is new."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

from dbrouter.backends.kernel.completing import key_in
from dbrouter.backends.kernel.duplicates import uniques_of
from dbrouter.backends.kernel.emulation.at_once import a_few_at_once, many
from dbrouter.backends.kernel.emulation.deleting import MOST_TOGETHER
from dbrouter.backends.kernel.errors import Conflict, Duplicate
from dbrouter.backends.kernel.merging import Next, Record
from dbrouter.backends.kernel.ops import ABSENT, Commit, Put, Stored, Upsert, Version
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.kernel.tables import TableSpec


class Arriving:
    """Writes new records some at a time: in commits where a commit is one request, else each by itself."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def written(self, spec: TableSpec, op: Upsert, records: Sequence[Record]) -> dict[int, Stored]:
        """What is stored now of the records that were new, by their place among those given.

        The others are to be merged one by one: those that are there already, are given twice, or met another writer.
        Parents must have been checked. An upsert without rules changes nothing that is there, and whoever sends one
        nearly always sends what is new: what is there is looked for only when that turns out to be wrong.
        """
        plain = self._store.capabilities.uniques or not uniques_of(spec)
        positions = any(isinstance(rule, Next) for rule in op.rules.values())
        if len(records) < 2 or not plain or positions or op.expect is not None:
            return {}
        keys = [key_in(spec, record) for record in records]
        given = Counter(keys)
        once = [at for at, key in enumerate(keys) if given[key] == 1]
        written = {} if op.rules else await self._put(spec, records, once)
        left = [at for at in once if at not in written]
        if left:
            found = await many(self._store, spec.name, [keys[at] for at in left], spec.key, frozenset())
            taken = {key_in(spec, record) for record in found}
            written |= await self._put(spec, records, [at for at in left if keys[at] not in taken])
        return written

    async def _put(self, spec: TableSpec, records: Sequence[Record], places: Sequence[int]) -> dict[int, Stored]:
        """What was written of the records at these places."""
        size = MOST_TOGETHER if self._store.capabilities.together else 1
        chunks = [places[start : start + size] for start in range(0, len(places), size)]
        puts = {at: Put(table=spec.name, record=records[at], expect=ABSENT) for at in places}
        commits = [partial(self._committed, [puts[at] for at in chunk]) for chunk in chunks]
        return {
            at: Stored(records[at], version)
            for chunk, versions in zip(chunks, await a_few_at_once(self._store.runtime, commits), strict=True)
            for at, version in zip(chunk, versions, strict=False)  # there are none if another writer came first
        }

    async def _committed(self, puts: Sequence[Put]) -> Sequence[Version]:
        """The versions of a commit; none if another writer came first with one of these."""
        try:
            return await self._store.execute(Commit(writes=tuple(puts)))
        except (Conflict, Duplicate):
            return ()
