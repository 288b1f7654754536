"""Commits of several records: drafts of all, one decision, and then the drafts are replaced (`drafts.py`).

A crash before the decision leaves drafts that read as it was, one after it drafts that read as it is to be.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from dbrouter.backends.kernel.emulation.layouts import Layouts
from dbrouter.backends.kernel.errors import Conflict, StoreError, Throttled
from dbrouter.backends.kernel.ops import ABSENT, Check, Key, Put, Remove, Write
from dbrouter.backends.kernel.writes import Asked, asked, of_each_record
from dbrouter.backends.objects.asking import Asking
from dbrouter.backends.objects.body import is_tombstone, new_token, sealed_for
from dbrouter.backends.objects.bucket import Changed, Found
from dbrouter.backends.objects.drafts import Decision, Draft, Seen, drafted, replace, seen, settle
from dbrouter.backends.objects.layout import Layout
from dbrouter.backends.objects.reading import GRACE, Version, current
from dbrouter.backends.objects.writing import RACES, Replacement, named, put, remove, write_entries

NOTHING = Seen(b"", None)


@dataclass(frozen=True, slots=True)
class Part:
    """What is asked, over what is there. after: the content that is to be, empty for none."""

    asked: Asked
    layout: Layout
    before: Seen
    after: bytes
    replacement: Replacement | None = None
    stale: Sequence[str] = ()
    """Entries that nobody needs when it is done."""

    @property
    def name(self) -> str:
        """The record's object."""
        return self.layout.record(self.asked.key)

    @property
    def fresh(self) -> Sequence[str]:
        """Entries that are new with it."""
        return () if self.replacement is None else self.replacement.fresh


async def commit(asking: Asking, layouts: Layouts[Layout], writes: Sequence[Write]) -> tuple[Version | None, ...]:
    """Each put's new version, in order. Raises `Conflict` or `Duplicate`, and then nothing was written."""
    every = [asked(layouts[write.table].spec, write) for write in writes]
    records = of_each_record(every)
    if len(records) == 1:
        versions = {each.record: await _alone(asking, layouts[each.write.table], each) for each in records}
    else:
        versions = await _together(asking, layouts, records)
    return tuple(versions.get(each.record) if isinstance(each.write, Put) else None for each in every)


async def _alone(asking: Asking, layout: Layout, asked: Asked) -> Version | None:
    """The version of one record, if it is put."""
    match asked.write:
        case Put():
            return await put(asking, layout, asked)
        case Remove():
            await remove(asking, layout, asked)
        case _:
            await _planned(asking, layout, asked)
    return None


async def _together(
    asking: Asking, layouts: Layouts[Layout], records: Sequence[Asked]
) -> dict[tuple[str, Key], Version | None]:
    """The versions of what is put."""
    lost_all = Conflict(f"a commit of {len(records)} records: {RACES} tries all lost to other writers")
    for lost in range(RACES):
        planned = await asking.each(
            [partial(_planned, asking, layouts[each.write.table], each, hopeful=not lost) for each in records]
        )
        parts = [part for part in planned if part is not None]
        tags = await _Attempt(asking, parts).made() if parts else {}
        if tags is not None:
            return {part.asked.record: part.replacement.version(tags[part.name]) for part in parts if part.replacement}
        if lost:  # what was hoped for at first is looked at without a pause
            await asking.pause(lost, lost_all)
    raise lost_all


async def _planned(asking: Asking, layout: Layout, asked: Asked, *, hopeful: bool = False) -> Part | None:
    """The part of one record; `None` if nothing is to be done. Raises if what is there is not what is expected.

    hopeful: a record that is expected not to be there is not looked for. Its draft will tell if that is wrong.
    """
    expect = asked.expect
    before = NOTHING if hopeful and expect is ABSENT else await _settled(asking, layout, layout.record(asked.key))
    there = current(layout, asked.key, Found(before.content, before.tag or "")) if before.content else None
    version = None if there is None else there[1]
    if expect is not None and expect != (ABSENT if version is None else version):
        raise asked.refusal()
    if asked.values is not None:
        replacement = Replacement.over(layout, asked.values, version)
        return Part(asked, layout, before, replacement.content, replacement, replacement.stale)
    if isinstance(asked.write, Check):
        return Part(asked, layout, before, before.content)
    return None if version is None else Part(asked, layout, before, b"", stale=named(layout, version))


async def _settled(asking: Asking, layout: Layout, name: str) -> Seen:
    """What is there, when nothing else is about to change it."""
    for lost in range(RACES):
        now = await seen(asking, layout, name)
        sealed = sealed_for(now.content) if is_tombstone(now.content) else None
        if now.pending:
            await settle(asking, layout, name)
        elif sealed is None or sealed > GRACE.total_seconds():
            return now
        else:
            await asking.pause(lost, Throttled(f"{name}: its tombstone is being removed; try again"))
    raise Throttled(f"{name}: other commits change it all the time; try again")


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
            await write_entries(self.asking.anew(), fresh)
        return await self._replaced(drafts)

    @property
    def _decision(self) -> str:
        return self.parts[0].layout.decision(self.commit)

    async def _drafts(self, parts: Sequence[Part]) -> dict[str, str]:
        """The tags of drafts in the places of these parts. Raises `Changed`, after all have been tried."""

        async def one(part: Part) -> tuple[str, str]:
            draft = Draft(self.commit, part.before.content, part.after)
            expect = ABSENT if part.before.tag is None else part.before.tag
            return part.name, await self.asking.put(part.name, draft.content(), expect)

        return dict(await self.asking.each([lambda part=part: one(part) for part in parts]))

    async def _replaced(self, drafts: Mapping[str, str]) -> dict[str, str]:
        """The tags of the objects after the drafts are replaced by what is to be, empty where that is not known.

        The commit is made, whatever becomes of this: others replace what is left.
        """
        tags: dict[str, str] = {}
        failed: list[StoreError] = []

        async def one(part: Part) -> None:
            name = part.name
            try:
                tags[name] = await replace(self.asking, name, drafts[name], part.after) or ""
            except StoreError as error:
                failed.append(error)

        await self.asking.each([lambda part=part: one(part) for part in self.parts])
        old = [name for part in self.parts for name in part.stale]
        await self.asking.discard(old if failed else [*old, self._decision])
        return {part.name: tags.get(part.name, "") for part in self.parts}

    async def _take_back(self, fresh: Sequence[str]) -> None:
        """Put back what was there. What cannot be is dropped by who meets it."""

        async def one(part: Part) -> None:
            with contextlib.suppress(StoreError):
                found = await self.asking.get(part.name)
                draft = None if found is None else drafted(found.body)
                if found is not None and draft is not None and draft.commit == self.commit:
                    await replace(self.asking, part.name, found.tag, part.before.content)

        await self.asking.each([lambda part=part: one(part) for part in self.parts])
        await self.asking.discard(fresh)
