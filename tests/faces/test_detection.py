"""What agno reads off a router's class: it has a feature if the class overrides the base's method."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

from dbrouter import AsyncDbRouter, DbRouter, RoutingError
from dbrouter.backends.memory.store import AsyncMemoryStore, MemoryStore
from dbrouter.router.agno_types import AsyncBaseDb, BaseDb
from dbrouter.router.families import FAMILY_CLASSES
from dbrouter.router.opening import opened
from tests.faces.served import (
    ASYNC,
    ASYNC_ROUTER,
    BY_TABLE_NAME,
    ROUTER,
    SETTINGS,
    SYNC,
    awaited_by_agno,
    interface_of,
)

ALL = DbRouter(MemoryStore())
ALL_ASYNC = AsyncDbRouter(AsyncMemoryStore())
UNAWAITED = sorted(name for _, name in ASYNC if not awaited_by_agno(name))


@pytest.mark.parametrize("name", interface_of(BaseDb))
def test_every_method_of_agnos_base_is_overridden(name: str) -> None:
    assert _is_ours(getattr(type(ROUTER), name))
    assert _is_ours(getattr(type(ASYNC_ROUTER), name))


@pytest.mark.parametrize("name", interface_of(AsyncBaseDb))
def test_every_method_of_agnos_async_base_is_overridden(name: str) -> None:
    assert _is_ours(getattr(type(ASYNC_ROUTER), name))


@pytest.mark.parametrize("name", [name for _, name in SYNC if not hasattr(BaseDb, name)])
def test_what_agnos_own_databases_have_beyond_their_base_is_there(name: str) -> None:
    assert callable(getattr(ROUTER, name))
    assert callable(getattr(ASYNC_ROUTER, name))


@pytest.mark.parametrize("name", UNAWAITED)
def test_what_agno_does_not_await_is_missing_where_there_are_no_blocking_connections(name: str) -> None:
    assert not inspect.iscoroutinefunction(getattr(ASYNC_ROUTER, name))
    assert getattr(type(ALL_ASYNC), name, None) is getattr(AsyncBaseDb, name, None)


def _is_ours(method: Any) -> bool:
    return getattr(method, "__func__", method).__module__.startswith("dbrouter.")


@pytest.mark.parametrize("family", sorted({family for family, _ in SYNC}))
def test_a_family_that_is_not_served_is_agnos_own(family: str) -> None:
    rest = set(FAMILY_CLASSES) - {family}
    db = DbRouter(MemoryStore(), serves=rest)
    async_db = AsyncDbRouter(AsyncMemoryStore(), serves=rest, blocking=lambda: opened(SETTINGS, blocking=True))
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


def test_authorization_is_absent_to_agnos_probe_where_it_is_not_served() -> None:
    rest = set(FAMILY_CLASSES) - {"authz"}
    with pytest.raises(NotImplementedError):
        DbRouter(MemoryStore(), serves=rest).authz_name_is_role("__agno_authz_probe__")
    async_db = AsyncDbRouter(AsyncMemoryStore(), serves=rest)
    assert type(async_db).authz_name_is_role is AsyncBaseDb.authz_name_is_role


BY_NAME = {
    "jobs": ("claim_job", "ensure_jobs_table", "serializes_sessions"),
    "sessions": ("update_run_in_session", "append_run_to_session_if_absent", "insert_session_if_absent"),
}
"""What agno declares nowhere and looks for on the instance: a job queue, and runs that are fenced."""


@pytest.mark.parametrize("family", BY_NAME)
def test_what_agno_looks_for_by_name_is_there_where_its_family_is(family: str) -> None:
    rest = set(FAMILY_CLASSES) - {family}
    for name in BY_NAME[family]:
        assert hasattr(ALL, name), name
        assert hasattr(ALL_ASYNC, name), name
        assert not hasattr(DbRouter(MemoryStore(), serves=rest), name), name
        assert not hasattr(AsyncDbRouter(AsyncMemoryStore(), serves=rest), name), name
    assert asyncio.iscoroutinefunction(getattr(ALL_ASYNC, BY_NAME[family][0]))
    assert not asyncio.iscoroutinefunction(getattr(ALL, BY_NAME[family][0]))


def test_jobs_of_a_session_are_said_to_wait_for_each_other() -> None:
    assert ALL.serializes_sessions is ALL_ASYNC.serializes_sessions is True


def test_nothing_else_is_claimed_by_name() -> None:
    assert not hasattr(ALL, "db_engine")


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
