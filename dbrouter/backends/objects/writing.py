"""One record written or removed: its new entries first, then the record, which decides, then its old entries go.

A crash in between leaves entries that no record names, which readers pass over; never a record that no listing shows.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from dbrouter.backends.kernel.completing import key_in
from dbrouter.backends.kernel.duplicates import duplicate
from dbrouter.backends.kernel.errors import Conflict, Throttled, TooLarge
from dbrouter.backends.kernel.ops import ABSENT, Absent, Put, Remove
from dbrouter.backends.kernel.stored_form import encoded
from dbrouter.backends.objects.asking import Asking
from dbrouter.backends.objects.body import is_tombstone, new_token, sealed_for, tombstone, written
from dbrouter.backends.objects.bucket import Changed, Refused
from dbrouter.backends.objects.layout import Layout
from dbrouter.backends.objects.reading import GRACE, Version, current

RACES = 64
"""Times that a write without a condition may lose to others before it gives up."""


async def put(asking: Asking, layout: Layout, write: Put) -> Version:
    """The version of the record, written if it is still as `expect` says."""
    values = encoded(layout.spec, write.record)
    key = key_in(layout.spec, values)
    name = layout.record(key)
    match write.expect:
        case Version() as expected:
            try:
                return await _replace(asking, layout, name, values, expected)
            except Changed as race:
                raise Conflict(f"{write.table} {key}: the stored version is not the expected one") from race
        case Absent():
            try:
                return await _replace(asking, layout, name, values, None)
            except Changed as taken:
                raise duplicate(write.table, layout.spec.key, taken) from taken
        case _:
            conflict = Conflict(f"{write.table} {key}: {RACES} tries all lost to other writers; nothing was written")
            for lost in range(RACES):
                found = current(layout, key, await asking.get(name))
                try:
                    return await _replace(asking, layout, name, values, None if found is None else found[1])
                except Changed:
                    await asking.pause(lost, conflict)
            raise conflict


async def remove(asking: Asking, layout: Layout, write: Remove) -> None:
    """Remove the record if it is still as `expect` says. Where removals know no condition, a tombstone stays."""
    name = layout.record(write.key)
    conflict = Conflict(f"{write.table} {write.key}: the stored version is not the expected one")
    for lost in range(RACES):
        expected = write.expect
        if expected is None:
            found = current(layout, write.key, await asking.get(name))
            if found is None:
                return
            expected = found[1]
        elif not isinstance(expected, Version):
            raise conflict
        try:
            if asking.bucket.removes:
                await asking.remove(name, expected.tag)
            else:
                await asking.put(name, tombstone(new_token()), expected.tag)
        except Changed as race:
            if write.expect is not None:
                raise conflict from race
            await asking.pause(lost, conflict)
        else:
            await asking.discard(_named(layout.entries(expected.values), expected.tokens))
            return
    raise conflict


async def _replace(
    asking: Asking, layout: Layout, name: str, values: Mapping[str, Any], over: Version | None
) -> Version:
    """Write the record over exactly that version, `None`: where there is none. Raises `Changed`."""
    places = layout.entries(values)
    before = {} if over is None else layout.entries(over.values)
    tokens = {
        listing: over.tokens[listing]
        if over is not None and before.get(listing) == place and listing in over.tokens
        else new_token()
        for listing, place in places.items()
    }
    old = set() if over is None else set(_named(before, over.tokens))
    new = _named(places, tokens)
    fresh = [each for each in new if each not in old]
    # Encoded before anything is sent: what cannot be stored leaves no trace.
    content = written(layout.spec, values, tokens, new_token())
    began = time.time()
    try:
        await _write_entries(asking, fresh)
        tag = await _write_record(asking, name, content, ABSENT if over is None else over.tag)
    except (Changed, TooLarge, Refused):
        await asking.discard(fresh)
        raise
    if time.time() - began > GRACE.total_seconds() / 2:
        # The process stood still: others may have taken the entries for those of a writer that died.
        await _write_entries(asking, fresh)
    await asking.discard([each for each in old if each not in set(new)])
    return Version(tag, tokens, {column: values[column] for column in layout.columns})


async def _write_record(asking: Asking, name: str, content: bytes, expect: str | Absent) -> str:
    """Write the record's object, also over the tombstone of one that was removed."""
    for lost in range(RACES):
        try:
            return await asking.put(name, content, expect)
        except Changed:
            if expect is not ABSENT:
                raise
            found = await asking.get(name)
            if found is None:
                continue
            if not is_tombstone(found.body):
                raise
            sealed = sealed_for(found.body)
            if sealed is None or sealed > GRACE.total_seconds():
                return await asking.put(name, content, found.tag)
            await asking.pause(lost, Throttled(f"{name}: its tombstone is being removed; try again"))
    raise Throttled(f"{name}: it comes and goes; try again")


async def _write_entries(asking: Asking, names: Sequence[str]) -> None:
    await asking.each([lambda name=name: asking.put(name, b"", None) for name in names])


def _named(places: Mapping[str, str], tokens: Mapping[str, str]) -> list[str]:
    """The full names of entries."""
    return [place + tokens[listing] for listing, place in places.items() if listing in tokens]
