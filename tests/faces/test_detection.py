"""What agno reads off a router's class: it has a feature if the class overrides the base's method."""

from __future__ import annotations

import asyncio
import inspect

import pytest

from dbrouter import AsyncDbRouter, DbRouter, RoutingError
from dbrouter.backends.memory.store import AsyncMemoryStore, MemoryStore
from dbrouter.router.agno_types import AsyncBaseDb, BaseDb
from dbrouter.router.families import FAMILY_CLASSES
from tests.faces.served import ASYNC, BY_TABLE_NAME, SYNC

ALL = DbRouter(MemoryStore())
ALL_ASYNC = AsyncDbRouter(AsyncMemoryStore())
NOT_SERVED = ("get_tasks", "authz_name_is_role", "create_mcp_oauth_client", "list_components", "get_auth_token")


@pytest.mark.parametrize("name", [*(name for _, name in SYNC), *BY_TABLE_NAME])
def test_what_is_served_is_overridden(name: str) -> None:
    assert getattr(type(ALL), name) is not getattr(BaseDb, name, None)


@pytest.mark.parametrize("name", [*(name for _, name in ASYNC), *BY_TABLE_NAME])
def test_what_is_served_async_is_overridden(name: str) -> None:
    assert getattr(type(ALL_ASYNC), name) is not getattr(AsyncBaseDb, name, None)


@pytest.mark.parametrize("name", NOT_SERVED)
def test_what_no_program_serves_is_agnos_own(name: str) -> None:
    assert getattr(type(ALL), name) is getattr(BaseDb, name)
    assert getattr(type(ALL_ASYNC), name, None) is getattr(AsyncBaseDb, name, None)


@pytest.mark.parametrize("family", sorted({family for family, _ in SYNC}))
def test_a_family_that_is_not_served_is_agnos_own(family: str) -> None:
    rest = set(FAMILY_CLASSES) - {family}
    db, async_db = DbRouter(MemoryStore(), serves=rest), AsyncDbRouter(AsyncMemoryStore(), serves=rest)
    for served, name in SYNC:
        overridden = getattr(type(db), name, None) is not getattr(BaseDb, name, None)
        assert overridden is (served != family or name in BaseDb.__abstractmethods__), name
    for served, name in ASYNC:
        overridden = getattr(type(async_db), name, None) is not getattr(AsyncBaseDb, name, None)
        assert overridden is (served != family or name in AsyncBaseDb.__abstractmethods__), name


@pytest.mark.parametrize("name", sorted(BaseDb.__abstractmethods__ - {"table_exists", *BY_TABLE_NAME}))
def test_what_agno_requires_and_nothing_serves_says_what_to_configure(name: str) -> None:
    family = next(family for family, each in SYNC if each == name)
    db = DbRouter(MemoryStore(), serves=())
    with pytest.raises(NotImplementedError, match=rf"{name}: {family} are not served.*agentos\.families\.{family}"):
        getattr(db, name)()
    assert inspect.signature(getattr(type(db), name)) == inspect.signature(getattr(BaseDb, name))


@pytest.mark.parametrize("name", sorted(AsyncBaseDb.__abstractmethods__ - {"table_exists", *BY_TABLE_NAME}))
def test_what_agno_requires_async_and_nothing_serves_says_so_when_awaited(name: str) -> None:
    db = AsyncDbRouter(AsyncMemoryStore(), serves=())
    assert inspect.iscoroutinefunction(getattr(db, name))
    with pytest.raises(NotImplementedError, match=f"{name}: "):
        asyncio.run(getattr(db, name)())


def test_runs_are_saved_one_by_one_where_sessions_are_served() -> None:
    assert type(ALL).upsert_run not in (BaseDb.upsert_run, AsyncBaseDb.upsert_run)
    assert type(DbRouter(MemoryStore(), serves={"memories"})).upsert_run is BaseDb.upsert_run


def test_authorization_is_absent_to_agnos_probe() -> None:
    with pytest.raises(NotImplementedError):
        ALL.authz_name_is_role("__agno_authz_probe__")
    assert type(ALL_ASYNC).authz_name_is_role is AsyncBaseDb.authz_name_is_role


def test_compaction_is_not_offered_where_agno_would_forget_to_await_it() -> None:
    assert getattr(type(ALL_ASYNC), "upsert_compaction", None) is None


def test_nothing_else_is_claimed_by_name() -> None:
    # agno looks for these on the instance: a job queue, and runs that are fenced.
    for name in ("claim_job", "update_run_in_session", "insert_session_if_absent", "serializes_sessions", "db_engine"):
        assert not hasattr(ALL, name), name


def test_equal_families_give_one_class_under_the_routers_name() -> None:
    one, other = DbRouter(MemoryStore(), serves={"evals"}), DbRouter(MemoryStore(), serves=["evals"])
    assert type(one) is type(other)
    assert type(one) is not type(ALL)
    assert type(one).__name__ == type(ALL).__name__ == "DbRouter"
    assert type(ALL_ASYNC).__name__ == "AsyncDbRouter"
    assert isinstance(one, DbRouter)
    assert isinstance(ALL_ASYNC, AsyncDbRouter)
    assert not isinstance(ALL_ASYNC, BaseDb)
    assert not isinstance(ALL, AsyncBaseDb)


def test_a_router_is_true_and_takes_attributes() -> None:
    for db in (ALL, ALL_ASYNC, DbRouter(MemoryStore(), serves=())):
        assert bool(db)
        for name in ("__slots__", "__len__", "__bool__"):
            assert not any(
                name in vars(each) for each in type(db).__mro__[:-1] if each.__module__.startswith("dbrouter")
            )


def test_a_family_without_a_program_is_refused() -> None:
    with pytest.raises(RoutingError, match="no program serves poems"):
        DbRouter(MemoryStore(), serves={"poems"})
