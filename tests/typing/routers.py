"""What a type checker knows of routers and databases. Checked, never run."""

from __future__ import annotations

from typing import Any, assert_type

from agno.agent import Agent
from agno.db.base import AsyncBaseDb, BaseDb
from agno.session import Session

from dbrouter import AsyncDbRouter, DbRouter, DbRouterError, Unavailable
from dbrouter.backends import AsyncInMemoryDb, AsyncPostgresDb, AsyncSqliteDb, InMemoryDb, PostgresDb, SqliteDb
from dbrouter.backends.kernel.store import Store


def a_router_is_agnos_db(path: str) -> Agent:
    router = DbRouter.from_yaml(path)
    assert_type(router, DbRouter)
    base: BaseDb = router
    view = router.bind(agent="x")
    assert_type(view, DbRouter)
    assert_type(router.database("primary"), Store)
    assert_type(router.get_session("s"), Session | dict[str, Any] | None)
    # What agno's databases take beyond their base class is known too.
    assert_type(router.get_learning("profile", workflow_id="w"), dict[str, Any] | None)
    assert_type(router.delete_eval_run("e"), None)
    router.close()
    return Agent(id="x", db=view if base else router)


async def an_async_router_is_agnos_async_db(path: str) -> None:
    router = AsyncDbRouter.from_yaml(path)
    assert_type(router, AsyncDbRouter)
    base: AsyncBaseDb = router
    assert_type(router.bind(team="t"), AsyncDbRouter)
    assert_type(await router.get_session("s"), Session | dict[str, Any] | None)
    assert_type(await router.table_exists("agno_sessions"), bool)
    await base.close()


def databases_take_agnos_arguments() -> tuple[BaseDb, ...]:
    return (
        InMemoryDb(id="m"),
        SqliteDb("a.db", session_table="talks"),
        PostgresDb(db_url="postgresql://localhost/a", db_schema="ai", memory_table=None),
    )


def async_databases_take_agnos_arguments() -> tuple[AsyncBaseDb, ...]:
    return (
        AsyncInMemoryDb(),
        AsyncSqliteDb(db_file="a.db", runs_table="turns"),
        AsyncPostgresDb(db_url="postgresql://localhost/a", create_schema=False),
    )


def wrong_arguments_are_found(path: str) -> None:
    SqliteDb("a.db", sesion_table="talks")  # type: ignore[call-arg]
    DbRouter.from_yaml(path).get_session(1)  # type: ignore[arg-type]
    DbRouter.from_yaml(path).bind(agnet="x")  # type: ignore[call-arg]


def errors_form_a_tree(error: Unavailable) -> DbRouterError:
    return error
