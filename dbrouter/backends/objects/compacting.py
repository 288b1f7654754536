"""What crashes and removals leave, removed: old entries, tombstones, drafts and decisions, files never finished.

A tombstone may be written over by a record at any moment, and not every server removes on a condition. So it is sealed
first, by a conditional write; nobody writes over a seal before it is older than any request that removes it can be.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta

from dbrouter.backends.kernel.errors import Conflict
from dbrouter.backends.kernel.ops import Put
from dbrouter.backends.kernel.writes import asked
from dbrouter.backends.objects import writing
from dbrouter.backends.objects.asking import Asking
from dbrouter.backends.objects.body import MARKER, Body, is_tombstone, read, seal, sealed_for
from dbrouter.backends.objects.bucket import Changed, Listed
from dbrouter.backends.objects.drafts import drafted, end, settle
from dbrouter.backends.objects.layout import Layout
from dbrouter.backends.objects.reading import GRACE, Version

TOMBSTONES = 7 * 24 * 3600.0
"""Seconds that a removed record's tombstone is kept if nothing else is said."""
AT_ONCE = 500
"""Records in memory at a time."""
SEALED_AT_MOST = 60.0
"""Seconds in which a sealed tombstone may be removed: far fewer than `GRACE`, after which it may be written over."""


@dataclass(frozen=True, slots=True)
class Compacted:
    """How many of each were removed, and how many entries were added."""

    stale_entries: int = 0
    tombstones: int = 0
    added_entries: int = 0
    ended_commits: int = 0

    def __add__(self, other: Compacted) -> Compacted:
        return Compacted(*(sum(pair) for pair in zip(astuple(self), astuple(other), strict=True)))


async def end_commits(asking: Asking, folder: str, dropped_older_than: float) -> Compacted:
    """Replace the drafts that crashed writers have left after a decision, and remove the old decisions.

    dropped_older_than: seconds that a decision against a commit is kept, which is what stops its writer should that
    only have stood still.
    """
    began = datetime.now(UTC)
    old = [each for each in await asking.list(folder) if began - each.modified > GRACE]
    dropped = timedelta(seconds=dropped_older_than)
    ended = await asking.each(
        [lambda each=each: end(asking, folder, each.name, dropped=began - each.modified > dropped) for each in old]
    )
    return Compacted(ended_commits=sum(ended))


async def compact(asking: Asking, layout: Layout, tombstones_older_than: float) -> Compacted:
    """Tidy one table. Safe beside writers; reads every record of it."""
    began = datetime.now(UTC)
    # Entries first: one that is listed now, is old, and is not named by its record later will never be named.
    entries = {each.name: each for each in await asking.list(f"{layout.folder}/l")}
    records = await asking.list(layout.records())
    named: set[str] = set()
    added = 0
    living = [each for each in records if each.size != MARKER]
    for start in range(0, len(living), AT_ONCE):
        for names, missing in await asking.each(
            [lambda each=each: _entries_of(asking, layout, each, entries, began) for each in living[start:][:AT_ONCE]]
        ):
            named |= names
            added += missing
    stale = [
        f"{layout.folder}/l/{name}"
        for name, each in entries.items()
        if name not in named and began - each.modified > GRACE
    ]
    for start in range(0, len(stale), AT_ONCE):
        await asking.discard(stale[start:][:AT_ONCE])
    old = [
        f"{layout.records()}/{each.name}"
        for each in records
        if each.size == MARKER and began - each.modified > timedelta(seconds=tombstones_older_than)
    ]
    removed = await asking.each([lambda name=name: _remove_tombstone(asking, name) for name in old])
    return Compacted(len(stale), sum(removed), added)


async def _entries_of(
    asking: Asking, layout: Layout, listed: Listed, entries: Mapping[str, Listed], began: datetime
) -> tuple[set[str], int]:
    """The names of the record's entries below the listings' folder, and how many had to be added."""
    name = f"{layout.records()}/{listed.name}"
    found = await asking.get(name)
    draft = None if found is None else drafted(found.body)
    if draft is not None and began - listed.modified > GRACE:
        await settle(asking, layout, name, patience=0)
        found = await asking.get(name)
        draft = None if found is None else drafted(found.body)
    if draft is not None:
        either = [read(layout.spec, content, name) for content in (draft.before, draft.after) if content]
        return {each for body in either if body is not None for each in _named(layout, body)}, 0
    body = None if found is None else read(layout.spec, found.body, name)
    if found is None or body is None:
        return set(), 0
    places = layout.entries(body.record)
    added = 0
    if not places.keys() <= body.entries.keys():
        # Written by a version that had fewer listings.
        values = {column: body.record[column] for column in layout.columns}
        put = Put(table=layout.spec.name, record=body.record, expect=Version(found.tag, body.entries, values))
        try:
            await writing.put(asking, layout, asked(layout.spec, put))
            added = len(places.keys() - body.entries.keys())
        except Conflict:
            return set(), 0  # whoever wrote it meanwhile wrote all of its entries, and they are young
    names = _named(layout, body)
    lost = [each for each in names if each not in entries] if began - listed.modified > GRACE else []
    await asking.each([lambda each=each: asking.put(f"{layout.folder}/l/{each}", b"", None) for each in lost])
    return names, added + len(lost)


def _named(layout: Layout, body: Body) -> set[str]:
    """The names of a record's entries below the listings' folder."""
    top = len(f"{layout.folder}/l/")
    places = layout.entries(body.record)
    return {place[top:] + body.entries[listing] for listing, place in places.items() if listing in body.entries}


async def _remove_tombstone(asking: Asking, name: str) -> bool:
    found = await asking.get(name)
    if found is None or not is_tombstone(found.body):
        return False
    sealed = sealed_for(found.body)
    if sealed is not None and sealed <= GRACE.total_seconds():
        return False  # another compactor is at it, or was until a moment ago
    began = time.time()
    try:
        await asking.put(name, seal(), found.tag)
    except Changed:
        return False
    if time.time() - began > SEALED_AT_MOST:
        return False
    await asking.discard([name])
    return True
