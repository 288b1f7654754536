"""Parts of records that are too large for one item: written before the record's own item names them, removed after.

Nobody reads a part that the record's item does not name, so what a crash leaves behind harms nobody but costs its
space. A note, made before the parts are, says what was under way; who next writes parts, an hour later, clears up.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from dbrouter.backends.dynamo.items import DATA, PARTITION, STAMP, Item, keyed, part_place, place_of
from dbrouter.backends.dynamo.keys import partition
from dbrouter.backends.dynamo.layout import HEAD, Place
from dbrouter.backends.dynamo.requests import NoTable, Requests, batch_write
from dbrouter.backends.kernel.deadline import Deadline
from dbrouter.backends.kernel.errors import StoreError

STALE = 3600
"""Seconds after which whoever made a note is gone; no deadline is as long."""
CLEARED_AT_ONCE = 10
"""Notes that one call clears up."""
_OWNER, _NEW, _OLD, _WHEN = "_h", "_new", "_old", "_t"


@dataclass(slots=True)
class Turnover:
    """The parts of one record that a write brings and takes away. new, old: stamp of the version."""

    head: Place
    new: str = ""
    old: str = ""
    data: Sequence[bytes] = ()
    old_count: int = 0

    def __bool__(self) -> bool:
        return bool(self.data or self.old_count)

    def fresh(self) -> list[Place]:
        """The places of the new parts."""
        return [part_place(self.head, self.new, number) for number in range(len(self.data))]

    def replaced(self) -> list[Place]:
        """The places of the old parts."""
        return [part_place(self.head, self.old, number) for number in range(self.old_count)]


class Parts:
    """Writes and removes the parts of records of one namespace."""

    def __init__(self, requests: Requests, table: str, namespace: str) -> None:
        self._requests = requests
        self._table = table
        self._notes = partition(namespace, "parts")
        self._cleared = -math.inf

    def bring(self, turnovers: Iterable[Turnover], deadline: Deadline) -> None:
        """Write the new parts, after a note of what is under way."""
        some = [each for each in turnovers if each]
        if not some:
            return
        self._put([self._note(each) for each in some], deadline)
        new = [(place, data) for each in some for place, data in zip(each.fresh(), each.data, strict=True)]
        self._put([{**keyed(place), DATA: {"B": data}} for place, data in new], deadline)

    def settle(self, turnovers: Iterable[Turnover], deadline: Deadline, *, done: bool) -> None:
        """Remove the old parts, or the new ones if the write was refused; then the notes."""
        some = [each for each in turnovers if each]
        if not some:
            return
        # The write is over either way: that parts are still there harms nobody, and must not change its outcome.
        with contextlib.suppress(StoreError, NoTable):
            gone = [place for each in some for place in (each.replaced() if done else each.fresh())]
            self._delete([*gone, *(self._noted(each.new, each.old) for each in some)], deadline)
            if time.monotonic() - self._cleared > STALE:
                self._cleared = time.monotonic()
                if self.clear(deadline) == CLEARED_AT_ONCE:
                    self._cleared = -math.inf  # there may be more, which the next one clears up

    def clear(self, deadline: Deadline) -> int:
        """Remove parts that some writers who are gone have left behind; answers how many such writers there were."""
        asked: dict[str, Any] = {
            "KeyConditionExpression": "#p = :p",
            "FilterExpression": "#t < :stale",
            "ExpressionAttributeNames": {"#p": PARTITION, "#t": _WHEN},
            "ExpressionAttributeValues": {":p": {"S": self._notes}, ":stale": {"N": str(int(time.time()) - STALE)}},
        }
        notes: list[Item] = []
        while len(notes) < CLEARED_AT_ONCE:
            answer = self._requests.send("query", deadline, TableName=self._table, **asked)
            notes += answer["Items"]
            if "LastEvaluatedKey" not in answer:
                break
            # Those of writers who are at work may fill a page.
            asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        del notes[CLEARED_AT_ONCE:]
        for note in notes:
            self._clear(note, deadline)
        return len(notes)

    def _clear(self, note: Item, deadline: Deadline) -> None:
        head = Place(note[_OWNER]["S"], HEAD)
        found = self._requests.send(
            "get_item", deadline, TableName=self._table, Key=keyed(head), ConsistentRead=True
        ).get("Item")
        current = found[STAMP]["S"] if found is not None else None
        gone: list[Place] = []
        for name in (_NEW, _OLD):
            stamp, _, count = note[name]["S"].rpartition(" ")
            if stamp != current:
                gone += [part_place(head, stamp, number) for number in range(int(count))]
        self._delete([*gone, place_of(note)], deadline)

    def _note(self, each: Turnover) -> Item:
        return {
            **keyed(self._noted(each.new, each.old)),
            _OWNER: {"S": each.head.partition},
            _NEW: {"S": f"{each.new} {len(each.data)}"},
            _OLD: {"S": f"{each.old} {each.old_count}"},
            _WHEN: {"N": str(int(time.time()))},
        }

    def _noted(self, new: str, old: str) -> Place:
        return Place(self._notes, f"{new} {old}".encode())

    def _put(self, items: Sequence[Item], deadline: Deadline) -> None:
        batch_write(self._requests, self._table, [{"PutRequest": {"Item": item}} for item in items], deadline)

    def _delete(self, places: Sequence[Place], deadline: Deadline) -> None:
        asked: list[dict[str, Any]] = [{"DeleteRequest": {"Key": keyed(place)}} for place in places]
        batch_write(self._requests, self._table, asked, deadline)
