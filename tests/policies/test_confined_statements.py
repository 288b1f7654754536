"""An op on shared tables takes as many statements, in as many exchanges, as on tables of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.filters import EVERYTHING
from dbrouter.backends.kernel.ops import Delete, Insert, Op
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.kernel.tenant_tables import tenant_table
from dbrouter.backends.sql.connections import Connections, Unit
from dbrouter.backends.sql.store import SqlStore
from dbrouter.backends.sqlite.store import SqliteStore
from dbrouter.policies.tenancy.confining import Confined
from scripts.servers import Server
from tests.kernel.rows import session, trace
from tests.kernel.small_world import TABLES
from tests.policies.conversation import arrivals, reads, removals, writes


class Counting:
    """Connections that remember how many statements went in each exchange."""

    def __init__(self, inner: Connections) -> None:
        self._inner = inner
        self.sent: list[int] = []

    async def run(self, unit: Unit) -> Any:
        self.sent.append(len(unit.statements))
        return await self._inner.run(unit)

    async def close(self) -> None:
        await self._inner.close()


def questions() -> Iterator[Op[Any]]:
    """Every kind of op."""
    yield Insert(table="sessions", records=(session("a", user_id="u"), session("b", user_id="v")))
    yield Insert(table="traces", records=(trace("a", session_id="a"), trace("b", session_id="b")))
    for each in (reads, arrivals, writes, removals):
        yield from each("u")
    yield Delete(table="sessions", where=EVERYTHING)


def sent(counting: Counting, store: Store) -> list[tuple[str, list[int]]]:
    """What each question took."""
    took: list[tuple[str, list[int]]] = []
    for op in questions():
        counting.sent.clear()
        finish(store.execute(op))
        took.append((type(op).__name__, list(counting.sent)))
    return took


def both(store: SqlStore) -> None:
    """Ask on one's own tables and on shared ones."""
    finish(store.create_tables((*TABLES, *map(tenant_table, TABLES))))
    finish(store.existing_tables())
    counting = Counting(store.connections)
    store.connections = counting
    alone = sent(counting, Emulated(store))
    shared = sent(counting, Confined(Emulated(store), "a"))
    assert [took for _, took in alone] != []
    assert shared == alone


def test_in_sqlite() -> None:
    store = SqliteStore()
    both(store)
    finish(store.close())


def test_in_postgres(postgres: Server, postgres_schema: str) -> None:
    from dbrouter.backends.postgres.store import PostgresStore

    store = PostgresStore(postgres.url, schema=postgres_schema)
    both(store)
    finish(store.close())
