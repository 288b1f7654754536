"""Records that a commit of several is about to change: an object that says what was there and what is to be.

A bucket puts one object on a condition. So a commit of several puts a draft in the place of each record, on its
condition; then creates one more object, its decision, which can be created only once: by the writer, "done", when all
drafts are there, or by whoever has waited too long for that, "dropped". From then on every draft reads as was decided,
before it as it was, and whoever meets one may replace it by that. The decision goes when no draft is left.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from dbrouter.backends.kernel.errors import Corrupt, StoreError, Throttled
from dbrouter.backends.kernel.ops import ABSENT
from dbrouter.backends.objects.asking import Asking
from dbrouter.backends.objects.body import new_token
from dbrouter.backends.objects.bucket import Changed, Found
from dbrouter.backends.objects.layout import Layout

PATIENCE = 3.0
"""Seconds that a writer between its first draft and its decision is left alone by others that write. That a commit is
kept whole does not depend on it: who is too slow finds its commit dropped, and begins anew."""
LEFT_ALONE = 60.0
"""Seconds after a decision in which its writer is left to replace the drafts; later, readers do."""
FIRST_PAUSE = 0.003
PAUSES = 4
"""Into how many pauses, at the least, the patience is cut."""

_MARK = b'{"commit":'


@dataclass(frozen=True, slots=True)
class Draft:
    """What an object holds meanwhile: contents, empty where there is no object. commit: the name of the decision."""

    commit: str
    before: bytes
    after: bytes

    def content(self) -> bytes:
        """The content of the object."""
        head = orjson.dumps({"commit": self.commit, "stamp": self.commit, "before": len(self.before)})
        return head + b"\n" + self.before + self.after


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a commit. names: the objects that have its drafts; a dropped one's are not known."""

    done: bool
    names: Sequence[str] = ()
    at: float = 0.0

    def content(self) -> bytes:
        """The content of the object."""
        said = {"stamp": new_token(), "done": self.done, "at": time.time(), "names": list(self.names)}
        return orjson.dumps(said) + b"\n"

    def of(self, draft: Draft) -> bytes:
        """What takes the draft's place."""
        return draft.after if self.done else draft.before


@dataclass(frozen=True, slots=True)
class Seen:
    """The content that counts in the place of an object, empty if there is none, and the object's tag.

    pending: whether a commit may change it without changing the tag.
    """

    content: bytes
    tag: str | None
    pending: bool = False


def drafted(content: bytes) -> Draft | None:
    """The draft that an object holds, if it holds one. Raises `Corrupt`."""
    if not content.startswith(_MARK):
        return None
    head, _, rest = content.partition(b"\n")
    try:
        said = orjson.loads(head)
        commit, length = str(said["commit"]), int(said["before"])
    except (ValueError, KeyError, TypeError) as error:
        raise Corrupt(f"an object is not the draft that it begins like: {error}") from error
    return Draft(commit, rest[:length], rest[length:])


async def seen(asking: Asking, layout: Layout, name: str) -> Seen:
    """What counts in this place now. Waits for nobody."""
    found = await asking.get(name)
    while found is not None and (draft := drafted(found.body)) is not None:
        decision = await decision_on(asking, layout.decision(draft.commit))
        if decision is not None:
            content, tag = decision.of(draft), found.tag
            if abs(time.time() - decision.at) > LEFT_ALONE:
                # Its writer crashed. That a reader cannot mend that is no harm to what it reads.
                with contextlib.suppress(StoreError):
                    tag = await replace(asking, name, tag, content) or tag
            return Seen(content, tag)
        again = await asking.get(name)
        if again is not None and again.tag == found.tag:
            return Seen(draft.before, found.tag, pending=True)
        found = again  # it was decided and replaced in between
    return Seen(b"", None) if found is None else Seen(found.body, found.tag)


async def present(asking: Asking, layout: Layout, name: str) -> Found | None:
    """The record's object as it counts now, if there is one."""
    now = await seen(asking, layout, name)
    return Found(now.content, now.tag, pending=now.pending) if now.tag is not None and now.content else None


async def settle(asking: Asking, layout: Layout, name: str, *, patience: float | None = None) -> None:
    """Return when no draft is in this place: wait for its writer, and drop its commit if that takes too long.

    patience: seconds, `PATIENCE` if not given; less for a call that would end before that, or it would never drop any.
    """
    patience = min(PATIENCE, asking.left() / 2) if patience is None else patience
    watched, since, waited = "", 0.0, 0
    busy = Throttled(f"{name}: a commit of several records is about to change it; try again")
    while True:
        found = await asking.get(name)
        draft = None if found is None else drafted(found.body)
        if found is None or draft is None:
            return
        if draft.commit != watched:
            watched, since, waited = draft.commit, time.monotonic(), 0
        decision = await decision_on(asking, layout.decision(draft.commit))
        if decision is None and time.monotonic() - since >= patience:
            decision = await _dropped(asking, layout, draft.commit)
        if decision is not None:
            await replace(asking, name, found.tag, decision.of(draft))
            continue
        await asking.pause(waited, busy, first=FIRST_PAUSE, longest=patience / PAUSES)
        waited += 1


async def decision_on(asking: Asking, name: str) -> Decision | None:
    """The decision of this name, if it was made and is still there."""
    found = await asking.get(name)
    if found is None:
        return None
    try:
        said = orjson.loads(found.body)
        return Decision(bool(said["done"]), [*said["names"]], float(said["at"]))
    except (ValueError, KeyError, TypeError) as error:
        raise Corrupt(f"{name} is no decision on a commit: {error}") from error


async def replace(asking: Asking, name: str, tag: str, content: bytes) -> str | None:
    """Put the content in the place of a draft; answers the object's tag, `None` if it was replaced already."""
    # Somebody who met it has put there what was decided, or something over it.
    with contextlib.suppress(Changed):
        if content:
            return await asking.put(name, content, tag)
        await asking.clear(name, tag)
    return None


async def end(asking: Asking, folder: str, commit: str, *, dropped: bool) -> bool:
    """Replace what is left of a decided commit's drafts, and remove its decision; whether that was done.

    folder: the decisions'. dropped: whether also a decision against the commit is removed.
    """
    decision = await decision_on(asking, f"{folder}/{commit}")
    if decision is None or not (decision.done or dropped):
        return False
    for name in decision.names:
        found = await asking.get(name)
        draft = None if found is None else drafted(found.body)
        if found is not None and draft is not None and draft.commit == commit:
            await replace(asking, name, found.tag, decision.of(draft))
    await asking.discard([f"{folder}/{commit}"])
    return True


async def _dropped(asking: Asking, layout: Layout, commit: str) -> Decision | None:
    """A decision against the commit; `None` if another was first."""
    decision = Decision(done=False)
    try:
        await asking.put(layout.decision(commit), decision.content(), ABSENT)
    except Changed:
        return None
    return decision
