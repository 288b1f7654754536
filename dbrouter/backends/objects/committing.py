"""Commits of several records: drafts of all, one decision, and then the drafts are replaced (`drafts.py`).

A crash before the decision leaves drafts that read as it was, one after it drafts that read as it is to be.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as replace_in
from functools import partial
from typing import Any

from dbrouter.backends.kernel.completing import key_in
from dbrouter.backends.kernel.duplicates import duplicate
from dbrouter.backends.kernel.errors import Conflict, StoreError, Throttled, Unsupported
from dbrouter.backends.kernel.ops import ABSENT, Absent, Change, Check, Key, Put, Remove, Require, Write
from dbrouter.backends.kernel.ops import Version as AnyVersion
from dbrouter.backends.kernel.stored_form import encoded
from dbrouter.backends.objects.asking import Asking
from dbrouter.backends.objects.body import is_tombstone, new_token, sealed_for
from dbrouter.backends.objects.bucket import Changed, Found
from dbrouter.backends.objects.drafts import Decision, Draft, Seen, drafted, replace, seen, settle
from dbrouter.backends.objects.layout import Layout
from dbrouter.backends.objects.reading import GRACE, Version, current
from dbrouter.backends.objects.writing import RACES, Replacement, named, put, remove, write_entries

NOTHING = Seen(b"", None)


@dataclass(frozen=True, slots=True)
class Asked:
    """What becomes of one record. values: in their stored form, if it is put. expect: `None` for whatever is there."""

    write: Put | Remove | Check
    layout: Layout
    key: Key
    values: Mapping[str, Any] | None
    expect: AnyVersion | Absent | None

    @property
    def name(self) -> str:
        """The record's object."""
        return self.layout.record(self.key)


@dataclass(frozen=True, slots=True)
class Part:
    """What is asked, over what is there. after: the content that is to be, empty for none."""

    asked: Asked
    before: Seen
    after: bytes
    replacement: Replacement | None = None
    stale: Sequence[str] = ()
    """Entries that nobody needs when it is done."""

    @property
    def fresh(self) -> Sequence[str]:
        """Entries that are new with it."""
        return () if self.replacement is None else self.replacement.fresh


async def commit(
    asking: Asking, layout: Callable[[str], Layout], writes: Sequence[Write]
) -> tuple[Version | None, ...]:
    """Each put's new version, in order. Raises `Conflict` or `Duplicate`, and then nothing was written."""
    asked = [_asked(layout(write.table), write) for write in writes]
    records = _of_each_record(asked)
    if len(records) == 1:
        versions = {each.name: await _alone(asking, each) for each in records}
    else:
        versions = await _together(asking, records)
    return tuple(versions.get(each.name) if isinstance(each.write, Put) else None for each in asked)


async def _together(asking: Asking, records: Sequence[Asked]) -> dict[str, Version]:
    """The versions of what is put, by name."""
    lost_all = Conflict(f"a commit of {len(records)} records: {RACES} tries all lost to other writers")
    for lost in range(RACES):
        planned = await asking.each([partial(_planned, asking, each, hopeful=not lost) for each in records])
        parts = [part for part in planned if part is not None]
        tags = await _Attempt(asking, parts).made() if parts else {}
        if tags is not None:
            return {
                part.asked.name: part.replacement.version(tags[part.asked.name]) for part in parts if part.replacement
            }
        if lost:  # what was hoped for at first is looked at without a pause
            await asking.pause(lost, lost_all)
    raise lost_all


async def _alone(asking: Asking, asked: Asked) -> Version | None:
    """The version of one record, if it is put."""
    match asked.write:
        case Put() as write:
            return await put(asking, asked.layout, replace_in(write, expect=asked.expect))
        case Remove() as write:
            await remove(asking, asked.layout, replace_in(write, expect=asked.expect))
        case _:
            await _planned(asking, asked)
    return None


def _asked(layout: Layout, write: Write) -> Asked:
    """The write with what it needs. What cannot be stored is refused here, before anything is sent."""
    if isinstance(write, Change | Require):
        raise Unsupported(f"stores of objects have no {type(write).__name__}; the kernel makes versions of it")
    if isinstance(write, Put):
        values = encoded(layout.spec, write.record)
        return Asked(write, layout, key_in(layout.spec, values), values, write.expect)
    return Asked(write, layout, write.key, None, write.expect)


def _of_each_record(asked: Sequence[Asked]) -> list[Asked]:
    """One for each record: of two, the first may only check it."""
    every: dict[str, Asked] = {}
    for each in asked:
        first = every.get(each.name)
        if first is not None and not (isinstance(first.write, Check) and each.expect in (None, first.expect)):
            raise Unsupported(f"{each.write.table}: a commit that writes one record twice; write it once")
        every[each.name] = each if first is None else replace_in(each, expect=first.expect)
    return list(every.values())


async def _planned(asking: Asking, asked: Asked, *, hopeful: bool = False) -> Part | None:
    """The part of one record; `None` if nothing is to be done. Raises if what is there is not what is expected.

    hopeful: a record that is expected not to be there is not looked for. Its draft will tell if that is wrong.
    """
    before = NOTHING if hopeful and asked.expect is ABSENT else await _settled(asking, asked)
    there = current(asked.layout, asked.key, Found(before.content, before.tag or "")) if before.content else None
    version = None if there is None else there[1]
    write, expect = asked.write, asked.expect
    if expect is ABSENT and version is not None:
        if isinstance(write, Put):
            raise duplicate(write.table, asked.layout.spec.key)
        raise Conflict(f"{write.table} {asked.key}: there is one, and the commit expects none; nothing was written")
    if expect is not None and expect is not ABSENT and expect != version:
        raise Conflict(f"{write.table} {asked.key}: the stored version is not the expected one; nothing was written")
    if asked.values is not None:
        replacement = Replacement.over(asked.layout, asked.values, version)
        return Part(asked, before, replacement.content, replacement, replacement.stale)
    if isinstance(write, Check):
        return Part(asked, before, before.content)
    return None if version is None else Part(asked, before, b"", stale=named(asked.layout, version))


async def _settled(asking: Asking, asked: Asked) -> Seen:
    """What is there, when nothing else is about to change it."""
    for lost in range(RACES):
        now = await seen(asking, asked.layout, asked.name)
        sealed = sealed_for(now.content) if is_tombstone(now.content) else None
        if now.pending:
            await settle(asking, asked.layout, asked.name)
        elif sealed is None or sealed > GRACE.total_seconds():
            return now
        else:
            await asking.pause(lost, Throttled(f"{asked.name}: its tombstone is being removed; try again"))
    raise Throttled(f"{asked.name}: other commits change it all the time; try again")


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One try, under a name of its own: what is left of it is nobody else's."""

    asking: Asking
    parts: Sequence[Part]
    commit: str = field(default_factory=new_token)

    async def made(self) -> dict[str, str] | None:
        """The tags of the objects, by name; `None` if another writer came first and nothing was written."""
        began = time.time()
        fresh = [name for part in self.parts for name in part.fresh]
        try:
            await write_entries(self.asking, fresh)
            # The first by itself: who changes the same records begins with the same one, and loses early.
            drafts = await self._drafts(self.parts[:1]) | await self._drafts(self.parts[1:])
        except (Changed, StoreError) as failed:
            await self._take_back(fresh)
            if isinstance(failed, Changed):
                return None
            raise
        try:
            await self.asking.put(self._decision, Decision(True, tuple(drafts)).content(), ABSENT)
        except Changed:
            # Somebody has dropped it. Any other error says that its fate is unknown, and leaves it to who comes next.
            await self._take_back(fresh)
            return None
        if time.time() - began > GRACE.total_seconds() / 2:
            # The process stood still: others may have taken the entries for those of a writer that died.
            await write_entries(self.asking, fresh)
        return await self._replaced(drafts)

    @property
    def _decision(self) -> str:
        return self.parts[0].asked.layout.decision(self.commit)

    async def _drafts(self, parts: Sequence[Part]) -> dict[str, str]:
        """The tags of drafts in the places of these parts. Raises `Changed`, after all have been tried."""

        async def one(part: Part) -> tuple[str, str]:
            draft = Draft(self.commit, part.before.content, part.after)
            expect = ABSENT if part.before.tag is None else part.before.tag
            return part.asked.name, await self.asking.put(part.asked.name, draft.content(), expect)

        return dict(await self.asking.each([lambda part=part: one(part) for part in parts]))

    async def _replaced(self, drafts: Mapping[str, str]) -> dict[str, str]:
        """The tags of the objects after the drafts are replaced by what is to be, empty where that is not known.

        The commit is made, whatever becomes of this: others replace what is left.
        """
        tags: dict[str, str] = {}
        failed: list[StoreError] = []

        async def one(part: Part) -> None:
            name = part.asked.name
            try:
                tags[name] = await replace(self.asking, name, drafts[name], part.after) or ""
            except StoreError as error:
                failed.append(error)

        await self.asking.each([lambda part=part: one(part) for part in self.parts])
        old = [name for part in self.parts for name in part.stale]
        await self.asking.discard(old if failed else [*old, self._decision])
        return {part.asked.name: tags.get(part.asked.name, "") for part in self.parts}

    async def _take_back(self, fresh: Sequence[str]) -> None:
        """Put back what was there. What cannot be is dropped by who meets it."""

        async def one(part: Part) -> None:
            with contextlib.suppress(StoreError):
                found = await self.asking.get(part.asked.name)
                draft = None if found is None else drafted(found.body)
                if found is not None and draft is not None and draft.commit == self.commit:
                    await replace(self.asking, part.asked.name, found.tag, part.before.content)

        await self.asking.each([lambda part=part: one(part) for part in self.parts])
        await self.asking.discard(fresh)
