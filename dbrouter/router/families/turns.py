"""Commits of several records, one at a time: what is decided from several records is still so when it is written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from dbrouter.backends.kernel.errors import Conflict, Duplicate
from dbrouter.backends.kernel.ops import ABSENT, Commit, Get, Put, Stored, Write
from dbrouter.backends.kernel.racing import Attempts
from dbrouter.backends.kernel.store import Store

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Plan(Generic[T]):
    """What to write and, once it is written, to answer. Nothing to write ends the turn at once."""

    answer: T
    writes: Sequence[Write] = ()


class Turns:
    """The turns of one family."""

    def __init__(self, store: Store, family: str) -> None:
        self._store = store
        self._table = f"{family}_turns"

    async def take(self, name: str, plan: Callable[[], Awaitable[Plan[T]]], *, also: Sequence[str] = ()) -> T:
        """The plan's answer, after its writes are all done or, if it has none, at once.

        name: what only one may change at a time. plan: reads and decides; it is asked again when another came first.
        also: names of further turns that it takes. Raises what the commit raises, `Conflict` if every try lost, and
        whatever the plan raises.
        """
        names = (name, *also)
        attempts = Attempts(self._store.runtime, name)
        while True:
            before = [await self._turn(each) for each in names]
            planned = await plan()
            if not planned.writes:
                return planned.answer
            taken = [self._taken(each, turn) for each, turn in zip(names, before, strict=True)]
            try:
                await self._store.execute(Commit(writes=(*taken, *planned.writes)))
            except Conflict:
                await attempts.again()
            except Duplicate:
                now = [await self._turn(each) for each in names]
                if [turn and turn.version for turn in now] == [turn and turn.version for turn in before]:
                    raise  # nobody came first: what was to be written is there already
                await attempts.again()
            else:
                return planned.answer

    async def _turn(self, name: str) -> Stored | None:
        return await self._store.execute(Get(table=self._table, key=(name,), versioned=True))

    def _taken(self, name: str, turn: Stored | None) -> Put:
        record = {"id": name, "turns": 1 if turn is None else turn.record["turns"] + 1}
        return Put(table=self._table, record=record, expect=ABSENT if turn is None else turn.version)
