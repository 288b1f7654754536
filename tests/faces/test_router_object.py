"""The router as an object: its id, its stored form, its views, its databases, and its end."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path
from typing import Any

import pytest

from dbrouter import AsyncDbRouter, ConfigError, DbRouter, RoutingError, Unavailable
from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.memory.settings import MemorySettings
from dbrouter.backends.memory.store import AsyncMemoryStore, MemoryStore
from dbrouter.router.agno_types import AsyncBaseDb, BaseDb
from dbrouter.router.databases import Database
from dbrouter.router.routed import RoutedStore
from dbrouter.router.routes import Routes, Rule


class Watched(MemoryStore):
    """A memory store that counts its ends, and can be away."""

    def __init__(self, settings: MemorySettings | None = None) -> None:
        super().__init__(settings)
        self.closed = 0
        self.away = False

    async def close(self) -> None:
        self.closed += 1
        await super().close()

    async def existing_tables(self) -> frozenset[str]:
        if self.away:
            raise Unavailable("away")
        return await super().existing_tables()

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        if self.away:
            raise Unavailable("away")
        await super().create_tables(tables)


def routed(primary: MemoryStore, evals: MemoryStore) -> RoutedStore:
    """A store whose evals have a database of their own."""
    rules = (
        Rule(family=None, component=None, database="primary", source="db"),
        Rule(family="evals", component=None, database="evals", source="eval_db"),
    )
    return RoutedStore({"primary": primary, "evals": evals}, Routes(rules))


def two(primary: MemoryStore, evals: MemoryStore) -> DbRouter:
    """A router over that store."""
    store = routed(primary, evals)
    return DbRouter(store, id="two", serves={"sessions", "evals"}, databases=placed(primary, evals))


def provision(db: Any) -> Any:
    """What agno calls at start."""
    return db._create_all_tables()


def placed(primary: MemoryStore, evals: MemoryStore) -> list[Database]:
    return [
        Database(name="primary", store=primary, families=frozenset({"sessions"})),
        Database(name="evals", store=evals, families=frozenset({"evals"})),
    ]


@pytest.mark.parametrize("router", [DbRouter, AsyncDbRouter])
@pytest.mark.parametrize("file", ["dbrouter.yaml", Path("dbrouter.yaml")])
def test_a_router_that_is_given_a_files_name_says_how_to_open_it(router: type[Any], file: Any) -> None:
    with pytest.raises(TypeError, match=rf"use {router.__name__}.from_yaml\("):
        router(file)


def test_the_id_is_the_given_one_else_the_same_for_the_same_databases() -> None:
    assert DbRouter(MemoryStore(), id="mine").id == "mine"
    assert DbRouter(MemoryStore()).id == DbRouter(MemoryStore()).id
    several = routed(MemoryStore(), MemoryStore())
    assert DbRouter(several, databases=placed(MemoryStore(), MemoryStore())).id != DbRouter(MemoryStore()).id


def test_the_stored_form_has_agnos_keys_a_type_and_nothing_else() -> None:
    sync, native = DbRouter(MemoryStore(), id="d"), AsyncDbRouter(AsyncMemoryStore(), id="d")
    assert sync.to_dict() == {**BaseDb.to_dict(sync), "type": "dbrouter"}
    assert native.to_dict() == {**AsyncBaseDb.to_dict(native), "type": "dbrouter"}
    assert sync.to_dict() == DbRouter(MemoryStore(), id="d").to_dict()


def test_a_stored_form_gives_the_open_router_of_that_id_and_mode() -> None:
    sync, native = DbRouter(MemoryStore(), id="stored"), AsyncDbRouter(AsyncMemoryStore(), id="stored")
    assert DbRouter.from_dict(sync.to_dict()) is sync
    assert type(sync).from_dict({"id": "stored"}) is sync
    assert AsyncDbRouter.from_dict(native.to_dict()) is native


def test_a_stored_form_of_no_open_router_is_refused() -> None:
    gone = DbRouter(MemoryStore(), id="gone")
    stored = gone.to_dict()
    del gone
    gc.collect()
    with pytest.raises(RoutingError, match=r"no DbRouter with the id 'gone' is open.*from_yaml"):
        DbRouter.from_dict(stored)


def test_a_view_has_the_id_the_class_and_the_databases_of_its_router() -> None:
    router = DbRouter(MemoryStore(), id="whole")
    view = router.bind(agent="x")
    assert view is not router
    assert (view.id, type(view), view.to_dict()) == (router.id, type(router), router.to_dict())
    assert view.database("main") is router.database("main")
    assert DbRouter.from_dict({"id": "whole"}) is router


def test_a_view_is_bound_to_one_component() -> None:
    router = DbRouter(MemoryStore())
    for wrong in ({}, {"agent": "x", "team": "y"}):
        with pytest.raises(RoutingError, match="name one component"):
            router.bind(**wrong)


def test_what_agno_registers_on_a_view_is_on_its_router() -> None:
    router = DbRouter(MemoryStore())
    view = router.bind(team="t")
    assert getattr(router, "tool_result_filesystems", None) is None
    view.tool_result_filesystems = ["payloads"]
    router.sandbox_coordinators = ["coordinator"]
    assert router.tool_result_filesystems is view.tool_result_filesystems
    assert view.sandbox_coordinators == ["coordinator"]
    assert getattr(DbRouter(MemoryStore()), "tool_result_filesystems", None) is None


def test_table_names_are_those_of_the_store() -> None:
    db = DbRouter(MemoryStore(MemorySettings(tables={"sessions": "talks"})))
    assert db.session_table_name == "talks"
    # The name of the sandbox table is an attribute of agno's PostgresDb alone.
    named = [spec for spec in TABLES.values() if spec.name != "sandbox_bindings" and not spec.ours]
    for spec in named:
        assert getattr(db, spec.attribute) == ("talks" if spec.name == "sessions" else spec.default_name)


def test_a_table_is_looked_for_in_the_database_it_belongs_in() -> None:
    primary, evals = Watched(), Watched()
    db = two(primary, evals)
    assert not db.table_exists("agno_sessions")
    provision(db)
    assert db.table_exists("agno_sessions")
    assert db.table_exists("agno_eval_runs")
    primary.away = True
    assert db.table_exists("agno_eval_runs")
    with pytest.raises(Unavailable):
        db.table_exists("agno_sessions")


def test_each_database_gets_the_tables_of_its_families_and_its_own_versions() -> None:
    primary, evals = MemoryStore(), MemoryStore()
    provision(two(primary, evals))
    from dbrouter.backends.kernel.running import finish

    assert finish(evals.existing_tables()) == {"agno_eval_runs", "agno_schema_versions"}
    assert finish(primary.existing_tables()) == {
        "agno_sessions",
        "agno_runs",
        "agno_tool_results",
        "agno_schema_versions",
    }


def test_a_database_that_is_away_keeps_the_others_from_nothing() -> None:
    primary, evals = Watched(), MemoryStore()
    primary.away = True
    db = two(primary, evals)
    with pytest.raises(Unavailable):
        provision(db)
    assert db.table_exists("agno_eval_runs")


def test_a_version_stamp_goes_where_its_table_is() -> None:
    primary, evals = MemoryStore(), MemoryStore()
    db = two(primary, evals)
    db.upsert_schema_version("agno_eval_runs", "9.9.9")
    assert db.get_latest_schema_version("agno_eval_runs") == "9.9.9"
    assert DbRouter(evals).get_latest_schema_version("agno_eval_runs") == "9.9.9"
    assert DbRouter(primary).get_latest_schema_version("agno_eval_runs") == "2.0.0"


def test_closing_closes_each_store_once_and_may_be_repeated() -> None:
    primary, evals = Watched(), Watched()
    db = two(primary, evals)
    db.close()
    assert (primary.closed, evals.closed) == (1, 1)
    assert db.get_eval_runs() == []
    db.bind(agent="x").close()
    assert (primary.closed, evals.closed) == (2, 2)


def test_an_unknown_database_is_named_together_with_the_known() -> None:
    with pytest.raises(RoutingError, match=r"'nowhere'.*primary, evals"):
        two(MemoryStore(), MemoryStore()).database("nowhere")


def test_blocking_code_is_refused_a_store_that_must_be_awaited() -> None:
    with pytest.raises(ConfigError, match=r"AsyncMemoryStore must be awaited.*use AsyncDbRouter"):
        DbRouter(AsyncMemoryStore())


def test_async_code_gets_a_blocking_store_on_threads() -> None:
    async def talk() -> None:
        store = Watched()
        db = AsyncDbRouter(store)
        await provision(db)
        assert await db.table_exists("agno_eval_runs")
        assert await db.get_user_memories() == []
        await db.close()
        assert store.closed == 1
        assert await db.get_user_memories() == []
        await db.close()

    asyncio.run(talk())


def test_the_same_store_gives_both_modes_the_same_id() -> None:
    assert DbRouter(MemoryStore()).id == AsyncDbRouter(MemoryStore()).id
