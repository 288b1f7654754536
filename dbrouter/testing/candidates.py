"""The stores that the conformance suite runs on, and the gaps they are known to have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

import pytest

from dbrouter.backends.kernel.store import Store

OpenStore: TypeAlias = Callable[[], Store]
"""Opens a store. Stores opened by one such function see the same data."""

Blame: TypeAlias = Literal["never", "upstream", "ours"]
"""never: the backend cannot, by its nature. upstream: its client or server is wrong. ours: we owe it."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Why a test is expected to fail. A healed gap fails the run, so that the excuse goes away with the fault."""

    blame: Blame
    reason: str


def never(reason: str) -> Gap:
    """A gap that the backend's nature leaves open."""
    return Gap("never", reason)


def upstream(reason: str) -> Gap:
    """A gap that somebody else's software leaves open."""
    return Gap("upstream", reason)


def ours(reason: str) -> Gap:
    """A gap that the driver still has to close."""
    return Gap("ours", reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A store under test.

    backend, mode: how the closing table and the test ids call it.
    place: makes, for one test, a fresh and empty place, and answers the function that opens stores over it.
    It may ask `request` for fixtures. Every store that is opened is also closed, in the test's own event loop.
    gaps: test name -> why that test fails on this store.
    parts: the modules of tests that run on it, `getting` or `scanning`; `None`: all.
    """

    backend: str
    place: Callable[[pytest.FixtureRequest], OpenStore]
    mode: str = ""
    gaps: Mapping[str, Gap] = field(default_factory=dict[str, Gap])
    parts: AbstractSet[str] | None = None

    @property
    def id(self) -> str:
        """What stands in brackets behind a test's name."""
        return f"{self.backend}-{self.mode}" if self.mode else self.backend

    def runs(self, module: str) -> bool:
        """Whether the tests of this module, by its full name, run on it."""
        return self.parts is None or module.rpartition(".")[2] in self.parts


class Hooks(Protocol):
    """The pytest hooks that this plugin adds."""

    def pytest_dbrouter_stores(self, config: pytest.Config) -> Sequence[Candidate]:
        """Stores to run every test on that takes a `store`. Implement it in a `conftest.py`."""
        ...
