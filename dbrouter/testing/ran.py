"""What ran where: tests and time per backend, mode and suite; and every backend that did not run, and why."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NoReturn

import pytest

PROPERTY = "dbrouter-backend"
"""Under this name a test's report carries its backend and mode."""

NOT_RUN = pytest.StashKey[dict[str, tuple[str, bool]]]()
"""Backend -> why it did not run, and whether it may be missing everywhere."""


def could_not_run(config: pytest.Config, backend: str, reason: str, *, optional: bool = False) -> NoReturn:
    """End a test whose backend could have run and did not; the run's end names it.

    Where `CI=true` the test fails, and the run with it; elsewhere it is skipped. optional: it is skipped there too.
    """
    config.stash.setdefault(NOT_RUN, {})[backend] = (reason, optional)
    if _everything_must_run() and not optional:
        pytest.fail(f"{backend} did not run: {reason}", pytrace=False)
    pytest.skip(reason)


@dataclass(slots=True)
class Tally:
    """How some tests went."""

    outcomes: Counter[str] = field(default_factory=Counter[str])
    seconds: float = 0.0

    @property
    def cell(self) -> str:
        """How many ran in how many seconds; those that failed stand before a `!`, those that have to behind a `+`."""
        gaps = self.outcomes["expected to fail"]
        failed = sum(self.outcomes[each] for each in ("failed", "broken", "healed"))
        ran = self.outcomes["passed"] + failed
        return f"{f'{failed}! of ' if failed else ''}{ran}{f'+{gaps}' if gaps else ''} {self.seconds:.0f}s"


class Ledger:
    """Counts tests per backend and prints the counts at the end."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._tallies: dict[tuple[str, str], Tally] = {}
        self._suites: dict[tuple[str, str], Tally] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Let each test's reports carry its backend."""
        for item in items:
            mark = item.get_closest_marker("backend")
            if mark is not None:
                backend, mode = mark.args[0], mark.kwargs.get("mode", "")
                item.user_properties.append((PROPERTY, (backend, mode, _suite_of(item, backend, mode))))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count one phase of one test."""
        for name, value in report.user_properties:
            if name == PROPERTY and isinstance(value, tuple | list):
                backend, mode, suite = map(str, value)
                for tally in (
                    self._tallies.setdefault((backend, mode), Tally()),
                    self._suites.setdefault((backend.partition(", ")[0], suite), Tally()),
                ):
                    tally.seconds += report.duration
                    if report.when == "call" or report.outcome != "passed":
                        tally.outcomes[_outcome(report)] += 1

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a run that lacked a backend, where everything must be there."""
        told: dict[str, Any] | None = getattr(self._config, "workeroutput", None)
        if told is not None:
            told[PROPERTY] = self._missing
        must = _everything_must_run() and not all(optional for _, optional in self._missing.values())
        if must and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker of pytest-xdist could not run."""
        missing: dict[str, tuple[str, bool]] = getattr(node, "workeroutput", {}).get(PROPERTY, {})
        self._config.stash.setdefault(NOT_RUN, {}).update(missing)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the tables."""
        if not self._tallies and not self._missing:
            return
        terminalreporter.section("what ran where")
        wide = max([14, *(len(backend) for backend, _ in self._tallies)])
        for (backend, mode), tally in sorted(self._tallies.items()):
            counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(tally.outcomes.items()))
            terminalreporter.write_line(f"{backend:<{wide}} {mode:<9} {tally.seconds:>8.1f} s   {counts}")
        for line in self._matrix():
            terminalreporter.write_line(line)
        for backend, (reason, optional) in sorted(self._missing.items()):
            failed = _everything_must_run() and not optional
            terminalreporter.write_line(f"{backend:<14} NOT RUN: {reason}", red=failed, yellow=not failed)

    def _matrix(self) -> list[str]:
        """Backend by suite, if there are several: a cell is how many tests ran, and for how long."""
        backends, suites = (sorted({key[place] for key in self._suites}) for place in (0, 1))
        if len(backends) < 2 or len(suites) < 2:
            return []
        rows = [["", *suites]]
        for backend in backends:
            tallies = [self._suites.get((backend, suite)) for suite in suites]
            rows.append([backend, *("" if each is None else each.cell for each in tallies)])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        title = "tests and seconds by backend and suite (async, blocking, in a namespace, shared: conformance)"
        return ["", title, *("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows), ""]

    @property
    def _missing(self) -> dict[str, tuple[str, bool]]:
        return self._config.stash.get(NOT_RUN, {})


def _suite_of(item: pytest.Item, backend: str, mode: str) -> str:
    """The folder of a test; of the conformance suite in which mode, or beside which others, it runs."""
    folder = item.path.parent.name
    plain, _, beside = backend.partition(", ")
    if folder == "conformance":
        return beside or mode or folder
    return "its own" if folder in plain.split() else folder


def _outcome(report: pytest.TestReport) -> str:
    if hasattr(report, "wasxfail"):
        return "expected to fail" if report.outcome == "skipped" else "healed"
    if report.outcome == "failed" and report.when != "call":
        return "broken"
    return str(report.outcome)


def _everything_must_run() -> bool:
    return os.environ.get("CI", "").lower() in {"true", "1"}
