"""A whole database in this process's memory, blocking or async: the reference model of every op."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self, TypeVar, cast

from dbrouter.backends.kernel.capabilities import EVERYTHING_NATIVE, Capabilities
from dbrouter.backends.kernel.errors import Unsupported
from dbrouter.backends.kernel.isolation import checked_namespace
from dbrouter.backends.kernel.ops import (
    Aggregate,
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
)
from dbrouter.backends.kernel.running import AsyncRuntime, BlockingRuntime, Runtime
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.backends.kernel.tenant_tables import ALL_TABLES, physical_names
from dbrouter.backends.memory import reads, writes
from dbrouter.backends.memory.settings import MemorySettings
from dbrouter.backends.memory.state import MemoryState

R = TypeVar("R")

_ANSWERS: dict[type[Op[Any]], Callable[[MemoryState, Any], Any]] = {
    Get: reads.get,
    Scan: reads.scan,
    Load: reads.load,
    Aggregate: reads.grouped,
    Commit: writes.commit,
    Insert: writes.insert,
    Upsert: writes.upsert,
    Update: writes.update,
    Claim: writes.claim,
    Delete: writes.delete,
}


class MemoryStore:
    """Executes every op natively, one at a time, over tables that live as long as this object.

    Nothing is shared with the caller: values are kept as the codec writes them. Versions are increasing integers.
    tables: the specs it serves, agno's and their shared forms if not given. state: the rows; none if not given.
    """

    runtime: Runtime

    def __init__(
        self,
        settings: MemorySettings | None = None,
        *,
        tables: Mapping[str, TableSpec] = ALL_TABLES,
        state: MemoryState | None = None,
    ) -> None:
        self.runtime = BlockingRuntime()
        self._settings = settings if settings is not None else MemorySettings()
        self._names = physical_names(self._settings.names)
        self._tables = tables
        self._state = MemoryState(tables) if state is None else state
        self._namespaces: dict[str, Self] = {}

    def share(self, other: MemoryStore, /) -> None:
        """Have the other one's rows from now on, in each namespace too."""
        self._state = other._state

    @classmethod
    def from_settings(cls, settings: MemorySettings, *, name: str = "") -> Self:
        """The store that a configuration describes."""
        del name
        return cls(settings)

    @property
    def capabilities(self) -> Capabilities:
        """Everything."""
        return EVERYTHING_NATIVE

    async def execute(self, op: Op[R], /) -> R:
        """The op's answer. All of its changes happen, or none; of a `Batch`, those of each upsert."""
        if isinstance(op, Batch):
            for upsert in op.upserts:
                self._answer(upsert)
            return cast("R", None)
        return cast("R", self._answer(op))

    async def existing_tables(self) -> frozenset[str]:
        """Physical names of the tables that were created or written to."""
        return frozenset(self.physical_name(table) for table in self._state.existing)

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        """Make these tables exist, empty."""
        with self._state.transaction():
            self._state.existing.update(self._state.spec(table).name for table in tables)

    def physical_name(self, table: str) -> str:
        """The configured name, else agno's."""
        spec = self._state.spec(table)
        return self._names.get(table, spec.default_name)

    def in_namespace(self, namespace: str) -> Store:
        """A store over tables of its own, which live as long as this object."""
        state = self._state.namespace(checked_namespace(namespace))
        store = type(self)(self._settings, tables=self._tables, state=state)
        # Two threads that come first at the same time get the same.
        return self._namespaces.setdefault(namespace, store)

    async def ping(self) -> None:
        """Return: memory always answers."""

    async def close(self) -> None:
        """Release the fan-out threads, those of namespaces too. The tables stay as they are."""
        for each in list(self._namespaces.values()):
            await each.close()
        if isinstance(self.runtime, BlockingRuntime):
            self.runtime.close()

    def _answer(self, op: Op[Any]) -> Any:
        answer = _ANSWERS.get(type(op))
        if answer is None:
            raise Unsupported(f"a memory store has no answer to {type(op).__name__}")
        with self._state.transaction():
            return answer(self._state, op)


class AsyncMemoryStore(MemoryStore):
    """The same for an event loop. No op waits for anything, so none suspends."""

    def __init__(
        self,
        settings: MemorySettings | None = None,
        *,
        tables: Mapping[str, TableSpec] = ALL_TABLES,
        state: MemoryState | None = None,
    ) -> None:
        super().__init__(settings, tables=tables, state=state)
        self.runtime: Runtime = AsyncRuntime()
