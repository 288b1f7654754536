"""One database, opened by agno's class and by ours."""

from __future__ import annotations

import asyncio
import inspect
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import agno.db.postgres
import agno.db.sqlite
import pytest

from dbrouter.backends import AsyncPostgresDb, AsyncSqliteDb, PostgresDb, SqliteDb


class RealClock:
    """The machine's clock, for what is also used with a clock that stands still."""

    def __call__(self) -> int:
        return int(time.time())

    def tick(self, seconds: int = 1) -> None:
        """Nothing: this one goes by itself."""


class Opened:
    """A db of either mode and either make, called as a blocking one."""

    def __init__(self, db: Any, runner: asyncio.Runner) -> None:
        self.db = db
        self.clock = RealClock()
        self._runner = runner

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.db, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            with warnings.catch_warnings():
                # SQLAlchemy deprecates some of what agno does; that is not ours to fail on.
                warnings.simplefilter("ignore")
                answer = method(*args, **kwargs)
                return self._runner.run(_awaited(answer)) if inspect.isawaitable(answer) else answer

        return call


async def _awaited(answer: Any) -> Any:
    return await answer


class Place:
    """An empty database, and how to open it. `kind` is agno's word for it."""

    def __init__(self, kind: str, mode: str, agno_class: Any, our_class: Any, arguments: dict[str, Any]) -> None:
        self.kind = kind
        self.mode = mode
        self._agno_class = agno_class
        self._our_class = our_class
        self._arguments = arguments
        self._runner = asyncio.Runner()
        self._opened: list[Opened] = []

    def agno(self) -> Opened:
        """agno's class on it, freshly opened."""
        return self._open(self._agno_class)

    def ours(self) -> Opened:
        """Our class on it, freshly opened."""
        return self._open(self._our_class)

    def _open(self, make: Any) -> Opened:
        self._opened.append(Opened(make(**self._arguments), self._runner))
        return self._opened[-1]

    def close(self) -> None:
        """Close everything that was opened."""
        for each in self._opened:
            each.close()
        self._runner.close()


MODES = [
    pytest.param((kind, mode), id=f"{kind}-{mode}", marks=pytest.mark.backend(kind, mode="interchange"))
    for kind in ("sqlite", "postgres")
    for mode in ("blocking", "async")
]


@pytest.fixture(params=MODES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A database of each kind; ours in each mode, beside agno's blocking class."""
    kind, mode = request.param
    arguments: dict[str, Any]
    if kind == "sqlite":
        ours: Any = SqliteDb if mode == "blocking" else AsyncSqliteDb
        theirs: Any = agno.db.sqlite.SqliteDb
        arguments = {"db_file": str(tmp_path / "shared.db")}
    else:
        ours = PostgresDb if mode == "blocking" else AsyncPostgresDb
        theirs = agno.db.postgres.PostgresDb
        url: str = request.getfixturevalue("postgres").url
        arguments = {
            "db_url": url.replace("postgresql:", "postgresql+psycopg:"),
            "db_schema": request.getfixturevalue("postgres_schema"),
        }
    made = Place(kind, mode, theirs, ours, arguments)
    yield made
    made.close()
