"""Stores that have namespaces, each in a fresh and empty place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from dbrouter.backends.kernel.isolation import Isolation
from dbrouter.backends.kernel.store import Store
from dbrouter.config.capable import ISOLATIONS
from dbrouter.testing.candidates import OpenStore
from tests.backends.backend import Backend
from tests.backends.known import BACKENDS, is_flavour
from tests.backends.places import Place

MODES = ("blocking", "async")


@dataclass(frozen=True, slots=True)
class Where:
    """A backend that has namespaces, in a mode. backend: `None` is SQLite in memory, which no configuration names."""

    backend: Backend | None
    mode: str

    @property
    def name(self) -> str:
        """What it is called in tests and tables."""
        return "sqlite in memory" if self.backend is None else self.backend.name

    def open_in(self, fresh_place: Callable[[Backend], Place]) -> tuple[OpenStore, Callable[[str], str]]:
        """What opens stores over an empty place, and what makes the name of a namespace in it of a short one."""
        if self.backend is not None:
            place = fresh_place(self.backend)
            return place.opener(self.mode), place.namespace
        from dbrouter.backends.sqlite.store import AsyncSqliteStore, SqliteStore

        only: Store = SqliteStore() if self.mode == "blocking" else AsyncSqliteStore()
        return lambda: only, lambda short: short


def _parameter(where: Where) -> Any:
    marks = pytest.mark.backend(where.name, mode=where.mode)
    return pytest.param(where, id=f"{where.name}-{where.mode}", marks=marks)


HAVE_NAMESPACES = (
    *(each for each in BACKENDS if Isolation.SCHEMA in ISOLATIONS.get(each.kind, ()) and not is_flavour(each)),
    None,
)
PARAMETERS = [
    _parameter(Where(backend, mode))
    for backend in HAVE_NAMESPACES
    for mode in (MODES if backend is None else backend.modes)
]
"""For a fixture of that gives a `Where`."""
