"""Commits: each record's item with its index entries in one transaction, or in a plain conditional write if alone.

What is too large for one item is cut into parts, which are written before, under the new version's name: nobody reads
them until the record's own item says so, and nobody reads the old ones after that.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dbrouter.backends.dynamo.items import LARGEST_HEAD, PARTITION, STAMP, Item, attribute, keyed, shaped, values_of
from dbrouter.backends.dynamo.layout import Entry, Layout, Place
from dbrouter.backends.dynamo.parts import Parts, Turnover
from dbrouter.backends.dynamo.reading import SHORT, Reading, Version, version_in
from dbrouter.backends.dynamo.requests import ConditionFailed, Requests
from dbrouter.backends.kernel.deadline import Deadline
from dbrouter.backends.kernel.emulation.layouts import Layouts
from dbrouter.backends.kernel.errors import StoreError, TooLarge, Unavailable
from dbrouter.backends.kernel.ops import ABSENT, Absent, Check, Commit, Key, Put, Remove
from dbrouter.backends.kernel.writes import Asked, asked, of_each_record

MOST_ACTIONS = 100
"""Items that one transaction writes."""
MOST_BYTES = 4_000_000
"""Bytes of the items that one transaction writes: DynamoDB takes 4 MB."""
OVERHEAD = 5_000
"""Bytes of keys and names that an action may have beside its record's data; most have few hundred."""
ATTEMPTS = 16
"""Tries of an unconditional write whose record others change meanwhile."""


@dataclass(slots=True)
class Planned:
    """What becomes of one record: the actions of a transaction, the first on its own item.

    expect: the version that its item must have; `None` until it is read.
    """

    asked: Asked
    layout: Layout
    head: Place
    parts: Turnover
    expect: Version | Absent | None
    actions: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    size: int = 0
    version: Version | None = None

    @classmethod
    def of(cls, asked: Asked, layout: Layout) -> Planned:
        """What is asked, before anything is worked out."""
        head = layout.head(asked.key)
        return cls(asked, layout, head, Turnover(head), asked.expect)


class Writing:
    """Writes records of one namespace."""

    def __init__(
        self, requests: Requests, table: str, layouts: Layouts[Layout], reading: Reading, parts: Parts
    ) -> None:
        self._requests = requests
        self._table = table
        self._layouts = layouts
        self._reading = reading
        self._parts = parts

    async def commit(self, op: Commit, deadline: Deadline) -> tuple[Version | None, ...]:
        """Each put's new version, in order."""
        writes = [asked(self._layouts[write.table].spec, write) for write in op.writes]
        records = of_each_record(writes)
        for attempt in range(ATTEMPTS):
            planned = await self._planned(records, deadline)
            try:
                self._write(planned, deadline)
            except ConditionFailed as failed:
                loser = planned[failed.at].asked
                refusal = loser.refusal()
                if loser.expect is not None or attempt == ATTEMPTS - 1:
                    raise refusal from failed
                # It has to be written over whatever is there, and that has changed since it was read.
                self._requests.pause(attempt, deadline, refusal)
            else:
                versions = {each.asked.record: each.version for each in planned}
                return tuple(versions[each.record] if isinstance(each.write, Put) else None for each in writes)
        raise AssertionError("the last attempt returns or raises")

    async def _planned(self, records: Sequence[Asked], deadline: Deadline) -> list[Planned]:
        planned = [Planned.of(each, self._layouts[each.write.table]) for each in records]
        await self._read_before(planned, deadline)
        # New records of more items than one transaction writes are spread over several.
        largest = min(LARGEST_HEAD, MOST_BYTES // min(len(planned), MOST_ACTIONS) - OVERHEAD)
        for each in planned:
            self._act(each, largest)
        return planned

    async def _read_before(self, planned: Sequence[Planned], deadline: Deadline) -> None:
        """Find the version of each record that is to be overwritten whatever it is."""
        unknown = [each for each in planned if each.expect is None]
        for layout in {id(each.layout): each.layout for each in unknown}.values():
            mine = [each for each in unknown if each.layout is layout]
            items = await self._reading.heads([each.head for each in mine], layout.listed, deadline)
            for each in mine:
                item = items.get(each.head)
                each.expect = ABSENT if item is None else version_in(layout, item, values_of(layout.listed, item))

    def _act(self, plan: Planned, largest: int = LARGEST_HEAD) -> None:
        """Work out the actions of one record's write."""
        layout, expect, write, values = plan.layout, plan.expect, plan.asked.write, plan.asked.values
        before = _entries(layout, expect) if isinstance(expect, Version) else {}
        after: dict[Place, Entry] = {}
        if isinstance(expect, Version) and not isinstance(write, Check):
            plan.parts.old, plan.parts.old_count = expect.stamp, expect.parts
        if values is not None:
            stamp = secrets.token_urlsafe(12)
            shape = shaped(layout.spec, values, stamp, largest)
            plan.parts.new, plan.parts.data = stamp, shape.parts
            plan.version = Version(stamp, len(shape.parts), tuple(values[column] for column in layout.listed))
            plan.size += shape.size
            after = layout.entries(values)
            self._add(plan, "Put", {"Item": {**keyed(plan.head), **shape.attributes}, **_condition(expect)})
        elif isinstance(write, Remove):
            if isinstance(expect, Version):
                self._add(plan, "Delete", {"Key": keyed(plan.head), **_condition(expect)})
        else:
            self._add(plan, "ConditionCheck", {"Key": keyed(plan.head), **_condition(expect)})
            return
        for place in before.keys() - after.keys():
            self._add(plan, "Delete", {"Key": keyed(place)})
        for place, entry in after.items():
            item, known = _entry_item(layout, entry, plan.asked.key), before.get(place)
            # As items, which tell `True` from 1.
            if known is None or _entry_item(layout, known, plan.asked.key) != item:
                self._add(plan, "Put", {"Item": item})

    def _add(self, plan: Planned, action: str, arguments: dict[str, Any]) -> None:
        plan.actions.append({action: {"TableName": self._table, **arguments}})
        plan.size += OVERHEAD

    def _write(self, planned: Sequence[Planned], deadline: Deadline) -> None:
        chunks = _chunks(planned)
        turnovers = [each.parts for each in planned]
        self._parts.bring(turnovers, deadline)
        done: list[Sequence[Planned]] = []
        try:
            for chunk in chunks:
                if done and deadline.is_over:
                    raise Unavailable(f"{self._requests.place}: not all was written within {deadline.seconds:g} s")
                self._transact(chunk, planned, deadline)
                done.append(chunk)
        except ConditionFailed:
            self._take_back(done, deadline)
            self._parts.settle(turnovers, deadline, done=False)
            raise
        except StoreError:
            self._take_back(done, deadline)
            raise
        self._parts.settle(turnovers, deadline, done=True)

    def _transact(self, chunk: Sequence[Planned], planned: Sequence[Planned], deadline: Deadline) -> None:
        actions = [(plan, action) for plan in chunk for action in plan.actions]
        if not actions:
            return
        alone = len(actions) == 1 and not isinstance(chunk[0].asked.write, Check)
        try:
            if alone:
                ((plan, action),) = actions
                ((kind, arguments),) = action.items()
                self._requests.send("put_item" if kind == "Put" else "delete_item", deadline, **arguments)
            else:
                self._requests.send(
                    "transact_write_items",
                    deadline,
                    TransactItems=[action for _, action in actions],
                    ClientRequestToken=secrets.token_hex(16),
                )
        except ConditionFailed as failed:
            plan = actions[failed.at][0]
            # A transaction that was done answers so again: it has a token.
            if failed.again and alone:
                if self._is_ours(plan, deadline):
                    return
                # It may have been written, and another writer have gone on from it.
                raise Unavailable(
                    f"{self._requests.place}: {plan.asked.write.table} {plan.asked.key}: an answer was lost, and "
                    "another version is stored by now; whether this one was written is unknown: read it again"
                ) from failed
            raise ConditionFailed(planned.index(plan)) from failed

    def _is_ours(self, plan: Planned, deadline: Deadline) -> bool:
        """Whether what an earlier send wrote, which got no answer, is what the condition met."""
        answer = self._requests.send(
            "get_item",
            deadline,
            TableName=self._table,
            Key=keyed(plan.head),
            ConsistentRead=True,
            ProjectionExpression="#v",
            ExpressionAttributeNames={"#v": STAMP},
        )
        item = answer.get("Item")
        if plan.version is None:
            return item is None
        return item is not None and item[STAMP]["S"] == plan.version.stamp

    def _take_back(self, done: Sequence[Sequence[Planned]], deadline: Deadline) -> None:
        """Remove the new records of an insert, of which the rest was refused."""
        for chunk in done:
            undo = [Planned.of(_undone(each), each.layout) for each in chunk]
            for each in undo:
                self._act(each)
            try:
                self._transact(undo, undo, deadline)
            except (ConditionFailed, StoreError) as stuck:
                raise Unavailable(
                    f"{self._requests.place}: an insert of many records was refused in part, and not all that had been "
                    f"written of {chunk[0].asked.write.table} could be taken back; look which of them are stored"
                ) from stuck


def _undone(plan: Planned) -> Asked:
    """The removal of what was written."""
    remove = Remove(table=plan.asked.write.table, key=plan.asked.key, expect=plan.version)
    return asked(plan.layout.spec, remove)


def _entries(layout: Layout, version: Version) -> dict[Place, Entry]:
    return layout.entries(dict(zip(layout.listed, version.listed, strict=True)))


def _entry_item(layout: Layout, entry: Entry, key: Key) -> Item:
    if entry.carried is None:
        carried: dict[str, Any] = dict(zip(layout.spec.key, key, strict=True)) | {SHORT: True}
    else:
        carried = dict(entry.carried)
    return {
        **keyed(entry.place),
        **{column: attribute(value) for column, value in carried.items() if value is not None},
    }


def _condition(expect: Version | Absent | None) -> dict[str, Any]:
    if isinstance(expect, Version):
        return {
            "ConditionExpression": "#v = :v",
            "ExpressionAttributeNames": {"#v": STAMP},
            "ExpressionAttributeValues": {":v": {"S": expect.stamp}},
        }
    return {"ConditionExpression": "attribute_not_exists(#p)", "ExpressionAttributeNames": {"#p": PARTITION}}


def _chunks(planned: Sequence[Planned]) -> list[list[Planned]]:
    """The transactions for these records: one; for new records alone, which can be taken back, as many as needed."""
    whole = list(planned)
    if sum(len(each.actions) for each in whole) <= MOST_ACTIONS and sum(each.size for each in whole) <= MOST_BYTES:
        return [whole]
    if not all(isinstance(each.asked.write, Put) and each.asked.expect is ABSENT for each in whole):
        raise TooLarge(
            f"a commit of {len(whole)} records, with their index entries {sum(len(each.actions) for each in whole)} "
            f"items of {sum(each.size for each in whole):,} bytes; DynamoDB takes {MOST_ACTIONS} and {MOST_BYTES:,} "
            "at once. Nothing was written: write fewer records together"
        )
    chunks: list[list[Planned]] = [[]]
    actions = size = 0
    for each in whole:
        actions, size = actions + len(each.actions), size + each.size
        if chunks[-1] and (actions > MOST_ACTIONS or size > MOST_BYTES):
            chunks.append([])
            actions, size = len(each.actions), each.size
        chunks[-1].append(each)
    return chunks
