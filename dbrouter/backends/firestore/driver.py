"""The ops that Firestore answers, in one place of a database. Imports the vendor's client."""

from __future__ import annotations

from functools import partial
from typing import Any

from dbrouter.backends.firestore.addresses import MARKS, Place
from dbrouter.backends.firestore.exchange import Exchange
from dbrouter.backends.firestore.layout import Layout
from dbrouter.backends.firestore.messages import query_of
from dbrouter.backends.firestore.reading import Reading
from dbrouter.backends.firestore.writing import Writing
from dbrouter.backends.kernel.deadline import Deadline
from dbrouter.backends.kernel.emulation.at_once import at_once
from dbrouter.backends.kernel.emulation.layouts import Layouts
from dbrouter.backends.kernel.errors import Unsupported
from dbrouter.backends.kernel.filters import EVERYTHING
from dbrouter.backends.kernel.ops import Commit, Get, GetMany, Load, Op, Scan, Walk


class Driver:
    """Executes ops on the tables of one place."""

    def __init__(self, exchange: Exchange, place: Place, layouts: Layouts[Layout]) -> None:
        self._exchange = exchange
        self._place = place
        self._reading = Reading(exchange, place, layouts)
        self._writing = Writing(exchange, place, layouts, self._reading)

    async def execute(self, op: Op[Any], deadline: Deadline) -> Any:
        """The op's answer."""
        match op:
            case Get(where=where) if where == EVERYTHING:
                return await self._reading.get(op, deadline)
            case Scan():
                return await self._reading.scan(op, deadline)
            case Walk():
                return await self._reading.walk(op, deadline)
            case GetMany():
                return await self._reading.many(op, deadline)
            case Load(where=where) if where == EVERYTHING:
                return await self._reading.load(op, deadline)
            case Commit():
                return await self._writing.commit(op, deadline)
            case _:
                raise Unsupported(f"{self._exchange.target.place} has no answer to {op}")

    async def tables(self, deadline: Deadline) -> frozenset[str]:
        """The collections that were created or written to."""

        async def marked() -> set[str]:
            found = await self._exchange.query(self._place.name, query_of(MARKS, select=[]), deadline)
            return {each.name.rpartition("/")[2] for each in found}

        written = partial(self._exchange.collections, self._place.name, deadline)
        return frozenset().union(*await at_once(self._exchange.runtime, [marked, written]))

    async def create(self, collections: tuple[str, ...], deadline: Deadline) -> None:
        """Note that these collections exist: Firestore knows none without documents."""
        await self._writing.mark(collections, deadline)

    async def ping(self, deadline: Deadline) -> None:
        """Return if the database answers: a document that is not there will do."""
        await self._exchange.documents([self._place.document(MARKS, "ping")], deadline)
