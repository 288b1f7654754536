"""What goes over the wire: calls of pymongo's collections, transactions, and the indexes that a write needs.

pymongo is untyped where a client may be blocking or async: what it gives is `Any`, and awaited if it can be.
"""

from __future__ import annotations

import inspect
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar, cast

import bson
from pymongo import errors
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from dbrouter.backends.kernel.errors import StoreError, Unsupported
from dbrouter.backends.kernel.running import Runtime
from dbrouter.backends.mongo.clients import Clients
from dbrouter.backends.mongo.documents import RAW, bytes_of
from dbrouter.backends.mongo.failures import has_no_transactions, may_run_again, outcome_is_unknown
from dbrouter.backends.mongo.layout import Layout, indexes_of

T = TypeVar("T")

PAUSE = 0.05
"""Seconds, at most, between two tries of a transaction that met another one."""
_INDEX_IS_THERE_OTHERWISE = frozenset({85, 86})


class Wire:
    """One database of a server. A session given to a call puts it into that session's transaction."""

    def __init__(self, clients: Clients, database: str, layout: Layout, runtime: Runtime) -> None:
        self.clients = clients
        self.database = database
        self.layout = layout
        self.runtime = runtime
        self._indexed: set[str] = set()

    def at(self, table: str) -> Any:
        """The table's collection."""
        return self.named(self.layout.name(table))

    def named(self, collection: str) -> Any:
        """The collection of this name; it answers documents as bytes."""
        return self.clients.current()[self.database].get_collection(collection, codec_options=RAW)

    async def rows(self, cursor: Any) -> list[bytes]:
        """Every document of a query or a pipeline. cursor: what `find` or `aggregate` gave."""
        found: Any = await settled(cursor)
        return [bytes_of(each) for each in await settled(found.to_list())]

    async def values(self, cursor: Any) -> list[dict[str, Any]]:
        """Every document, decoded: for what is no record."""
        return [bson.decode(raw) for raw in await self.rows(cursor)]

    async def all(self, calls: Sequence[Callable[[], Awaitable[Any]]]) -> list[Any]:
        """The answers of calls that run at once. Raises the first error."""
        if not calls:
            return []
        answers = await self.runtime.gather(calls)
        for each in answers:
            if isinstance(each, BaseException):
                raise each
        return answers

    async def command(self, command: dict[str, Any], *, admin: bool = False) -> dict[str, Any]:
        """The answer to a command."""
        database: Any = self.clients.current()["admin" if admin else self.database]
        return cast("dict[str, Any]", await settled(database.command(command)))

    async def collections(self) -> frozenset[str]:
        """The names of the collections that exist."""
        database: Any = self.clients.current()[self.database]
        return frozenset(await settled(database.list_collection_names()))

    async def prepare(self, tables: Sequence[str]) -> None:
        """Make sure of the tables' indexes, once for each: what is unique is so only by them."""
        wanting = [table for table in dict.fromkeys(tables) if table not in self._indexed]
        await self.all([lambda table=table: self._index(table) for table in wanting])

    async def _index(self, table: str) -> None:
        name = self.layout.name(table)
        wanted = [index.as_dict() for index in indexes_of(self.layout.spec(table))]
        try:
            await self.command({"createIndexes": name, "indexes": wanted})
        except errors.OperationFailure as error:
            if error.timeout:
                raise
            for index in wanted:
                await self._index_alone(name, index)
        self._indexed.add(table)

    async def _index_alone(self, name: str, index: dict[str, Any]) -> None:
        try:
            await self.command({"createIndexes": name, "indexes": [index]})
        except errors.OperationFailure as error:
            if error.timeout:
                raise
            if "unique" in index:
                columns = ", ".join(index["key"])
                raise StoreError(
                    f"{self.database}.{name}: no unique index over {columns} can be made ({error}); remove what stands "
                    "twice there, or the index that is in its way: without it two writers could store the same record"
                ) from error
            # Somebody has indexed the same columns in another way: then they are indexed.
            if error.code not in _INDEX_IS_THERE_OTHERWISE:
                raise

    async def in_transaction(self, body: Callable[[Any], Awaitable[T]]) -> T:
        """What the body answers; all that it does with the session happens, or nothing. It may run several times."""
        while True:
            session: Any = await settled(self.clients.current().start_session())
            try:
                return await self._tried(session, body)
            except errors.PyMongoError as error:
                if has_no_transactions(error):
                    raise Unsupported(
                        f"{self.database}: this server has no transactions, being no replica set; nothing was written: "
                        "say transactions: false for it, or make it a replica set of one"
                    ) from error
                # The deadline is pymongo's, and ends this: what is tried after it is told as a timeout.
                if error.timeout or not may_run_again(error):
                    raise
            finally:
                await settled(session.end_session())
            await self.runtime.sleep(random.uniform(0.001, PAUSE))  # noqa: S311  # so that two do not meet again

    async def _tried(self, session: Any, body: Callable[[Any], Awaitable[T]]) -> T:
        await settled(
            session.start_transaction(
                read_concern=ReadConcern("snapshot"),
                write_concern=WriteConcern("majority"),
                read_preference=ReadPreference.PRIMARY,
            )
        )
        answer = await body(session)
        while True:
            try:
                await settled(session.commit_transaction())
            except errors.PyMongoError as error:
                if not outcome_is_unknown(error) or error.timeout:
                    raise
            else:
                return answer


async def settled(answer: Any) -> Any:
    """What pymongo answers, awaited if its client is async."""
    return await answer if inspect.isawaitable(answer) else answer
