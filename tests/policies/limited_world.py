"""A tenant's limited store whose clock the test turns, and what was asked of the store beneath."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dbrouter.backends.kernel.errors import LimitExceeded
from dbrouter.backends.kernel.ops import (
    Aggregate,
    Get,
    Insert,
    Op,
    Scan,
)
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.memory.store import MemoryStore
from dbrouter.policies.limits.limited import Limited
from dbrouter.policies.limits.limits import Limits
from dbrouter.policies.limits.meter import Meter
from scripts.servers import Server

GET = Get(table="sessions", key=("s1",))
LONG = 20.0


class Clock:
    """Time as the test has it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Asked:
    """A store that remembers what it was asked."""

    def __init__(self, inner: Any = None) -> None:
        self.inner = inner or MemoryStore()
        self.runtime = self.inner.runtime
        self.capabilities = self.inner.capabilities
        self.ops: list[Op[Any]] = []
        self.fails: Exception | None = None

    async def execute(self, op: Op[Any]) -> Any:
        self.ops.append(op)
        if self.fails is not None and not isinstance(op, Aggregate):
            raise self.fails
        return await self.inner.execute(op)

    @property
    def counts(self) -> int:
        return sum(isinstance(op, Aggregate) for op in self.ops)


class World:
    """A tenant's limited store with a clock of the test's."""

    def __init__(self, inner: Any = None, **limits: Any) -> None:
        self.clock = Clock()
        self.asked = Asked(inner)
        meter = Meter("acme", Limits(**limits), blocking=True, clock=self.clock)
        self.store = Limited(self.asked, meter)  # type: ignore[arg-type]

    def do(self, op: Op[Any]) -> Any:
        return finish(self.store.execute(op))

    def insert(self, table: str, *records: dict[str, Any]) -> None:
        self.do(Insert(table=table, records=records))

    def refused(self, op: Op[Any]) -> LimitExceeded:
        before = [each for each in self.asked.ops if not isinstance(each, Aggregate | Scan)]
        with pytest.raises(LimitExceeded) as error:
            self.do(op)
        assert [each for each in self.asked.ops if not isinstance(each, Aggregate | Scan)] == before, "it was done"
        return error.value


def stored(world: World, table: str) -> int:
    return finish(world.asked.inner.execute(Scan(table=table, limit=0, total=True))).total


def memory(number: int | str, **columns: Any) -> dict[str, Any]:
    return {"memory_id": f"m{number}", "memory": {}, "agent_id": "a", "created_at": 1, "updated_at": 1, **columns}


def opened(kind: str, folder: Path, request: pytest.FixtureRequest) -> Any:
    if kind == "memory":
        return MemoryStore()
    if kind == "sqlite":
        from dbrouter.backends.sqlite.store import SqliteStore

        return SqliteStore(folder / "stored.db")
    from dbrouter.backends.postgres.store import PostgresStore

    server: Server = request.getfixturevalue("postgres")
    return PostgresStore(server.url, schema=request.getfixturevalue("postgres_schema"))
