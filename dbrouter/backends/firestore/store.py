"""The Firestore stores, blocking and async."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Self, TypeVar, cast

from dbrouter.backends.firestore.addresses import Place
from dbrouter.backends.firestore.forks import prepare
from dbrouter.backends.firestore.layout import Layout
from dbrouter.backends.firestore.settings import ROOT, FirestoreSettings
from dbrouter.backends.firestore.target import Target
from dbrouter.backends.kernel.capabilities import Capabilities
from dbrouter.backends.kernel.deadline import Deadline
from dbrouter.backends.kernel.emulation import SERVED_TABLES
from dbrouter.backends.kernel.emulation.layouts import Layouts
from dbrouter.backends.kernel.forking import begins_anew_in_a_child
from dbrouter.backends.kernel.isolation import Isolation, checked_namespace
from dbrouter.backends.kernel.listings import Listing, listings
from dbrouter.backends.kernel.ops import Op, Order
from dbrouter.backends.kernel.running import AsyncRuntime, BlockingRuntime, Runtime
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.backends.settings import DEADLINE

if TYPE_CHECKING:
    from dbrouter.backends.firestore.driver import Driver
    from dbrouter.backends.firestore.exchange import Exchange

R = TypeVar("R")


@cache
def _listings(table: str) -> tuple[Listing, ...]:
    return listings(SERVED_TABLES[table])


def walks(spec: TableSpec, path: tuple[str, ...], order: Order) -> bool:
    """Whether records keep index entries for this order along this path."""
    return any(each.serves(path, order) for each in _listings(spec.name))


CAPABILITIES = Capabilities(
    commits=True,
    together=True,
    loads=True,
    walks=walks,
    many=True,
    several=True,
    skips=True,
    isolations=frozenset({Isolation.SCHEMA, Isolation.ROWS}),
)


class _Client:
    """What all places of a database share: the channel, made at the first call, and the layouts of tables."""

    def __init__(self, target: Target, runtime: Runtime, names: Mapping[str, str]) -> None:
        # Namespace packages: found without importing the client, which takes a second.
        if importlib.util.find_spec("google") is None or importlib.util.find_spec("google.cloud.firestore_v1") is None:
            raise ModuleNotFoundError("google-cloud-firestore is not installed", name="google-cloud-firestore")
        self.target = target
        self.runtime = runtime
        self.layouts = Layouts(Layout, names)
        self._exchange: Exchange | None = None
        self.begin_anew()
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """Have a lock that nobody holds."""
        self._lock = threading.Lock()

    @property
    def exchange(self) -> Exchange:
        """Where requests go."""
        if self._exchange is None:
            with self._lock:
                if self._exchange is None:
                    prepare()
                    from dbrouter.backends.firestore.exchange import Exchange

                    self._exchange = Exchange(self.target, self.runtime)
        return self._exchange

    async def close(self) -> None:
        """Close the channel and end the threads."""
        if self._exchange is not None:
            await self._exchange.close()
        if isinstance(self.runtime, BlockingRuntime):
            self.runtime.close()


class FirestoreStore:
    """A Firestore database from threads: gets, scans and walks along listings, commits on versions.

    target: a database, or a project's id for its default one. tables: spec name -> collection. root: the collection
    below which everything is. deadline: seconds for one call. Nothing is imported of the client, and nothing sent,
    before the first call.
    """

    def __init__(
        self,
        target: Target | str,
        *,
        root: str = ROOT,
        tables: Mapping[str, str] | None = None,
        deadline: float = DEADLINE,
    ) -> None:
        target = Target(project=target) if isinstance(target, str) else target
        self.runtime = self._new_runtime()
        self._root = root
        self._deadline = deadline
        self._client = _Client(target, self.runtime, tables or {})
        self._place = Place.of(target.project, target.database, root)
        self._driver: Driver | None = None
        self._owns_client = True

    @classmethod
    def from_settings(cls, settings: FirestoreSettings, *, name: str = "") -> Self:
        """The store that a configuration describes."""
        target = Target.from_settings(settings, name)
        return cls(target, root=settings.root, tables=settings.names, deadline=settings.deadline)

    @staticmethod
    def _new_runtime() -> Runtime:
        return BlockingRuntime()

    @property
    def capabilities(self) -> Capabilities:
        """Loads, commits of several records, walks, and several records in one request."""
        return CAPABILITIES

    async def execute(self, op: Op[R], /) -> R:
        """The op's answer."""
        return cast("R", await self._answering.execute(op, Deadline(self._deadline)))

    async def existing_tables(self) -> frozenset[str]:
        """The collections that were created or written to."""
        return await self._answering.tables(Deadline(self._deadline))

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        """Note that these tables exist. Firestore needs no tables, and our listings no indexes of their own."""
        collections = tuple(self.physical_name(table) for table in tables)
        await self._answering.create(collections, Deadline(self._deadline))

    def physical_name(self, table: str) -> str:
        """The id of the table's collection."""
        return self._client.layouts.name(table)

    def in_namespace(self, namespace: str) -> Store:
        """A store over tables below a document of their own, through the same channel."""
        inner = object.__new__(type(self))
        inner.runtime = self.runtime
        inner._root = self._root
        inner._deadline = self._deadline
        inner._client = self._client
        target = self._client.target
        inner._place = Place.of(target.project, target.database, self._root, checked_namespace(namespace))
        inner._driver = None
        inner._owns_client = False
        return inner

    async def ping(self) -> None:
        """Return if the database answers."""
        await self._answering.ping(Deadline(self._deadline))

    async def close(self) -> None:
        """Close the channel; one in a namespace leaves it to the database's."""
        if self._owns_client:
            await self._client.close()

    @property
    def _answering(self) -> Driver:
        if self._driver is None:
            exchange = self._client.exchange
            from dbrouter.backends.firestore.driver import Driver

            self._driver = Driver(exchange, self._place, self._client.layouts)
        return self._driver


class AsyncFirestoreStore(FirestoreStore):
    """The same from event loops: a channel for each, gRPC's own coroutines."""

    @staticmethod
    def _new_runtime() -> Runtime:
        return AsyncRuntime()
