"""What agno does not await, on an async router: on blocking connections, in the same databases, for the same tenants."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from agno.db.base import ComponentType
from agno.session import AgentSession

from dbrouter import AsyncDbRouter, DbRouter
from dbrouter.backends import AsyncInMemoryDb, AsyncPostgresDb, AsyncSqliteDb
from dbrouter.backends.kernel.ops import Scan
from dbrouter.backends.memory.store import AsyncMemoryStore
from dbrouter.config import load_mapping
from dbrouter.router.agno_types import AsyncBaseDb
from tests.backends.backend import Backend
from tests.backends.known import named
from tests.backends.places import Place
from tests.waiting import until

if TYPE_CHECKING:
    from scripts.servers import Server

Fresh: TypeAlias = Callable[[], Place]
BACKENDS = ("memory", "sqlite", "postgres")


@pytest.fixture(params=[pytest.param(each, marks=pytest.mark.backend(each)) for each in BACKENDS])
def fresh(request: pytest.FixtureRequest, fresh_place: Callable[[Backend], Place]) -> Fresh:
    """Makes empty databases of one backend."""
    backend = named(request.param)
    return lambda: fresh_place(backend)


def router(fresh: Fresh, *names: str, **said: Any) -> AsyncDbRouter:
    """An async router over databases of these names, the first by default."""
    described = {
        "id": "beside",
        "databases": {name: fresh().settings() for name in names},
        "agentos": {"db": names[0]},
    }
    return AsyncDbRouter.from_settings(load_mapping({**described, **said}))


def compaction(session_id: str, **fields: Any) -> dict[str, Any]:
    """A compaction, as agno writes one."""
    of_a_session = {"compaction_id": f"c-{session_id}", "session_id": session_id, "summary": "all", "created_at": 1}
    numbers = {"messages_compacted": 2, "tokens_before": 9, "tokens_after": 3}
    texts = {"run_id": "r", "user_id": "u", "first_kept_message_id": "m", "archived_messages": "[]"}
    return {**of_a_session, **numbers, **texts, **fields}


def register(db: AsyncDbRouter, client_id: str) -> bool:
    """Whether a client of MCP's OAuth was new."""
    return db.create_mcp_oauth_client(
        client_id=client_id, client_metadata=f"of {client_id}", now=1, unconsumed_ttl=9, max_clients=9
    )


def session(session_id: str, agent_id: str = "helper") -> AgentSession:
    return AgentSession(session_id=session_id, agent_id=agent_id, created_at=1)


def test_what_is_not_awaited_sees_what_is_awaited_and_the_reverse(fresh: Fresh) -> None:
    async def talk(db: AsyncDbRouter) -> None:
        await db.upsert_session(session("s"))
        db.upsert_compaction(compaction("s"))
        assert db.get_compaction("c-s") == compaction("s")
        # A session takes its compactions along, whichever connections have written them.
        assert await db.delete_session("s")
        assert db.get_compaction("c-s") is None
        db.create_component_with_config("bot", ComponentType.AGENT, name="Bot", config={"n": 1}, stage="published")
        assert [each["component_id"] for each in db.list_components()[0]] == ["bot"]
        assert register(db, "client")
        assert db.get_mcp_oauth_client("client") == "of client"
        await db.close()

    asyncio.run(talk(router(fresh, "main")))


def test_an_event_loop_goes_on_with_others_work_meanwhile(fresh: Fresh) -> None:
    async def talk(db: AsyncDbRouter, number: int) -> None:
        await db.upsert_session(session(f"s{number}"))
        db.upsert_compaction(compaction(f"s{number}"))

    async def all_of_them() -> None:
        db = router(fresh, "main")
        await asyncio.gather(*(talk(db, number) for number in range(8)))
        found = [db.get_compactions_for_session(f"s{number}") for number in range(8)]
        assert [len(each) for each in found] == [1] * 8
        await db.close()

    asyncio.run(all_of_them())


def test_it_may_be_used_again_when_it_was_closed_and_by_another_loop(fresh: Fresh) -> None:
    async def talk(number: int) -> None:
        await db.upsert_session(session(f"s{number}"))
        db.upsert_compaction(compaction(f"s{number}"))
        await db.close()
        assert len(db.get_compactions_for_session("s0")) == 1
        assert await db.get_session("s0") is not None
        await db.close()

    db = router(fresh, "main")
    for number in range(2):
        asyncio.run(talk(number))


def test_closing_ends_the_connections_of_both_sides(fresh_place: Callable[[Backend], Place]) -> None:
    async def talk(db: AsyncDbRouter) -> list[int]:
        counts: list[int] = []
        db.upsert_component("bot", ComponentType.AGENT)
        await db.get_sessions()
        counts.append(_connections(place))
        await db.close()
        until(lambda: not _connections(place))  # the server takes a moment to notice
        counts.append(_connections(place))
        return counts

    place = fresh_place(named("postgres"))
    named_ = place.settings(url=f"{place.url}?application_name={place.name}")
    settings = load_mapping({"databases": {"main": named_}, "agentos": {"db": "main"}})
    open_, closed = asyncio.run(talk(AsyncDbRouter.from_settings(settings)))
    assert (open_ >= 2, closed) == (True, 0)


def _connections(place: Place) -> int:
    """How many connections the server has that are called as this database."""
    import psycopg

    asked = "select count(*) from pg_stat_activity where application_name = %s"
    with psycopg.connect(place.url, autocommit=True) as connection:
        found = connection.execute(asked, (place.name,)).fetchone()
    assert found is not None
    return int(found[0])


def test_a_view_of_a_component_writes_to_its_database(fresh: Fresh) -> None:
    async def talk() -> None:
        db = router(fresh, "main", "mine", agents={"bot": {"db": "mine"}})
        view = db.bind(agent="bot")
        view.upsert_compaction(compaction("nowhere"))
        held = {name: await db.database(name).execute(Scan(table="compactions")) for name in ("main", "mine")}
        assert {name: len(page.records) for name, page in held.items()} == {"main": 0, "mine": 1}
        view.upsert_component("bot", ComponentType.AGENT)
        # Components are of the whole deployment, whoever writes them.
        assert [each["component_id"] for each in db.list_components()[0]] == ["bot"]
        await view.close()

    asyncio.run(talk())


def test_a_tenants_view_is_confined_to_the_tenant(fresh: Fresh) -> None:
    async def talk() -> None:
        main = fresh()
        tenants = {
            "acme": {"isolation": "rows"},
            "umbrella": {"isolation": "rows"},
            "globex": {"isolation": "schema", "namespace": main.namespace("globex")},
            "initech": {"db": "silo"},
        }
        made = iter([main, fresh()])
        db = router(lambda: next(made), "main", "silo", tenants=tenants)
        for name in tenants:
            view = db.for_tenant(name)
            view.upsert_component("bot", ComponentType.AGENT, name=name)
            await view.upsert_session(session("s"))
            view.upsert_compaction(compaction("s", summary=name))
            assert register(view, f"client-{name}")
        for name in tenants:
            view = db.for_tenant(name).bind(agent="bot")
            assert [each["name"] for each in view.list_components()[0]] == [name]
            assert [each["summary"] for each in view.get_compactions_for_session("s")] == [name]
            others = [view.get_mcp_oauth_client(f"client-{each}") for each in tenants if each != name]
            assert others == [None, None, None]
        await db.for_tenant("acme").delete_session("s")
        left = {name: len(db.for_tenant(name).get_compactions_for_session("s")) for name in tenants}
        assert left == {"acme": 0, "umbrella": 1, "globex": 1, "initech": 1}
        await db.close()

    asyncio.run(talk())


def test_nothing_is_opened_before_it_is_needed(tmp_path: Path) -> None:
    async def talk(db: AsyncDbRouter) -> None:
        await db.get_sessions()
        await db.close()

    def open_() -> Any:
        raise AssertionError("opened")

    asyncio.run(talk(AsyncDbRouter(AsyncMemoryStore(), blocking=open_)))


def standalone(folder: Path, server: Server, schema: str) -> Iterator[Any]:
    """Our async databases that are made from an address."""
    yield AsyncInMemoryDb()
    yield AsyncSqliteDb(str(folder / "a.db"))
    yield AsyncPostgresDb(db_url=server.url.replace("postgresql:", "postgresql+psycopg:"), db_schema=schema)


def test_a_database_alone_made_from_an_address_has_what_agno_does_not_await(
    tmp_path: Path, postgres: Server, postgres_schema: str
) -> None:
    async def talk(db: Any) -> None:
        await db.upsert_session(session("s"))
        db.upsert_compaction(compaction("s"))
        assert len(db.get_compactions_for_session("s")) == 1
        await db.delete_session("s")
        assert db.get_compactions_for_session("s") == []
        db.upsert_component("bot", ComponentType.AGENT)
        assert [each["component_id"] for each in db.list_components()[0]] == ["bot"]
        await db.close()

    for db in standalone(tmp_path, postgres, postgres_schema):
        asyncio.run(talk(db))


def test_where_connections_cannot_be_had_twice_agno_sees_that_it_is_missing(postgres: Server, tmp_path: Path) -> None:
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(postgres.url.replace("postgresql:", "postgresql+psycopg:"))
    alone: tuple[Any, ...] = (AsyncPostgresDb(db_engine=engine), AsyncSqliteDb(db_url="sqlite+aiosqlite://"))
    for db in alone:
        assert getattr(db, "upsert_compaction", None) is None
        assert getattr(db, "create_mcp_oauth_client", None) is None
        assert type(db).list_components is AsyncBaseDb.list_components
        with pytest.raises(NotImplementedError):
            db.list_components()
    file = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'a.db'}")
    assert AsyncSqliteDb(db_engine=file).list_components() == ([], 0)


def test_a_blocking_router_reads_what_was_not_awaited(fresh_place: Callable[[Backend], Place]) -> None:
    async def talk(db: AsyncDbRouter) -> None:
        db.upsert_component("bot", ComponentType.AGENT)
        await db.close()

    settings = load_mapping({"databases": {"main": fresh_place(named("sqlite")).settings()}, "agentos": {"db": "main"}})
    asyncio.run(talk(AsyncDbRouter.from_settings(settings)))
    assert [each["component_id"] for each in DbRouter.from_settings(settings).list_components()[0]] == ["bot"]
