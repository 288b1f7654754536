"""Three memory databases behind one routed store, which tests may switch off and look into."""

from __future__ import annotations

from typing import Any, TypeVar

from dbrouter.backends.kernel.capabilities import Capabilities
from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.backends.kernel.ops import Op, Scan
from dbrouter.backends.kernel.running import Runtime, finish
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.memory.store import MemoryStore
from dbrouter.router.directory import Directory
from dbrouter.router.families.context import Context
from dbrouter.router.families.programs import Programs
from dbrouter.router.routed import RoutedStore
from dbrouter.router.routes import Component, Routes, Rule

R = TypeVar("R")

OPS_BOT = Component("agent", "ops-bot")
CREW = Component("team", "crew")
DIGEST = Component("workflow", "digest")
KEYS = {"sessions": "session_id", "runs": "run_id", "traces": "trace_id", "spans": "span_id", "memories": "memory_id"}


class Switched:
    """A database with a switch, that counts what it is asked."""

    def __init__(self, name: str, inner: Store) -> None:
        self.name = name
        self.inner = inner
        self.runtime: Runtime = inner.runtime
        self.away = False
        self.ops: list[Op[Any]] = []

    @property
    def capabilities(self) -> Capabilities:
        return self.inner.capabilities

    async def execute(self, op: Op[R], /) -> R:
        self.ops.append(op)
        self._answer()
        return await self.inner.execute(op)

    async def existing_tables(self) -> frozenset[str]:
        self._answer()
        return await self.inner.existing_tables()

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        self._answer()
        await self.inner.create_tables(tables)

    def physical_name(self, table: str) -> str:
        return self.inner.physical_name(table)

    async def ping(self) -> None:
        self._answer()

    async def close(self) -> None:
        await self.inner.close()

    def _answer(self) -> None:
        if self.away:
            raise Unavailable(f"{self.name} is away")

    def ask(self, op: Op[R]) -> R:
        """An op's answer, uncounted."""
        return finish(self.inner.execute(op))

    def inner_rows(self, table: str) -> list[dict[str, Any]]:
        """What it holds."""
        return self.ask(Scan(table=table)).records

    def keys(self, table: str) -> set[str]:
        """The keys of what it holds."""
        return {record[KEYS.get(table, "id")] for record in self.inner_rows(table)}


def rule(database: str, family: str | None = None, component: Component | None = None) -> Rule:
    """A rule from nowhere in particular."""
    return Rule(family=family, component=component, database=database, source=f"test.{database}")


ROUTES = Routes(
    (
        rule("primary"),
        rule("ops", component=OPS_BOT),
        rule("cheap", "sessions", DIGEST),
        rule("cheap", "traces", DIGEST),
        rule("cheap", component=CREW),
        rule("cheap", "evals"),
    )
)
"""Everything in primary, evals in cheap; the ops bot all in ops, the crew all in cheap, the digest's talk in cheap."""


class World:
    """A routed store over three databases, and the families' programs on it as plain calls."""

    def __init__(self, routes: Routes = ROUTES) -> None:
        self.databases = {name: Switched(name, MemoryStore()) for name in ("primary", "ops", "cheap")}
        self.primary, self.ops, self.cheap = self.databases.values()
        self.routes = routes
        self.store = RoutedStore(self.databases, routes)
        self.db = Calls(self.store)

    def cold(self) -> Calls:
        """Another process: the same databases, nothing remembered."""
        return Calls(RoutedStore(self.databases, self.routes, directory=Directory()))

    def view(self, component: Component) -> Calls:
        """The calls of one component."""
        return Calls(self.store.bound(component))

    def where(self, table: str, key: str) -> list[str]:
        """The databases that hold this record."""
        return [name for name, each in self.databases.items() if key in each.keys(table)]

    def forget_counts(self) -> None:
        """Begin counting anew."""
        for each in self.databases.values():
            each.ops.clear()

    def counts(self) -> dict[str, int]:
        """How many requests each database got."""
        return {name: len(each.ops) for name, each in self.databases.items() if each.ops}


class Calls:
    """agno's methods over a store, as plain calls."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._programs = list(vars(Programs(Context(store))).values())

    def __getattr__(self, name: str) -> Any:
        method = next(getattr(each, name) for each in self._programs if hasattr(each, name))
        return lambda *args, **kwargs: finish(method(*args, **kwargs))

    def ask(self, op: Op[R]) -> R:
        """An op's answer."""
        return finish(self.store.execute(op))
