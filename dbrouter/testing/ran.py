"""What ran where: tests and time per backend and mode, and every backend that did not run, by name and reason."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import NoReturn

import pytest

PROPERTY = "dbrouter-backend"
"""Under this name a test's report carries its backend and mode."""

NOT_RUN = pytest.StashKey[dict[str, str]]()


def could_not_run(config: pytest.Config, backend: str, reason: str) -> NoReturn:
    """End a test whose backend could have run and did not; the run's end names it.

    Where `CI=true` the test fails, and the run with it; elsewhere it is skipped.
    """
    config.stash.setdefault(NOT_RUN, {})[backend] = reason
    if _everything_must_run():
        pytest.fail(f"{backend} did not run: {reason}", pytrace=False)
    pytest.skip(reason)


@dataclass(slots=True)
class Tally:
    """How the tests of one backend in one mode went."""

    outcomes: Counter[str] = field(default_factory=Counter[str])
    seconds: float = 0.0


class Ledger:
    """Counts tests per backend and prints the counts at the end."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._tallies: dict[tuple[str, str], Tally] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Let each test's reports carry its backend."""
        for item in items:
            mark = item.get_closest_marker("backend")
            if mark is not None:
                item.user_properties.append((PROPERTY, (mark.args[0], mark.kwargs.get("mode", ""))))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count one phase of one test."""
        for name, value in report.user_properties:
            if name == PROPERTY and isinstance(value, tuple | list):
                backend, mode = value
                tally = self._tallies.setdefault((str(backend), str(mode)), Tally())
                tally.seconds += report.duration
                if report.when == "call" or report.outcome != "passed":
                    tally.outcomes[_outcome(report)] += 1

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a run that lacked a backend, where everything must be there."""
        if self._missing and _everything_must_run() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the table."""
        if not self._tallies and not self._missing:
            return
        terminalreporter.section("what ran where")
        for (backend, mode), tally in sorted(self._tallies.items()):
            counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(tally.outcomes.items()))
            terminalreporter.write_line(f"{backend:<14} {mode:<9} {tally.seconds:>8.1f} s   {counts}")
        for backend, reason in sorted(self._missing.items()):
            failed = _everything_must_run()
            terminalreporter.write_line(f"{backend:<14} NOT RUN: {reason}", red=failed, yellow=not failed)

    @property
    def _missing(self) -> dict[str, str]:
        return self._config.stash.get(NOT_RUN, {})


def _outcome(report: pytest.TestReport) -> str:
    if hasattr(report, "wasxfail"):
        return "expected to fail" if report.outcome == "skipped" else "healed"
    if report.outcome == "failed" and report.when != "call":
        return "broken"
    return str(report.outcome)


def _everything_must_run() -> bool:
    return os.environ.get("CI", "").lower() in {"true", "1"}
