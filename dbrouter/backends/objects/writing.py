"""One record written or removed: its new entries first, then the record, which decides, then its old entries go.

A crash in between leaves entries that no record names, which readers pass over; never a record that no listing shows.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dbrouter.backends.kernel.errors import StoreError, Throttled, TooLarge
from dbrouter.backends.kernel.ops import ABSENT, Absent
from dbrouter.backends.kernel.writes import Asked
from dbrouter.backends.objects.asking import Asking
from dbrouter.backends.objects.body import is_tombstone, new_token, sealed_for, written
from dbrouter.backends.objects.bucket import Changed
from dbrouter.backends.objects.drafts import drafted, present, settle
from dbrouter.backends.objects.layout import Layout
from dbrouter.backends.objects.reading import GRACE, Version, current

RACES = 64
"""Times that a write without a condition may lose to others before it gives up."""


async def put(asking: Asking, layout: Layout, asked: Asked) -> Version:
    """The version of the record, written if it is still as is expected."""
    name, values = layout.record(asked.key), asked.values or {}
    if asked.expect is not None:
        try:
            return await _replace(asking, layout, name, values, None if asked.expect is ABSENT else asked.expect)
        except Changed as race:
            raise asked.refusal(race) from race
    for lost in range(RACES):
        found = current(layout, asked.key, await present(asking, layout, name))
        try:
            return await _replace(asking, layout, name, values, None if found is None else found[1])
        except Changed:
            await asking.pause(lost, asked.refusal())
    raise asked.refusal()


async def remove(asking: Asking, layout: Layout, asked: Asked) -> None:
    """Remove the record if it is still as is expected. Where removals know no condition, a tombstone stays."""
    name = layout.record(asked.key)
    for lost in range(RACES):
        expected = asked.expect
        if expected is None:
            found = current(layout, asked.key, await present(asking, layout, name))
            if found is None:
                return
            expected = found[1]
        elif not isinstance(expected, Version):
            raise asked.refusal()
        try:
            await _refuse_pending(asking, layout, name, expected)
            await asking.clear(name, expected.tag)
        except Changed as race:
            if asked.expect is not None:
                raise asked.refusal(race) from race
            await asking.pause(lost, asked.refusal())
        else:
            await asking.discard(named(layout, expected))
            return
    raise asked.refusal()


@dataclass(frozen=True, slots=True)
class Replacement:
    """What is written of a record: its object's content, and its entries.

    fresh: names of entries that are new with it; stale: of those that nobody needs after it.
    """

    content: bytes
    tokens: Mapping[str, str]
    values: Mapping[str, Any]
    fresh: Sequence[str]
    stale: Sequence[str]

    @classmethod
    def over(cls, layout: Layout, values: Mapping[str, Any], before: Version | None) -> Replacement:
        """The record with these values over that version. What cannot be stored is refused here."""
        places = layout.entries(values)
        were = {} if before is None else layout.entries(before.values)
        tokens = {
            listing: before.tokens[listing]
            if before is not None and were.get(listing) == place and listing in before.tokens
            else new_token()
            for listing, place in places.items()
        }
        new = _named(places, tokens)
        old = [] if before is None else named(layout, before)
        return cls(
            content=written(layout.spec, values, tokens, new_token()),
            tokens=tokens,
            values={column: values[column] for column in layout.columns},
            fresh=[each for each in new if each not in old],
            stale=[each for each in old if each not in new],
        )

    def version(self, tag: str) -> Version:
        """The version of the record in an object with this tag."""
        return Version(tag, self.tokens, self.values)


async def _replace(
    asking: Asking, layout: Layout, name: str, values: Mapping[str, Any], over: Version | None
) -> Version:
    """Write the record over exactly that version, `None`: where there is none. Raises `Changed`."""
    replacement = Replacement.over(layout, values, over)
    await _refuse_pending(asking, layout, name, over)
    began = time.time()
    try:
        await write_entries(asking, replacement.fresh)
    except StoreError:  # the record is not written, so these lead nowhere
        await asking.discard(replacement.fresh)
        raise
    try:
        tag = await _write_record(asking, layout, name, replacement.content, ABSENT if over is None else over.tag)
    except (Changed, TooLarge):
        # After any other error nobody knows: the record may be there, and be in lists by these.
        await asking.discard(replacement.fresh)
        raise
    if time.time() - began > GRACE.total_seconds() / 2:
        # The process stood still: others may have taken the entries for those of a writer that died.
        await write_entries(asking.anew(), replacement.fresh)
    await asking.discard(replacement.stale)
    return replacement.version(tag)


async def _refuse_pending(asking: Asking, layout: Layout, name: str, over: Version | None) -> None:
    """Raise `Changed`, after it has ended, if a commit was about to change the record as it was read."""
    if over is not None and over.pending:
        await settle(asking, layout, name)
        raise Changed


async def _write_record(asking: Asking, layout: Layout, name: str, content: bytes, expect: str | Absent) -> str:
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
            if drafted(found.body) is not None:
                await settle(asking, layout, name)
                continue
            if not is_tombstone(found.body):
                raise
            sealed = sealed_for(found.body)
            if sealed is None or sealed > GRACE.total_seconds():
                with contextlib.suppress(Changed):  # there is a record by now, or the tombstone was sealed: look again
                    return await asking.put(name, content, found.tag)
                continue
            await asking.pause(lost, Throttled(f"{name}: its tombstone is being removed; try again"))
    raise Throttled(f"{name}: it comes and goes; try again")


async def write_entries(asking: Asking, names: Sequence[str]) -> None:
    """Write entries, at once."""
    await asking.each([lambda name=name: asking.put(name, b"", None) for name in names])


def named(layout: Layout, version: Version) -> list[str]:
    """The names of a record's entries."""
    return _named(layout.entries(version.values), version.tokens)


def _named(places: Mapping[str, str], tokens: Mapping[str, str]) -> list[str]:
    """The full names of entries."""
    return [place + tokens[listing] for listing, place in places.items() if listing in tokens]
