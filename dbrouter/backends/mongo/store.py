"""The MongoDB stores, blocking and async: everything but the client is shared."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, cast

import pymongo
from pymongo.errors import PyMongoError

from dbrouter.backends.kernel.capabilities import EVERYTHING_NATIVE, Capabilities
from dbrouter.backends.kernel.errors import MissingParent, Unavailable, Unsupported
from dbrouter.backends.kernel.identifiers import fitting
from dbrouter.backends.kernel.isolation import checked_namespace
from dbrouter.backends.kernel.ops import (
    Aggregate,
    AnyOp,
    Batch,
    Claim,
    Commit,
    Delete,
    Get,
    Insert,
    Load,
    Op,
    Scan,
    Update,
    Upsert,
    tables_of,
)
from dbrouter.backends.kernel.refusing import refused_first
from dbrouter.backends.kernel.running import AsyncRuntime, BlockingRuntime, Runtime
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.mongo import commits, deletes, reads, writes
from dbrouter.backends.mongo.clients import AsyncClients, BlockingClients, Clients, Given, Target
from dbrouter.backends.mongo.expressions import runs_natively
from dbrouter.backends.mongo.failures import CANNOT_ENCODE, translated
from dbrouter.backends.mongo.layout import Layout
from dbrouter.backends.mongo.migrating import MongoMigration, refuse_unmoved
from dbrouter.backends.mongo.settings import has_transactions, options_in
from dbrouter.backends.mongo.wire import Wire

if TYPE_CHECKING:
    from dbrouter.backends.mongo.settings import MongoSettings

R = TypeVar("R")

DEADLINE = 30.0
_LED_BY_SESSIONS = frozenset({"sessions", "runs"})
DATABASE = "agno"
"""agno's name for the database where none is given."""


class _Mongo:
    """A database of a MongoDB server; which clients and runtime it is given says whether it blocks.

    transactions: whether the deployment has them, being a replica set or sharded.
    """

    def __init__(
        self,
        *,
        clients: Clients,
        runtime: Runtime,
        database: str,
        layout: Layout,
        deadline: float,
        transactions: bool,
        name: str,
    ) -> None:
        self.runtime = runtime
        self.wire = Wire(clients, database, layout, runtime)
        self._deadline = deadline
        self._transactions = transactions
        self._name = name
        self._place = f"{name} (MongoDB database {database!r})" if name else f"MongoDB database {database!r}"
        self._is_namespace = False
        self._is_moved = False

    @property
    def capabilities(self) -> Capabilities:
        """Everything, but for filters that read another table or JSON as text, and commits where it has none."""
        return replace(
            EVERYTHING_NATIVE, filters=runs_natively, commits=self._transactions, together=self._transactions
        )

    async def execute(self, op: Op[R], /) -> R:
        """The op's answer."""
        tables = tables_of(cast("AnyOp", op))
        with self._translating(tables):
            if not self._is_moved and not _LED_BY_SESSIONS.isdisjoint(tables):
                await refuse_unmoved(self.wire)
                self._is_moved = True
            return cast("R", await self._answer(cast("AnyOp", op)))

    async def _answer(self, op: AnyOp) -> Any:
        match op:
            case Get():
                return await reads.get(self.wire, op)
            case Scan():
                return await reads.scan(self.wire, op)
            case Load():
                return await reads.load(self.wire, op)
            case Aggregate():
                return await reads.aggregate(self.wire, op)
            case Commit():
                return await commits.commit(self.wire, op, transactions=self._transactions)
            case Insert() | Upsert():
                try:
                    return await self._brought_in(op)
                except MissingParent as missed:
                    return await refused_first(cast("Store", self), op, self.wire.layout.spec(op.table), missed)
            case Batch():
                return await writes.batch(self.wire, op)
            case Update():
                return await writes.update(self.wire, op)
            case Claim():
                return await writes.claim(self.wire, op)
            case Delete():
                return await deletes.delete(self.wire, op, transactions=self._transactions)
            case _:
                raise Unsupported(f"MongoDB has no answer to {type(op).__name__}")

    async def _brought_in(self, op: Insert | Upsert) -> Any:
        if isinstance(op, Insert):
            return await writes.insert(self.wire, op, transactions=self._transactions)
        return await writes.upsert(self.wire, op)

    async def existing_tables(self) -> frozenset[str]:
        """The collections that exist, asked anew."""
        with self._translating():
            return await self.wire.collections()

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        """Create the collections that are missing, with their indexes."""
        with self._translating():
            await self.wire.prepare(tables)

    def physical_name(self, table: str) -> str:
        """What the table's collection is called."""
        return self.wire.layout.name(table)

    def in_namespace(self, namespace: str) -> Store:
        """A store over the same collections in a database of the namespace's own, on the same connections."""
        apart = object.__new__(type(self))
        # No namespace holds a hyphen: no two databases and namespaces make the same name.
        database = fitting(f"{self.wire.database}-{checked_namespace(namespace)}")
        _Mongo.__init__(
            apart,
            clients=self.wire.clients,
            runtime=self.runtime,
            database=database,
            layout=self.wire.layout,
            deadline=self._deadline,
            transactions=self._transactions,
            name=self._name,
        )
        apart._is_namespace = True
        return cast("Store", apart)

    def migration(self) -> MongoMigration:
        """How collections that an older agno made here are brought to today's shape."""
        return MongoMigration(self.wire, self._translating)

    async def ping(self) -> None:
        """Return if the server answers and has what was said of it, else raise `Unavailable`."""
        with self._translating():
            hello = await self.wire.command({"hello": 1}, admin=True)
        if self._transactions and "setName" not in hello and hello.get("msg") != "isdbgrid":
            raise Unavailable(
                f"{self._place}: this server has no transactions, being no replica set; say transactions: false"
            )

    async def close(self) -> None:
        """Close the connections, unless they are those of the store that this is a namespace of."""
        if self._is_namespace:
            return
        await self.wire.clients.close()
        if isinstance(self.runtime, BlockingRuntime):
            self.runtime.close()

    @contextmanager
    def _translating(self, tables: tuple[str, ...] = ()) -> Generator[None]:
        """Keeps the deadline and translates what goes wrong."""
        try:
            with pymongo.timeout(self._deadline):
                yield
        except (PyMongoError, *CANNOT_ENCODE) as error:
            raise translated(error, self._place, tables, self.wire.layout) from error


class _Store(_Mongo):
    """A store with a client of its own, or over one that it is given.

    Give a `url` with pymongo's `options`, or a `client` of your own. tables: spec name -> collection. name: what errors
    call this database. transactions: as the URL says if `None`: with a replica set named, or from DNS.
    """

    clients: ClassVar[type[BlockingClients | AsyncClients]]
    waits: ClassVar[type[BlockingRuntime | AsyncRuntime]]

    def __init__(
        self,
        url: str | None = None,
        *,
        client: Any = None,
        database: str = DATABASE,
        options: Mapping[str, Any] | None = None,
        tables: Mapping[str, str] | None = None,
        deadline: float = DEADLINE,
        transactions: bool | None = None,
        name: str = "",
    ) -> None:
        super().__init__(
            clients=Given(client) if client is not None else self.clients(_target(url, options)),
            runtime=self.waits(),
            database=database,
            layout=Layout(tables or {}),
            deadline=deadline,
            transactions=has_transactions(url, options) if transactions is None else transactions,
            name=name,
        )

    @classmethod
    def from_settings(cls, settings: MongoSettings, *, name: str = "") -> Self:
        """The store that a configuration describes."""
        return cls(settings.address(), name=name, **_arguments(settings))


class MongoStore(_Store):
    """A MongoDB database from threads."""

    clients = BlockingClients
    waits = BlockingRuntime


class AsyncMongoStore(_Store):
    """A MongoDB database from event loops, through pymongo's own async client. Arguments as for `MongoStore`."""

    clients = AsyncClients
    waits = AsyncRuntime


def _arguments(settings: MongoSettings) -> dict[str, Any]:
    return {
        "database": settings.database,
        "options": settings.options(),
        "tables": settings.tables,
        "deadline": settings.deadline,
        "transactions": settings.has_transactions,
    }


def _target(url: str | None, options: Mapping[str, Any] | None) -> Target:
    if url is None:
        raise ValueError("one of url or client must be given")
    # An option beside a URL is stronger than the one in it.
    named = {} if "appname" in options_in(url) else {"appname": "dbrouter"}
    return Target.of(url, named | dict(options or {}))
