"""Tenants through PgBouncer's transaction pooling: every transaction may have another of three server connections."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from agno.run.agent import RunOutput
from agno.run.base import RunStatus
from agno.session import AgentSession
from psycopg import _pipeline_base
from psycopg.sql import SQL, Identifier

from dbrouter.backends.kernel.errors import Conflict, Duplicate
from dbrouter.backends.kernel.filters import EVERYTHING
from dbrouter.backends.kernel.ops import ABSENT, Commit, Delete, Insert, Put, Scan
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.postgres.store import AsyncPostgresStore, PostgresStore
from dbrouter.policies.tenancy.confining import Confined
from dbrouter.router.async_db import AsyncDb
from dbrouter.router.sync_db import SyncDb
from scripts.servers import APPLICATION, OWNER, Server
from scripts.servers.pgbouncer import POOL
from scripts.servers.roles import url_as

TENANTS = 12
TURNS = 8
"""More than the five executions after which psycopg prepares a statement."""


@pytest.fixture(params=[True, False], ids=["prepared if safe", "never prepared"])
def settings(
    request: pytest.FixtureRequest, pgbouncer: Server, postgres: Server, postgres_schema: str
) -> Iterator[dict[str, Any]]:
    """How a store is opened: the application through PgBouncer, the owner of the tables straight at the server."""
    yield {
        "url": url_as(APPLICATION, pgbouncer.url),
        "owner_url": url_as(OWNER, postgres.url),
        "schema": postgres_schema,
        "prepared_statements": request.param,
    }
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        for number in range(TENANTS):
            name = Identifier(f"{postgres_schema}_{number}")
            connection.execute(SQL("drop schema if exists {} cascade").format(name))


def store_of(parent: PostgresStore | AsyncPostgresStore, schema: str, tenant: int) -> Store:
    """Every second tenant has a schema, the others share tables."""
    if tenant % 2:
        return parent.in_namespace(f"{schema}_{tenant}")
    return Confined(parent.for_rows_of(str(tenant)), str(tenant))


def conversation(tenant: int, turn: int) -> tuple[AgentSession, RunOutput]:
    """The same ids for every tenant, and its number in all that they hold."""
    state = {"session_state": {"tenant": tenant, "turns": turn}}
    session = AgentSession(session_id="s", agent_id="a", user_id="u", session_data=state, created_at=1)
    run = RunOutput(run_id=f"r{turn}", agent_id="a", session_id="s", content=str(tenant), status=RunStatus.completed)
    return session, run


def check(session: Any, tenant: int) -> None:
    assert session.session_data["session_state"] == {"tenant": tenant, "turns": TURNS - 1}
    assert [run.content for run in session.runs] == [str(tenant)] * TURNS


def test_threads_of_twelve_tenants_take_turns_on_three_connections(settings: dict[str, Any]) -> None:
    parent = PostgresStore(**settings, pool_size=10)
    dbs = [SyncDb(store_of(parent, settings["schema"], tenant), id=str(tenant)) for tenant in range(TENANTS)]

    def talk(tenant: int) -> None:
        for turn in range(TURNS):
            session, run = conversation(tenant, turn)
            dbs[tenant].upsert_session(session)
            dbs[tenant].upsert_run(run, "s", user_id="u", run_index=turn)
            dbs[tenant].get_session("s", user_id="u")
        check(dbs[tenant].get_session("s", user_id="u"), tenant)

    with ThreadPoolExecutor(TENANTS) as threads:
        for done in [threads.submit(talk, tenant) for tenant in range(TENANTS)]:
            done.result()
    nothing_is_left_on_the_servers(settings["url"])
    finish(parent.close())


def test_tasks_of_twelve_tenants_take_turns_on_three_connections(settings: dict[str, Any]) -> None:
    async def talk(db: AsyncDb, tenant: int) -> None:
        for turn in range(TURNS):
            session, run = conversation(tenant, turn)
            await db.upsert_session(session)
            await db.upsert_run(run, "s", user_id="u", run_index=turn)
            await db.get_session("s", user_id="u")
        check(await db.get_session("s", user_id="u"), tenant)

    async def main() -> None:
        parent = AsyncPostgresStore(**settings, pool_size=10)
        dbs = [AsyncDb(store_of(parent, settings["schema"], tenant), id=str(tenant)) for tenant in range(TENANTS)]
        await asyncio.gather(*(talk(db, tenant) for tenant, db in enumerate(dbs)))
        await parent.close()

    asyncio.run(main())
    nothing_is_left_on_the_servers(settings["url"])


def test_who_was_refused_keeps_no_server(settings: dict[str, Any]) -> None:
    """Two writes in one pipeline, of which the second is refused: PgBouncer 1.18 took some such clients for busy."""
    parent = PostgresStore(**settings, pool_size=10)
    record = {"memory_id": "m", "memory": {}, "user_id": "u", "created_at": 1, "updated_at": 1}
    finish(parent.execute(Insert(table="memories", records=(record,))))
    taken = Put(table="memories", record=record, expect=ABSENT)

    def be_refused(number: int) -> None:
        fresh = Put(table="memories", record={**record, "memory_id": f"m{number}"}, expect=ABSENT)
        with pytest.raises((Conflict, Duplicate)):
            finish(parent.execute(Commit(writes=(fresh, taken))))

    with ThreadPoolExecutor(10) as threads:
        list(threads.map(be_refused, range(200)))
    nothing_is_left_on_the_servers(settings["url"])
    finish(parent.close())


def test_a_client_that_is_slow_to_end_its_exchange_keeps_no_server(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """PgBouncer takes its server back at the answer to a sync: what came after it would be given another, for good."""
    send = _pipeline_base.send

    def send_late(connection: Any) -> Any:
        time.sleep(0.05)
        return send(connection)

    monkeypatch.setattr(_pipeline_base, "send", send_late)
    parent = PostgresStore(**settings, pool_size=10)
    record = {"memory": {}, "user_id": "u", "created_at": 1, "updated_at": 1}

    def write_two(number: int) -> None:
        puts = [Put(table="memories", record={**record, "memory_id": f"m{number}{each}"}) for each in "ab"]
        finish(parent.execute(Commit(writes=puts)))

    with ThreadPoolExecutor(10) as threads:
        list(threads.map(write_two, range(20)))
    nothing_is_left_on_the_servers(settings["url"])
    finish(parent.close())


def nothing_is_left_on_the_servers(url: str) -> None:
    """Look at each of the server's connections, as its next user finds it: as many in transactions at once as there are.

    With clients that are done still connected: if one of them kept its server, this would wait for it.
    """
    asked = (
        "select pg_backend_pid(), coalesce(current_setting('dbrouter.tenant', true), ''),"
        " current_setting('search_path'), (select count(*) from pg_prepared_statements)"
    )
    seen: dict[int, tuple[str, str, int]] = {}
    with ExitStack() as clients:
        for _ in range(POOL):
            client = clients.enter_context(psycopg.connect(url, prepare_threshold=None))
            row = client.execute(asked).fetchone()
            assert row is not None
            seen[row[0]] = row[1:]
    assert len(seen) == POOL
    assert set(seen.values()) == {("", '"$user", public', 0)}


def test_a_row_tenant_is_gone_with_its_transaction_whoever_gets_the_connection_next(settings: dict[str, Any]) -> None:
    parent = PostgresStore(**settings)
    record = {"memory_id": "m", "memory": {}, "user_id": "u", "created_at": 1, "updated_at": 1}
    for tenant in ("one", "other"):
        finish(Confined(parent.for_rows_of(tenant), tenant).execute(Insert(table="memories", records=(record,))))
    with psycopg.connect(settings["url"], autocommit=True, prepare_threshold=None) as stranger:
        count = SQL("select count(*) from {}").format(
            Identifier(settings["schema"], parent.physical_name("tenants.memories"))
        )
        for number in range(20):
            rows = parent.for_rows_of(("one", "other")[number % 2])
            assert len(finish(rows.execute(Scan(table="tenants.memories"))).records) == 1
            assert stranger.execute(count).fetchone() == (0,)
    assert finish(parent.for_rows_of("one").execute(Delete(table="tenants.memories", where=EVERYTHING))) == 1
    assert len(finish(parent.for_rows_of("other").execute(Scan(table="tenants.memories"))).records) == 1
    finish(parent.close())


def test_statements_are_prepared_at_the_server_and_not_behind_the_pooler(pgbouncer: Server, postgres: Server) -> None:
    for url, prepared in ((postgres.url, True), (pgbouncer.url, False)):
        store = PostgresStore(url)
        connection = store.engine.raw_connection()
        assert (connection.driver_connection.prepare_threshold is not None) is prepared  # type: ignore[union-attr]
        connection.close()
        finish(store.close())


def test_a_given_engine_prepares_nothing_behind_the_pooler_either(pgbouncer: Server) -> None:
    from sqlalchemy import create_engine
    from sqlalchemy.ext.asyncio import create_async_engine

    url = pgbouncer.url.replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(url)
    store = PostgresStore(engine=engine)
    finish(store.ping())
    with engine.connect() as connection:
        assert connection.connection.driver_connection.prepare_threshold is None  # type: ignore[union-attr]
    engine.dispose()

    async def asynchronously() -> None:
        engine = create_async_engine(url)
        store = AsyncPostgresStore(engine=engine)
        for _ in range(3):
            await store.ping()
        # It has its connections back, as it lent them.
        assert (engine.sync_engine.pool.checkedin(), engine.sync_engine.pool.checkedout()) == (1, 0)  # type: ignore[attr-defined]
        async with engine.connect() as connection:
            raw = await connection.get_raw_connection()
            assert raw.driver_connection.prepare_threshold is None  # type: ignore[union-attr]
        await engine.dispose()

    asyncio.run(asynchronously())


def test_without_that_one_clients_statement_would_run_for_another(pgbouncer: Server) -> None:
    """Why: this is what an ordinary client meets behind this pooler."""
    with (
        psycopg.connect(pgbouncer.url, autocommit=True, prepare_threshold=0) as one,
        psycopg.connect(pgbouncer.url, autocommit=True, prepare_threshold=0) as other,
    ):
        wrong: list[object] = []
        for _ in range(20):
            for name, connection in (("one", one), ("other", other)):
                try:
                    row = connection.execute(f"select '{name}'").fetchone()  # type: ignore[arg-type]  # one of two
                except (psycopg.errors.InvalidSqlStatementName, psycopg.errors.DuplicatePreparedStatement) as error:
                    wrong.append(error)
                else:
                    wrong += [row] * (row != (name,))
        assert wrong
        for _ in range(4 * POOL):
            # The next test finds the server's connections as they were.
            one.execute("deallocate all", prepare=False)
