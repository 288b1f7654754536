"""A database of objects: in a bucket of S3, Azure or Google, or in a local folder."""

from __future__ import annotations

from functools import partial
from typing import Any, TypeVar, cast

from dbrouter.backends.kernel.capabilities import Capabilities
from dbrouter.backends.kernel.emulation import SERVED_TABLES
from dbrouter.backends.kernel.emulation.layouts import Layouts
from dbrouter.backends.kernel.errors import StoreError, Unsupported
from dbrouter.backends.kernel.filters import EVERYTHING
from dbrouter.backends.kernel.isolation import Isolation, checked_namespace
from dbrouter.backends.kernel.ops import AnyOp, Commit, Get, Op, Order, Page, Scan, Stored, Walk
from dbrouter.backends.kernel.running import AsyncRuntime, BlockingRuntime, Runtime
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.backends.objects import committing, reading
from dbrouter.backends.objects.asking import Asking
from dbrouter.backends.objects.bucket import Bucket
from dbrouter.backends.objects.compacting import TOMBSTONES, Compacted, compact, end_commits
from dbrouter.backends.objects.drafts import present
from dbrouter.backends.objects.layout import Layout, decisions
from dbrouter.backends.objects.names import folder_name
from dbrouter.backends.objects.reading import GRACE
from dbrouter.backends.objects.settings import ObjectsSettings

R = TypeVar("R")

COMPACTION = 3600.0
"""Seconds that one compaction may take."""


def walks(spec: TableSpec, path: tuple[str, ...], order: Order) -> bool:
    """Whether names are kept in this order along this path."""
    return Layout(spec, spec.name, "").walk(dict.fromkeys(path, ""), order) is not None


CAPABILITIES = Capabilities(walks=walks, commits=True, isolations=frozenset({Isolation.SCHEMA, Isolation.ROWS}))
"""Records are read by key, by value and in order, and written on conditions; the kernel does the rest."""


class ObjectsStore:
    """Executes `Get`, `Scan`, `Walk` and `Commit`, over an object for each record.

    Safe for threads and, in a folder and on Google, for forks; see `cloud.py` for S3 and Azure.
    """

    runtime: Runtime

    def __init__(
        self, settings: ObjectsSettings, *, bucket: Bucket | None = None, namespace: str | None = None
    ) -> None:
        self.runtime = BlockingRuntime()
        self._settings = settings
        self._bucket = bucket if bucket is not None else _blocking_bucket(settings)
        self._requests: Runtime = BlockingRuntime()
        self._shared = namespace is not None
        place = "tables" if namespace is None else f"namespaces/{checked_namespace(namespace)}"
        self._root = root = "/".join(part for part in (settings.prefix, place) if part)
        self._layouts = Layouts(partial(Layout, root=root), settings.names)

    @classmethod
    def from_settings(cls, settings: ObjectsSettings, *, name: str = "") -> ObjectsStore:
        """The store that a configuration describes."""
        del name
        return cls(settings)

    @property
    def capabilities(self) -> Capabilities:
        """Walks; the kernel emulates the rest."""
        return CAPABILITIES

    async def execute(self, op: Op[R], /) -> R:
        """The op's answer."""
        return cast("R", await self._answer(self._asking(), cast("AnyOp | Walk", op)))

    async def existing_tables(self) -> frozenset[str]:
        """Physical names of the tables that were created or written to. One request."""
        there = set(await self._asking().folders(self._root))
        names = {self.physical_name(table) for table in SERVED_TABLES}
        return frozenset(name for name in names if folder_name(name) in there)

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        """Make these tables exist, empty."""
        asking = self._asking()
        await asking.each([lambda table=table: self._create(asking, table) for table in tables])

    def physical_name(self, table: str) -> str:
        """The configured name, else agno's."""
        return self._layouts.name(table)

    def in_namespace(self, namespace: str) -> Store:
        """A store over tables of its own, in a folder of that name, on the same connections."""
        inside = type(self)(self._settings, bucket=self._bucket, namespace=namespace)
        # A thousand tenants have the threads of one.
        inside.runtime, inside._requests = self.runtime, self._requests  # noqa: SLF001  # one of its own kind
        return inside

    async def compact(self, *, tombstones_older_than: float = TOMBSTONES) -> Compacted:
        """Remove what crashes and removals have left, and add entries that are missing. Reads every record.

        Safe beside writers. tombstones_older_than: seconds; decisions against commits are kept as long.
        """
        there = await self.existing_tables()
        asking = self._asking(deadline=COMPACTION)
        await asking.tidy(self._root, GRACE)
        done = await end_commits(asking, decisions(self._root), tombstones_older_than)
        for table in SERVED_TABLES:
            if self.physical_name(table) in there:
                done += await compact(asking, self._layouts[table], tombstones_older_than)
        return done

    async def ping(self) -> None:
        """Return if the bucket or folder is there and lets us in, else raise `Unavailable` saying why."""
        await self._asking().ping()

    async def close(self) -> None:
        """Release threads and connections; those of a namespace are its parent's."""
        if self._shared:
            return
        await self._bucket.close()
        for each in (self.runtime, self._requests):
            if isinstance(each, BlockingRuntime):
                each.close()

    async def _answer(self, asking: Asking, op: AnyOp | Walk) -> Any:
        match op:
            case Get(table=table, key=key, where=where) if where == EVERYTHING:
                layout = self._layouts[table]
                if len(key) != len(layout.spec.key):
                    raise StoreError(f"{table}: a key has {len(layout.spec.key)} values, not {len(key)}")
                found = reading.current(layout, key, await present(asking, layout, layout.record(key)))
                return None if found is None else Stored(*found)
            case Scan(table=table):
                return Page(await reading.scan(asking, self._layouts[table], op))
            case Walk(table=table):
                layout = self._layouts[table]
                along = layout.walk(reading.pinned(op.where), op.order)
                if along is None:
                    raise Unsupported(f"{table} is not listed by {op.order.field.column} along {op.where}")
                return await reading.walk(asking, layout, op, along)
            case Commit(writes=writes):
                return await committing.commit(asking, self._layouts, writes)
            case _:
                raise Unsupported(f"a store of objects has no answer to {type(op).__name__}")

    def _asking(self, deadline: float | None = None) -> Asking:
        settings = self._settings
        seconds = settings.deadline if deadline is None else deadline
        return Asking(self._bucket, self._requests, deadline=seconds, at_once=settings.requests_at_once)

    async def _create(self, asking: Asking, table: str) -> None:
        layout = self._layouts[table]
        await asking.put(f"{layout.folder}/table", b"", None)


class AsyncObjectsStore(ObjectsStore):
    """The same for an event loop, with obstore's own async client: S3 and Azure.

    Folders and Google's client block: `from_settings` answers a blocking store for them, to be run on threads.
    """

    def __init__(
        self, settings: ObjectsSettings, *, bucket: Bucket | None = None, namespace: str | None = None
    ) -> None:
        super().__init__(settings, bucket=bucket or _native_bucket(settings), namespace=namespace)
        self.runtime: Runtime = AsyncRuntime()
        self._requests: Runtime = AsyncRuntime()

    @classmethod
    def from_settings(cls, settings: ObjectsSettings, *, name: str = "") -> ObjectsStore:
        """The store that a configuration describes."""
        del name
        return cls(settings) if settings.place in ("s3", "az") else ObjectsStore(settings)


def _blocking_bucket(settings: ObjectsSettings) -> Bucket:
    # Each client is imported only where it is used.
    match settings.place:
        case "file":
            from dbrouter.backends.objects.folder import Folder

            return Folder(settings.folder, durable=settings.durable)
        case "gs":
            from dbrouter.backends.objects.google import GoogleBucket

            return GoogleBucket(settings)
        case _:
            from dbrouter.backends.objects.cloud import Cloud

            return Cloud(settings, native=False)


def _native_bucket(settings: ObjectsSettings) -> Bucket:
    from dbrouter.backends.objects.cloud import Cloud

    return Cloud(settings, native=True)
