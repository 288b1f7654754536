"""The pytest plugin, as the author of a driver meets it."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from dbrouter.testing import conformance

pytest_plugins = ["pytester"]

CONFTEST = """
import pytest
from dbrouter.backends.memory.store import AsyncMemoryStore, MemoryStore
from dbrouter.testing import Candidate, never, ours

def pytest_dbrouter_stores(config):
    return [
        Candidate(backend="mine", mode="blocking", place=lambda request: MemoryStore, gaps={"test_broken": ours("soon")}),
        Candidate(backend="mine", mode="async", place=lambda request: AsyncMemoryStore, gaps={"test_broken": never("no")}),
    ]
"""


def lines(result: pytest.RunResult, start: str) -> list[list[str]]:
    """The words of the printed lines that begin so."""
    return [line.split() for line in result.outlines if line.startswith(start)]


def test_a_body_runs_on_every_store_and_the_closing_table_says_so(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile("""
        import asyncio, pytest
        from dbrouter.backends.kernel.ops import Get

        async def test_empty(store):
            assert await store.execute(Get(table="sessions", key=("a",))) is None

        async def test_loop(store):
            if store.runtime.blocking:
                with pytest.raises(RuntimeError):
                    asyncio.get_running_loop()
            else:
                assert asyncio.get_running_loop().is_running()

        async def test_broken(store):
            assert False
    """)
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=4, xfailed=2)
    assert [line[:2] + line[4:] for line in lines(result, "mine ")] == [
        ["mine", "async", "1", "expected", "to", "fail,", "2", "passed"],
        ["mine", "blocking", "1", "expected", "to", "fail,", "2", "passed"],
    ]


def test_a_healed_gap_fails_the_run(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile("async def test_broken(store): pass")
    pytester.runpytest_subprocess().assert_outcomes(failed=2)


def test_every_opened_store_is_closed_in_the_tests_own_loop(pytester: pytest.Pytester) -> None:
    pytester.makeconftest("""
        import asyncio
        from dbrouter.backends.memory.store import AsyncMemoryStore
        from dbrouter.testing import Candidate

        class Store(AsyncMemoryStore):
            async def close(self):
                print("\\nclosed in", id(asyncio.get_running_loop()))

        def pytest_dbrouter_stores(config):
            return [Candidate(backend="mine", place=lambda request: Store)]
    """)
    pytester.makepyfile("""
        import asyncio

        async def test_two(store, open_store):
            open_store()
            print("\\nran in", id(asyncio.get_running_loop()))
    """)
    result = pytester.runpytest_subprocess("-s")
    (ran,), closed = lines(result, "ran in"), lines(result, "closed in")
    assert [line[-1] for line in closed] == [ran[-1], ran[-1]]


def test_a_blocking_store_that_suspends_is_a_failure(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile("""
        import asyncio

        async def test_sleeps(store):
            await asyncio.sleep(0)
    """)
    pytester.runpytest_subprocess().assert_outcomes(passed=1, failed=1)


def test_a_store_may_be_named_on_the_command_line(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(mine="from dbrouter.backends.memory.store import MemoryStore as Mine")
    pytester.syspathinsert()
    arguments = (
        "--pyargs",
        "dbrouter.testing.conformance.suite",
        "--dbrouter-store",
        "mine:Mine",
        "-k",
        "getting or whole",
    )
    result = pytester.runpytest_subprocess(*arguments)
    assert result.ret == 0
    assert lines(result, "Mine ")


def test_no_store_at_all_is_an_error_that_says_what_to_do(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("async def test_any(store): pass")
    result = pytester.runpytest_subprocess()
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*implement pytest_dbrouter_stores or pass --dbrouter-store*"])


@pytest.mark.parametrize(("ci", "code", "outcome"), [("true", 1, "failed"), ("", 0, "skipped")])
def test_a_backend_that_could_have_run_and_did_not_is_named_and_fails_ci(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ci: str, code: int, outcome: str
) -> None:
    monkeypatch.setenv("CI", ci)
    pytester.makepyfile("""
        import pytest
        from dbrouter.testing.ran import could_not_run

        @pytest.mark.backend("mydb")
        def test_it(pytestconfig):
            could_not_run(pytestconfig, "mydb", "the server was not found")

        def test_other():
            pass
    """)
    result = pytester.runpytest_subprocess()
    assert result.ret == code
    result.stdout.fnmatch_lines([f"*mydb * 1 {outcome}", "*mydb * NOT RUN: the server was not found"])


def test_a_backend_that_nobody_can_fetch_is_named_and_fails_nothing(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    pytester.makepyfile("""
        from dbrouter.testing.ran import could_not_run

        def test_it(pytestconfig):
            could_not_run(pytestconfig, "mydb", "it is not for sale", optional=True)

        def test_other():
            pass
    """)
    result = pytester.runpytest_subprocess()
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*mydb * NOT RUN: it is not for sale"])


def test_no_test_of_the_suite_hides_another_of_the_same_name() -> None:
    names: dict[str, str] = {}
    folder = Path(inspect.getfile(conformance)).parent
    for path in sorted(folder.glob("*.py")):
        for line in path.read_text().splitlines():
            name = line.removeprefix("async ").removeprefix("def ").partition("(")[0]
            if name.startswith("test_"):
                assert names.setdefault(name, path.name) == path.name, f"{name} is in {names[name]} and {path.name}"
    assert names.keys() <= vars(conformance).keys()


def test_several_backends_and_suites_are_a_table(pytester: pytest.Pytester) -> None:
    pytester.mkdir("agno").joinpath("test_a.py").write_text(
        "import pytest\n"
        "@pytest.mark.backend('one')\n"
        "def test_a(): pass\n"
        "@pytest.mark.backend('two')\n"
        "def test_b(): assert 0\n"
    )
    pytester.mkdir("conformance").joinpath("test_c.py").write_text(
        "import pytest\n"
        "@pytest.mark.backend('one', mode='async')\n"
        "@pytest.mark.parametrize('n', range(2))\n"
        "def test_a(n): pass\n"
        "@pytest.mark.backend('one, shared', mode='async')\n"
        "@pytest.mark.xfail(strict=True, reason='never: it cannot')\n"
        "def test_b(): assert 0\n"
    )
    result = pytester.runpytest_subprocess("--import-mode=importlib")
    result.stdout.fnmatch_lines(
        [
            "tests and seconds by backend and suite*",
            "*agno *async *shared",
            "one *1 0s *2 0s *0+1 0s",
            "two *1! of 1 0s",
        ]
    )
