"""The pytest plugin: runs `async def` tests that take a `store` on every candidate, and says what ran where.

Name your stores in a `conftest.py`:

    def place(request):
        path = request.getfixturevalue("tmp_path") / "rows"
        return lambda: MyStore(path)

    def pytest_dbrouter_stores(config):
        return [Candidate(backend="mine", mode="blocking", place=place)]

and take the suite over in a test file:

    from dbrouter.testing.conformance import *

or, without either, `pytest --pyargs dbrouter.testing.conformance.suite --dbrouter-store my_module:MyStore`, where
the name is a `Candidate`, or a callable that gives a fresh and empty store (one for each test, so this does not show
what several processes do to each other).
"""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any, cast

import pytest

from dbrouter.backends.kernel.store import Store
from dbrouter.testing import ran
from dbrouter.testing.candidates import Candidate, Hooks, OpenStore
from dbrouter.testing.opening import Opener, run

pytest.register_assert_rewrite("dbrouter.testing.conformance")


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare `pytest_dbrouter_stores`."""
    pluginmanager.add_hookspecs(Hooks)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare `--dbrouter-store`."""
    parser.getgroup("dbrouter").addoption(
        "--dbrouter-store",
        action="append",
        default=[],
        metavar="MODULE:NAME",
        help="a Candidate, or a callable that gives a fresh store, to run the conformance suite on",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the `backend` mark and listen for what ran."""
    config.addinivalue_line("markers", "backend(name, mode=''): the backend a test ran on, for the closing table")
    config.pluginmanager.register(ran.Ledger(config), "dbrouter-ran")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that wants a candidate on all of them."""
    if "dbrouter_candidate" not in metafunc.fixturenames:
        return
    candidates = candidates_of(metafunc.config)
    if not candidates:
        raise pytest.UsageError("no store to test: implement pytest_dbrouter_stores or pass --dbrouter-store")
    name = getattr(metafunc.function, "__name__", "")
    # Of the module that a test was written in, not of the one that took it over.
    some = [each for each in candidates if each.runs(metafunc.function.__module__)]
    metafunc.parametrize("dbrouter_candidate", [_parameter(each, name) for each in some], indirect=True)


def candidates_of(config: pytest.Config) -> list[Candidate]:
    """Every store named on the command line or, if none is, by a `conftest.py`."""
    named: list[str] = config.getoption("--dbrouter-store") or []
    if named:
        return [_candidate_named(each) for each in named]
    return [each for some in config.hook.pytest_dbrouter_stores(config=config) for each in some]


def _candidate_named(name: str) -> Candidate:
    module, _, attribute = name.partition(":")
    found: Any = getattr(import_module(module), attribute, None)
    if isinstance(found, Candidate):
        return found
    if not callable(found):
        raise pytest.UsageError(f"--dbrouter-store {name}: there is no Candidate or callable of that name")

    def place(_: pytest.FixtureRequest) -> OpenStore:
        store = cast("Store", found())
        return lambda: store

    return Candidate(backend=attribute, place=place)


def _parameter(candidate: Candidate, test: str) -> Any:
    marks: list[pytest.MarkDecorator] = [pytest.mark.backend(candidate.backend, mode=candidate.mode)]
    gap = candidate.gaps.get(test)
    if gap is not None:
        marks.append(pytest.mark.xfail(strict=True, reason=f"{gap.blame}: {gap.reason}"))
    return pytest.param(candidate, id=candidate.id, marks=marks)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an `async def` test that takes a `store` as that store wants it."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj) or "store" not in pyfuncitem.funcargs:
        return None
    values: dict[str, Any] = pyfuncitem.funcargs
    opener = values.get("open_store")
    stores: list[Store] = opener.opened if isinstance(opener, Opener) else [values["store"]]
    run(pyfuncitem.obj, {name: values[name] for name in inspect.signature(pyfuncitem.obj).parameters}, stores)
    return True


@pytest.fixture
def dbrouter_candidate(request: pytest.FixtureRequest) -> Candidate:
    """The candidate of this run of the test."""
    return request.param


@pytest.fixture
def open_store(dbrouter_candidate: Candidate, request: pytest.FixtureRequest) -> OpenStore:
    """Opens one more store over this test's data, as another process would."""
    return Opener(dbrouter_candidate.place(request))


@pytest.fixture
def store(open_store: OpenStore) -> Store:
    """An empty store."""
    return open_store()
