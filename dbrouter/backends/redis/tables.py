"""The ops over the tables of one namespace, whichever way they are sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast
from weakref import WeakKeyDictionary

from dbrouter.backends.kernel.capabilities import Capabilities
from dbrouter.backends.kernel.completing import check_columns
from dbrouter.backends.kernel.emulation.at_once import at_once
from dbrouter.backends.kernel.errors import TooLarge, Unsupported
from dbrouter.backends.kernel.filters import EVERYTHING
from dbrouter.backends.kernel.isolation import Isolation, checked_namespace
from dbrouter.backends.kernel.ops import (
    ABSENT,
    Batch,
    Check,
    Commit,
    Delete,
    Get,
    GetMany,
    Insert,
    Load,
    Op,
    Order,
    Page,
    Put,
    Remove,
    Scan,
    Upsert,
    Version,
    Walk,
)
from dbrouter.backends.kernel.ordered_form import canonical, decoded
from dbrouter.backends.kernel.running import BlockingRuntime, Runtime
from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.backends.redis import reading
from dbrouter.backends.redis.connections import Connections, Unbroken
from dbrouter.backends.redis.durability import Durability
from dbrouter.backends.redis.layout import Layout
from dbrouter.backends.redis.scripts import Request
from dbrouter.backends.redis.upserting import upserted
from dbrouter.backends.redis.writing import TooMany, Writes, refusal

if TYPE_CHECKING:
    from dbrouter.backends.kernel.merging import Record
    from dbrouter.backends.kernel.ops import Key, Stored

R = TypeVar("R")

FETCHED_AT_ONCE = 500
"""Records by key in one request, where a scan left keys."""
REMOVED_AT_ONCE = 200
"""Records in one script where all of a table are removed."""
AT_ONCE = 5000
"""Records that one script removes at most: `MOST` there."""
PRUNED_WITH = 2500
"""Writes of a commit that takes several scripts. Each removes as many records, so that each gets further."""
UPSERTED_AT_ONCE = 1000
"""Records in one script of a batch, which need not be one."""


class RedisTables:
    """What both stores do; their connections differ."""

    def __init__(
        self,
        connections: Connections,
        runtime: Runtime,
        layout: Layout,
        durability: Durability,
        *,
        namespace: str = "",
    ) -> None:
        self.runtime = runtime
        self._connections = connections
        self._layout = layout
        self._durability = durability
        self._namespace = namespace
        # What the registry is known to hold: tables, and the tenants that have something in shared ones. A server that
        # comes back, or that another one has taken the place of, may have less.
        self._announced: WeakKeyDictionary[Unbroken, set[tuple[str, Any]]] = WeakKeyDictionary()

    @property
    def capabilities(self) -> Capabilities:
        """All but filters, free orders, groups and updates, which the kernel makes of the rest."""
        return Capabilities(
            loads=True,
            upserts=True,
            positions=True,
            deletes=True,
            batches=True,
            uniques=True,
            parents=True,
            commits=True,
            together=True,
            many=True,
            several=True,
            skips=True,
            walks=self._walks,
            isolations=frozenset({Isolation.SCHEMA, Isolation.ROWS}),
        )

    async def execute(self, op: Op[R], /) -> R:
        """The op's answer, or a `StoreError`."""
        return cast("R", await self._answer(op))

    async def _answer(self, op: Op[Any]) -> Any:
        layout, namespace = self._layout, self._namespace
        match op:
            case Get():
                return reading.got(layout, op, await self._send(reading.get(layout, namespace, op)))
            case Walk():
                return reading.walked(layout, op, await self._listed(reading.walk(layout, namespace, op)))
            case Load():
                return reading.loaded(layout, op, await self._listed(reading.load(layout, namespace, op)))
            case GetMany():
                return await self._many(op)
            case Scan():
                return await self._scan(op)
            case Commit():
                return await self._commit(op)
            case Insert(table=table, records=records):
                if records:
                    await self._commit(
                        Commit(writes=tuple(Put(table=table, record=each, expect=ABSENT) for each in records))
                    )
                return None
            case Upsert(returning=returning, guard=guard, expect=expect):
                answers = await self._upsert((op,), rows=returning)
                return answers if returning or guard is not None or expect is not None else []
            case Batch(upserts=upserts):
                return await self._batch(upserts)
            case Delete():
                return await self._delete(op)
            case _:
                raise Unsupported(f"Redis runs no {type(op).__name__} itself")

    async def existing_tables(self) -> frozenset[str]:
        """Physical names of the tables that were created or written to."""
        registry = self._layout.registry(self._namespace)
        (found,) = await self._send(Request(registry, (("SMEMBERS", registry + b":tables"),)))
        return frozenset(name.decode("utf-8", "surrogatepass") for name in found)

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        """Make these tables known; they need nothing else."""
        await self._announce([(self._layout.table(table).spec.name, None) for table in tables])

    def physical_name(self, table: str) -> str:
        """What the table is called in its keys."""
        self._layout.table(table)
        return self._layout.names[table]

    async def ping(self) -> None:
        """Return if every server answers and keeps what it is given, else raise `Unavailable` saying why."""
        await self._durability.check(self._connections)

    async def close(self) -> None:
        """Close idle connections. The store may be used again afterwards."""
        await self._connections.close()
        if isinstance(self.runtime, BlockingRuntime):
            self.runtime.close()

    def in_namespace(self, namespace: str) -> _InNamespace:
        """The same tables under a prefix of their own, on the same connections."""
        return _InNamespace(
            self._connections,
            self.runtime,
            self._layout,
            self._durability,
            namespace=checked_namespace(namespace),
        )

    def _walks(self, spec: TableSpec, path: tuple[str, ...], order: Order) -> bool:
        if spec.name not in self._layout.names or order.field.path:
            return False
        table = self._layout.table(spec.name)
        if table.shared and path[:1] != spec.key[:1]:
            return False
        return table.place_of(path, order.field.column, order.fallback) is not None

    async def _send(self, request: Request) -> list[Any]:
        return await self._connections.send(request)

    async def _listed(self, request: Request) -> list[Any]:
        """The answer of a script that clears away what is over first, some of it each time."""
        while True:
            answers = await self._send(request)
            if answers[0] != reading.MORE:
                return answers

    async def _many(self, op: GetMany) -> list[Record | None]:
        parts = reading.get_many(self._layout, self._namespace, op)
        answers = await at_once(self.runtime, [partial(self._send, request) for _, request in parts]) if parts else []
        found: list[Record | None] = [None] * len(op.keys)
        for (numbers, _), records in zip(parts, answers, strict=True):
            for number, each in zip(numbers, records, strict=True):
                found[number] = reading.one_of_many(self._layout, op, each)
        return found

    async def _scan(self, op: Scan) -> Page:
        table = self._layout.table(op.table)
        check_columns(table.spec, op.columns or ())
        path = reading.along(table, op.where)
        if path.columns == table.key:
            keys: list[Key] = [way if path.tenant is None else (path.tenant, *way) for way in path.ways]
            found = await self._many(GetMany(table=op.table, keys=tuple(keys), columns=op.columns, raw=op.raw))
            return Page([one for one in found if one is not None])
        if not table.shared or path.tenant is not None:
            return Page(await self._along(op, path))
        parts = [reading.Along(path.columns, path.ways, tenant) for tenant in await self._tenants(op.table)]
        pages = await at_once(self.runtime, [partial(self._along, op, each) for each in parts]) if parts else []
        return Page([record for page in pages for record in page])

    async def _along(self, op: Scan, path: reading.Along) -> list[Record]:
        table = self._layout.table(op.table)
        (answer,) = await self._listed(reading.scan(self._layout, self._namespace, table, path, op.columns))
        found, left = answer
        records = reading.scanned(table, found, op.columns, op.raw)
        for start in range(0, len(left), FETCHED_AT_ONCE):
            keys = left[start : start + FETCHED_AT_ONCE]
            more = await self._send(
                reading.rest_of(self._layout, self._namespace, table, path.tenant, keys, op.columns)
            )
            records += reading.scanned(table, more, op.columns, op.raw)
        return records

    async def _commit(self, op: Commit) -> tuple[Version | None, ...]:
        writes = Writes(self._layout, self._namespace)
        for write in op.writes:
            match write:
                case Put():
                    writes.put(write)
                case Remove():
                    writes.remove(write)
                case Check():
                    writes.check(write)
                case _:
                    raise Unsupported(f"Redis commits versions, not {type(write).__name__}")
        while True:
            try:
                _, answers = await self._run(writes, rows=False)
            except TooMany as error:
                if len(op.writes) > PRUNED_WITH:
                    raise TooLarge(
                        f"a commit of {len(op.writes)} writes that removes more than {AT_ONCE} records; nothing was"
                        f" written: with so much below what is removed, commit at most {PRUNED_WITH} writes"
                    ) from error
                await self._run(replace(writes, pruning=True), rows=False)
            else:
                return tuple(version.decode() if kind == b"written" else None for kind, version, *_ in answers)

    async def _delete(self, op: Delete) -> int:
        """All of a table: the kernel asks for nothing else."""
        if op.where != EVERYTHING:
            raise Unsupported(f"{op.table}: Redis removes records by key")
        spec = self._layout.table(op.table).spec
        page = await self._scan(Scan(table=op.table, columns=spec.key))
        removes = [Remove(table=op.table, key=tuple(each[column] for column in spec.key)) for each in page.records]
        gone = 0
        for start in range(0, len(removes), REMOVED_AT_ONCE):
            gone += await self._removed(removes[start : start + REMOVED_AT_ONCE])
        return gone

    async def _removed(self, removes: Sequence[Remove]) -> int:
        by_tenant: dict[Any, list[Remove]] = {}
        for remove in removes:
            by_tenant.setdefault(self._layout.table(remove.table).tenant_of(remove.key), []).append(remove)
        gone = 0
        for some in by_tenant.values():
            writes = Writes(self._layout, self._namespace)
            for remove in some:
                writes.remove(remove)
            try:
                _, answers = await self._run(writes, rows=False)
                gone += sum(kind == b"removed" for kind, *_ in answers)
            except TooMany:
                for remove in some:
                    gone += (await self._commit(Commit(writes=(remove,)))) == (None,)
        return gone

    async def _upsert(self, ops: Sequence[Upsert], *, rows: bool) -> list[Stored | None]:
        return await upserted(self._layout, self._namespace, self.runtime, self._run, ops, rows=rows)

    async def _batch(self, upserts: Sequence[Upsert]) -> None:
        some: list[Upsert] = []
        for upsert in upserts:
            for start in range(0, len(upsert.records), UPSERTED_AT_ONCE):
                records = upsert.records[start : start + UPSERTED_AT_ONCE]
                if some and sum(len(each.records) for each in some) + len(records) > UPSERTED_AT_ONCE:
                    await self._upsert(some, rows=False)
                    some = []
                some.append(
                    Upsert(
                        table=upsert.table,
                        records=records,
                        rules=upsert.rules,
                        on=upsert.on,
                        guard=upsert.guard,
                        expect=upsert.expect,
                        returning=False,
                    )
                )
        if some:
            await self._upsert(some, rows=False)

    async def _run(self, writes: Writes, rows: bool) -> tuple[str, Sequence[Any]]:
        """What the script did. Raises what it refused, and then nothing was written."""
        if not writes.instructions:
            return "done", ()
        if self._connections.cluster and len(writes.bases) > 1:
            raise Unsupported(
                f"a commit to {', '.join(writes.tables)}, which different servers of the cluster keep; nothing was"
                " written: commit within one family and one tenant"
            )
        await self._announce(list(writes.places))
        request = self._durability.asked_for(writes.request(rows=rows))
        answers = await self._send(request)
        # Again, if a connection was lost meanwhile; else nothing.
        await self._announce(list(writes.places))
        what, found = answers[0]
        if what == b"refused":
            raise refusal(self._layout, found)
        if what == b"done":
            self._durability.confirm(answers, self._connections.place)
        return what.decode(), found

    async def _announce(self, places: Sequence[tuple[str, Any]]) -> None:
        """Have the registry know these tables, and who has something in them, before that is written."""
        announced = self._announced.setdefault(self._connections.unbroken, set())
        fresh = [each for each in places if each not in announced]
        if not fresh:
            return
        registry = self._layout.registry(self._namespace)
        names = {self.physical_name(table).encode("utf-8", "surrogatepass") for table, _ in fresh}
        commands: list[Sequence[Any]] = [("SADD", registry + b":tables", *sorted(names))]
        for table, tenant in fresh:
            if tenant is not None:
                name = self._layout.table(table).name.encode()
                commands.append(("SADD", registry + b":tenants:" + name, canonical(tenant)))
        await self._send(Request(registry, commands))
        announced.update(fresh)

    async def _tenants(self, table: str) -> list[Any]:
        registry = self._layout.registry(self._namespace)
        name = self._layout.table(table).name.encode()
        (found,) = await self._send(Request(registry, (("SMEMBERS", registry + b":tenants:" + name),)))
        return sorted(decoded(each) for each in found)


class _InNamespace(RedisTables):
    """A store's tables in a namespace. Closing it leaves the connections open: they are the store's."""

    async def close(self) -> None:
        """Nothing of its own is open."""
