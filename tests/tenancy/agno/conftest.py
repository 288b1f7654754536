"""A house of tenants of three isolations, in files, that real agno components run on."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from openinference.instrumentation.agno import AgnoInstrumentor
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.util._once import Once

from dbrouter import AsyncDbRouter, DbRouter
from dbrouter.config import load_mapping
from tests.tenancy.agno.house import House, answered
from tests.tenancy.deployments import sqlite_in

TENANTS: dict[str, Any] = {
    "acme": {"isolation": "rows"},
    "globex": {"isolation": "schema"},
    "initech": {"db": "silo"},
    "umbrella": {"isolation": "rows", "suspended": True},
}

OPENED = pytest.StashKey[list[House]]()


@pytest.fixture
def build(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., House]:
    """Opens a router by tenancy rules: `build(mode, resolve=[...])`. The test's runner closes it."""
    databases = sqlite_in(tmp_path)

    def make(mode: str, **tenancy: Any) -> House:
        others = {"*": {"isolation": "rows"}} if tenancy.get("unknown") == "provision" else {}
        settings = {
            "id": "house",
            "databases": {name: dict(databases(name)) for name in ("primary", "silo")},
            "agentos": {"db": "primary"},
            "tenancy": {"resolve": ["binding", "context"], **tenancy},
            "tenants": TENANTS | others,
        }
        router = DbRouter if mode == "blocking" else AsyncDbRouter
        house = House(router=router.from_settings(load_mapping(settings)))
        request.node.stash.setdefault(OPENED, []).append(house)
        return house

    return make


@pytest.fixture(params=["blocking", "async"])
def mode(request: pytest.FixtureRequest) -> str:
    """The mode of the router."""
    return request.param


@pytest.fixture(autouse=True)
def _tracing_ends_with_the_test() -> Iterator[None]:
    """An app with tracing on instruments the whole process, and would trace the next test into a db that is closed."""
    yield
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        AgnoInstrumentor().uninstrument()
        provider.shutdown()
        trace._TRACER_PROVIDER = None
        trace._TRACER_PROVIDER_SET_ONCE = Once()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an `async def` test in one event loop, and close in that loop what it opened."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    values = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}

    async def test() -> None:
        try:
            await pyfuncitem.obj(**values)
        finally:
            for house in pyfuncitem.stash.get(OPENED, []):
                await answered(house.router.close())

    asyncio.run(test())
    return True
