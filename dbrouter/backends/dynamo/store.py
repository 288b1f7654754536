"""The DynamoDB store. It blocks; on an event loop the router runs it on threads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from dbrouter.backends.dynamo.layout import Layout, walks
from dbrouter.backends.dynamo.parts import Parts
from dbrouter.backends.dynamo.reading import Reading, Version
from dbrouter.backends.dynamo.requests import Client, NoTable, Requests
from dbrouter.backends.dynamo.settings import DEFAULT_TABLE
from dbrouter.backends.dynamo.tables import Tables
from dbrouter.backends.dynamo.writing import Writing
from dbrouter.backends.kernel.capabilities import Capabilities
from dbrouter.backends.kernel.deadline import Deadline
from dbrouter.backends.kernel.emulation.layouts import Layouts
from dbrouter.backends.kernel.errors import Unsupported
from dbrouter.backends.kernel.isolation import Isolation, checked_namespace
from dbrouter.backends.kernel.ops import AnyOp, Commit, Get, GetMany, Load, Op, Scan, Walk
from dbrouter.backends.kernel.running import BlockingRuntime, Runtime
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.settings import DEADLINE

if TYPE_CHECKING:
    from dbrouter.backends.dynamo.settings import DynamoSettings

R = TypeVar("R")

CONNECTIONS = 32
CONNECT_TIMEOUT = 5.0
CAPABILITIES = Capabilities(
    loads=True,
    commits=True,
    together=True,
    walks=walks,
    many=True,
    several=True,
    skips=True,
    isolations=frozenset({Isolation.SCHEMA, Isolation.ROWS}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What a store and those in its namespaces share.

    fan: threads of its own, apart from the kernel's, which wait for calls of ours: or all could wait and none work.
    """

    table: str
    requests: Requests
    tables: Tables
    names: Mapping[str, str]
    fan: BlockingRuntime


class DynamoStore:
    """A table of DynamoDB from threads.

    Give a boto3 `client` of your own, or what boto3 makes one of: `session` are arguments of `boto3.Session`,
    `client_arguments` of its `client`. table: the DynamoDB table. create_table: whether to make it where it is
    missing. tables: spec name -> what the table is called within. name: what errors call this database.
    """

    def __init__(
        self,
        client: Client | None = None,
        *,
        table: str = DEFAULT_TABLE,
        session: Mapping[str, Any] | None = None,
        client_arguments: Mapping[str, Any] | None = None,
        create_table: bool = True,
        tables: Mapping[str, str] | None = None,
        deadline: float = DEADLINE,
        connections: int = CONNECTIONS,
        connect_timeout: float = CONNECT_TIMEOUT,
        name: str = "",
    ) -> None:
        def make(patience: float) -> Client:
            if client is not None:
                return client
            return _client(
                session or {},
                client_arguments or {},
                connections=connections,
                connect_timeout=min(connect_timeout, patience),
                read_timeout=patience,
            )

        place = f"{name} (DynamoDB table {table})" if name else f"DynamoDB table {table}"
        requests = Requests(make, place, deadline, owns=client is None)
        self._enter(
            Shared(
                table=table,
                requests=requests,
                tables=Tables(requests, table, create=create_table),
                names=tables or {},
                fan=BlockingRuntime(),
            ),
            "",
        )

    @classmethod
    def from_settings(cls, settings: DynamoSettings, *, name: str = "") -> Self:
        """The store that a configuration describes."""
        secret, token = settings.secret_access_key, settings.session_token
        session = {
            "region_name": settings.region,
            "profile_name": settings.profile,
            "aws_access_key_id": settings.access_key_id,
            "aws_secret_access_key": secret.get_secret_value() if secret else None,
            "aws_session_token": token.get_secret_value() if token else None,
        }
        return cls(
            table=settings.table,
            session={key: value for key, value in session.items() if value is not None},
            client_arguments={
                "endpoint_url": settings.endpoint_url,
                "verify": str(settings.ca_bundle) if settings.ca_bundle else None,
            },
            create_table=settings.create_table,
            tables=settings.tables,
            deadline=settings.deadline,
            connections=settings.connections,
            connect_timeout=settings.connect_timeout,
            name=name,
        )

    @property
    def capabilities(self) -> Capabilities:
        """Commits of several records, walks along listings, several records at once; the kernel does the rest."""
        return CAPABILITIES

    async def execute(self, op: Op[R], /) -> R:
        """The op's answer, within the deadline."""
        deadline = self._shared.requests.deadline()
        known = cast("AnyOp | Walk | GetMany", op)
        match known:
            case Get():
                return cast("R", await self._reading.get(known, deadline))
            case GetMany():
                return cast("R", await self._reading.many(known, deadline))
            case Scan():
                return cast("R", await self._reading.scan(known, deadline))
            case Load():
                return cast("R", await self._reading.load(known, deadline))
            case Walk():
                return cast("R", await self._reading.walk(known, deadline))
            case Commit():
                return cast("R", await self._commit(known, deadline))
            case _:
                raise Unsupported(f"a DynamoDB store has no {type(op).__name__}; the kernel emulates it")

    async def existing_tables(self) -> frozenset[str]:
        """Physical names of the tables that were created or written to."""
        return self._shared.tables.existing(self._namespace, self._shared.requests.deadline())

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        """Make the DynamoDB table if it is missing, and have these tables be in it."""
        self._note(tables, self._shared.requests.deadline())

    def physical_name(self, table: str) -> str:
        """What the table is called within the DynamoDB table."""
        return self._layouts.name(table)

    def in_namespace(self, namespace: str) -> Store:
        """A store over tables whose items' keys begin with this namespace, in the same DynamoDB table."""
        return _InNamespace(self._shared, checked_namespace(namespace))

    async def ping(self) -> None:
        """Return if DynamoDB answers and lets us read the table, else raise `Unavailable`."""
        self._shared.tables.existing(self._namespace, self._shared.requests.deadline())

    async def close(self) -> None:
        """Close connections and release threads, those of namespaces too; both come back when needed."""
        self._own_threads.close()
        self._shared.fan.close()
        self._shared.requests.close()

    def _enter(self, shared: Shared, namespace: str) -> None:
        self._shared = shared
        self._namespace = namespace
        self._own_threads = BlockingRuntime()
        self.runtime: Runtime = self._own_threads
        self._layouts = Layouts(partial(Layout, namespace=namespace), shared.names)
        self._noted: set[str] = set()
        self._reading = Reading(shared.requests, shared.table, self._layouts, shared.fan)
        parts = Parts(shared.requests, shared.table, namespace)
        self._writing = Writing(shared.requests, shared.table, self._layouts, self._reading, parts)

    def _note(self, tables: Iterable[str], deadline: Deadline) -> None:
        """Have the DynamoDB table know of these tables, which costs a request once in a store's life."""
        new = [table for table in tables if table not in self._noted]
        if not new:
            return
        physical = [self.physical_name(table) for table in new]
        try:
            self._shared.tables.note(self._namespace, physical, deadline)
        except NoTable:
            self._shared.tables.make(deadline)
            self._shared.tables.note(self._namespace, physical, deadline)
        self._noted.update(new)

    async def _commit(self, op: Commit, deadline: Deadline) -> tuple[Version | None, ...]:
        """The commit's answer, over a DynamoDB table that is made again if somebody has removed it meanwhile."""
        tables = tuple(dict.fromkeys(write.table for write in op.writes))
        self._note(tables, deadline)
        try:
            return await self._writing.commit(op, deadline)
        except NoTable:
            self._noted.clear()
            self._note(tables, deadline)
            return await self._writing.commit(op, deadline)


class _InNamespace(DynamoStore):
    """The store of one namespace."""

    def __init__(self, shared: Shared, namespace: str) -> None:
        self._enter(shared, namespace)

    async def close(self) -> None:
        """Release its own threads; connections are the whole store's."""
        self._own_threads.close()


def _client(
    session: Mapping[str, Any],
    arguments: Mapping[str, Any],
    *,
    connections: int,
    connect_timeout: float,
    read_timeout: float,
) -> Client:
    import boto3
    import botocore.session
    from botocore.config import Config

    # A loader remembers what it read of DynamoDB's description, which is most of what making a client takes.
    parts = botocore.session.Session()
    parts.register_component("data_loader", _loader())
    config = Config(
        connect_timeout=connect_timeout,
        read_timeout=read_timeout,
        max_pool_connections=connections,
        # Requests are made here and nowhere else, and checked by the server.
        parameter_validation=False,
        # Ours know the deadline, and what may be sent again.
        retries={"total_max_attempts": 1},
    )
    return boto3.Session(botocore_session=parts, **session).client("dynamodb", config=config, **arguments)


@lru_cache(maxsize=1)
def _loader() -> Any:
    import botocore.session

    return botocore.session.Session().get_component("data_loader")
