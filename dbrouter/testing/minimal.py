"""A store that can do only what every store must: the proof that the kernel emulates the rest."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from dbrouter.backends.kernel.capabilities import Capabilities
from dbrouter.backends.kernel.completing import key_in, projected
from dbrouter.backends.kernel.duplicates import duplicate
from dbrouter.backends.kernel.emulation import INTERNAL_TABLES, access_paths
from dbrouter.backends.kernel.errors import Conflict, StoreError, Unsupported
from dbrouter.backends.kernel.filters import EVERYTHING, And, Compare, Comparison, Field, Filter
from dbrouter.backends.kernel.forking import lock, uncut
from dbrouter.backends.kernel.isolation import Isolation
from dbrouter.backends.kernel.matching import matches
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import (
    ABSENT,
    AnyOp,
    Change,
    Commit,
    Get,
    Key,
    Op,
    Page,
    Put,
    Remove,
    Require,
    Scan,
    Stored,
    Write,
)
from dbrouter.backends.kernel.running import AsyncRuntime, BlockingRuntime, Runtime
from dbrouter.backends.kernel.stored_form import decoded, encoded
from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.backends.kernel.tenant_tables import ALL_TABLES

R = TypeVar("R")


class MinimalStore:
    """Gets, scans a table or one value of a declared index, and commits one conditional write; refuses all else.

    It keeps no unique sets, knows no parents and counts its `requests` by kind of op. Versions are opaque text.
    commits: also commit several writes at once. watch: called before each request, outside the lock; what it raises
    is the request's answer.
    """

    runtime: Runtime

    def __init__(
        self,
        *,
        tables: Mapping[str, TableSpec] = ALL_TABLES,
        commits: bool = False,
        watch: Callable[[Op[Any]], None] | None = None,
    ) -> None:
        self.runtime = BlockingRuntime()
        self.requests: Counter[str] = Counter()
        self.watch = watch
        self._specs = {**tables, **INTERNAL_TABLES}
        self._commits = commits
        self._tables: dict[str, dict[Key, tuple[Record, str]]] = {}
        self._versions = itertools.count(1)
        self._lock = lock()

    @property
    def capabilities(self) -> Capabilities:
        """None but tables that tenants share, and perhaps `commits`."""
        kept = self._commits
        return Capabilities(commits=kept, together=kept, isolations=frozenset({Isolation.ROWS}))

    async def execute(self, op: Op[R], /) -> R:
        """The op's answer, or `Unsupported`."""
        if self.watch is not None:
            self.watch(op)
        with uncut(), self._lock:
            self.requests[type(op).__name__] += 1
            known = cast("AnyOp", op)
            match known:
                case Get():
                    return cast("R", self._get(known))
                case Scan():
                    return cast("R", self._scan(known))
                case Commit():
                    return cast("R", self._commit(known))
                case _:
                    raise Unsupported(f"a minimal store has no {type(op).__name__}")

    async def existing_tables(self) -> frozenset[str]:
        """Physical names of the tables that were created or written to."""
        return frozenset(map(self.physical_name, self._tables))

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        """Make these tables exist, empty."""
        with uncut(), self._lock:
            for table in tables:
                self._tables.setdefault(self._spec(table).name, {})

    def physical_name(self, table: str) -> str:
        """The default name of agno's table."""
        return self._spec(table).default_name

    async def ping(self) -> None:
        """Return: memory always answers."""

    async def close(self) -> None:
        """Release the fan-out threads."""
        if isinstance(self.runtime, BlockingRuntime):
            self.runtime.close()

    def _spec(self, table: str) -> TableSpec:
        if table not in self._specs:
            raise StoreError(f"there is no table {table!r}")
        return self._specs[table]

    def _get(self, op: Get) -> Stored | None:
        spec = self._spec(op.table)
        if op.where != EVERYTHING:
            raise Unsupported(f"a minimal store gets by key only, not where {op.where}")
        row = self._tables.get(op.table, {}).get(op.key)
        return None if row is None else Stored(decoded(spec, row[0]), row[1])

    def _scan(self, op: Scan) -> Page:
        spec = self._spec(op.table)
        if op.order or op.limit is not None or op.offset or op.total or not _can_look_up(spec, op.where):
            raise Unsupported(f"a minimal store does not order, page, count or filter: {op}")
        rows = [row for row, _ in self._tables.get(op.table, {}).values() if matches(op.where, row)]
        # Newest first: whoever relies on an order that was not asked for should notice.
        return Page([projected(decoded(spec, row, op.columns, op.raw), op.columns) for row in reversed(rows)])

    def _commit(self, op: Commit) -> tuple[str | None, ...]:
        if len(op.writes) != 1 and not self._commits:
            raise Unsupported(f"a minimal store commits one write, not {len(op.writes)}")
        # All conditions before the first write: a commit of several happens whole or not at all.
        checked = [self._checked(write) for write in op.writes]
        return tuple(self._write(write, key, row) for write, (key, row) in zip(op.writes, checked, strict=True))

    def _checked(self, write: Write) -> tuple[Key, Record | None]:
        spec = self._spec(write.table)
        if isinstance(write, Change | Require):
            raise Unsupported(f"a minimal store has no {type(write).__name__}")
        row = encoded(spec, write.record) if isinstance(write, Put) else None
        key = write.key if not isinstance(write, Put) else key_in(spec, row or {})
        stored = self._tables.get(write.table, {}).get(key)
        if write.expect is not None and write.expect != (ABSENT if stored is None else stored[1]):
            if isinstance(write, Put) and write.expect is ABSENT:
                raise duplicate(write.table, spec.key)
            raise Conflict(f"{write.table} {key}: another version is stored")
        return key, row

    def _write(self, write: Write, key: Key, row: Record | None) -> str | None:
        table = self._tables.setdefault(write.table, {})
        if row is not None:
            # A new row goes to the end, as in a log.
            table.pop(key, None)
            table[key] = (row, f"v{next(self._versions)}")
            return table[key][1]
        if isinstance(write, Remove):
            table.pop(key, None)
        return None


class AsyncMinimalStore(MinimalStore):
    """The same for an event loop: every request lets other tasks run first."""

    def __init__(
        self,
        *,
        tables: Mapping[str, TableSpec] = ALL_TABLES,
        commits: bool = False,
        watch: Callable[[Op[Any]], None] | None = None,
    ) -> None:
        super().__init__(tables=tables, commits=commits, watch=watch)
        self.runtime: Runtime = AsyncRuntime()

    async def execute(self, op: Op[R], /) -> R:
        """The op's answer, or `Unsupported`."""
        await self.runtime.sleep(0)
        return await super().execute(op)


def _can_look_up(spec: TableSpec, where: Filter) -> bool:
    asked = where.filters if isinstance(where, And) else (where,)
    columns: list[str] = []
    for each in asked:
        match each:
            case Compare(field=Field(column=column, path=()), comparison=Comparison.EQ):
                columns.append(column)
            case _:
                return where == EVERYTHING
    return tuple(columns) in access_paths(spec)
