"""Transcripts on databases that commit one record at a time: each entry once, in order, whoever else appends."""

from __future__ import annotations

from typing import Any

import pytest

from dbrouter.backends.kernel.errors import Unsupported
from dbrouter.backends.kernel.ops import Insert, Op
from dbrouter.backends.kernel.store import Store
from dbrouter.router.families.context import Context
from dbrouter.router.families.transcripts import Transcripts
from tests.families.recorded import Recorded


class OneByOne(Recorded):
    """A store that writes one record at a time. Before its nth transcript entry, another writer is faster."""

    def __init__(self, inner: Store, *, raced_at: int) -> None:
        super().__init__(inner)
        self._until_raced = raced_at

    async def execute(self, op: Op[Any], /) -> Any:
        if isinstance(op, Insert):
            if len(op.records) > 1:
                raise Unsupported("one record at a time")
            record = next(iter(op.records))
            self._until_raced -= 1
            if self._until_raced == 0:
                other = {**record, "entry": '"other"', "entry_uuid": None}
                await self.inner.execute(Insert(table=op.table, records=(other,)))
        return await super().execute(op)


async def _append(store: Store, entries: list[dict[str, Any]]) -> None:
    await Transcripts(Context(store)).append_transcript_entries("f", "p", "s", entries, "agno")


@pytest.mark.parametrize("raced_at", [1, 2, 3])
@pytest.mark.parametrize("uuids", [False, True])
async def test_no_entry_is_stored_twice_or_left_out(store: Store, raced_at: int, *, uuids: bool) -> None:
    entries: list[dict[str, Any]] = [{"n": n, **({"uuid": f"u{n}"} if uuids else {})} for n in range(3)]
    await _append(OneByOne(store, raced_at=raced_at), entries)
    found = await Transcripts(Context(store)).get_transcript_entries("f", "p", "s")
    assert [each for each in found if each != "other"] == entries
    assert found.index("other") == raced_at - 1  # pyright: ignore[reportArgumentType]


async def test_known_entries_between_new_ones_are_left_out(store: Store) -> None:
    await _append(store, [{"uuid": "b"}])
    await _append(OneByOne(store, raced_at=2), [{"uuid": "a"}, {"uuid": "b"}, {"uuid": "c"}, {"uuid": "d"}])
    found = await Transcripts(Context(store)).get_transcript_entries("f", "p", "s")
    assert [each["uuid"] for each in found if isinstance(each, dict)] == ["b", "a", "c", "d"]
