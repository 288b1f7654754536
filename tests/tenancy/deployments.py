"""Deployments with tenants of all three isolations: real routers of both modes, on real databases."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from contextvars import copy_context
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbrouter import AsyncDbRouter, DbRouter
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.config import load_mapping

TENANTS = ("acme", "globex", "initech")
"""Of rows, of a schema, and of a database."""

Databases = Callable[[str], Mapping[str, Any]]
"""The configuration of a database by its name."""


def memory(_: str) -> Mapping[str, Any]:
    """A database in memory."""
    return {"kind": "memory"}


def sqlite_in(folder: Path) -> Databases:
    """Databases in files."""
    return lambda name: {"kind": "sqlite", "path": str(folder / f"{name}.db")}


def postgres_in(url: str, schema: str) -> Databases:
    """Databases that are schemas of one server. Its role is a superuser, who sees past row-level security."""
    return lambda name: {
        "kind": "postgres",
        "url": url,
        "schema": f"{schema}_{name}",
        "pool_size": 2,
        "row_level_security": False,
    }


class View:
    """A db of either mode, as plain calls."""

    def __init__(self, db: DbRouter | AsyncDbRouter, run: Callable[[Any], Any]) -> None:
        self.db = db
        self._run = run

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.db, name)
        return lambda *args, **kwargs: self._run(method(*args, **kwargs))

    def over(self, db: Any) -> View:
        """Another view of the same router."""
        return View(db, self._run)


@dataclass
class Deployment:
    """A router and what its databases are. `namespace`: the schema of the tenant that has one."""

    database: Databases
    blocking: bool
    namespace: str = "own_globex"
    said: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What is said beside or instead of the usual; `None` takes a key away."""

    def __post_init__(self) -> None:
        self._runner = None if self.blocking else asyncio.Runner()
        self.router: Any = self.another()
        self.db = View(self.router, self.run)
        self._others: list[Any] = []

    def another(self, **said: Any) -> Any:
        """Another process: the same databases, where they outlive a process, and nothing remembered."""
        made = DbRouter if self.blocking else AsyncDbRouter
        return made.from_settings(load_mapping(self.settings(**said)))

    def settings(self, **said: Any) -> dict[str, Any]:
        """The configuration."""
        usual = {
            "id": "support-os",
            "databases": {name: dict(self.database(name)) for name in ("primary", "second", "silo", "other")},
            "agentos": {"db": "primary"},
            "tenants": {
                "acme": {"isolation": "rows"},
                "globex": {"isolation": "schema", "namespace": self.namespace},
                "initech": {"db": "silo"},
            },
        }
        return {key: each for key, each in {**usual, **self.said, **said}.items() if each is not None}

    def of(self, whose: Any) -> View:
        """A tenant's view."""
        return self.db.over(self.router.for_tenant(whose))

    def view(self, router: Any) -> View:
        """Another router's calls; it is closed with this one."""
        self._others.append(router)
        return View(router, self.run)

    def run(self, answer: Any) -> Any:
        """The answer of a call of either mode."""
        return answer if self._runner is None else self._runner.run(_awaited(answer), context=copy_context())

    def ask(self, store: Store, op: Any) -> Any:
        """A store's answer."""
        return finish(store.execute(op)) if self.blocking else self.run(store.execute(op))

    def tables(self, name: str) -> frozenset[str]:
        """The tables in a database itself."""
        return self.tables_of(self.router, name)

    def tables_of(self, router: Any, name: str) -> frozenset[str]:
        """The tables in a database itself, as another router sees it."""
        store = router.database(name)
        return finish(store.existing_tables()) if self.blocking else self.run(store.existing_tables())

    def close(self) -> None:
        """Close every router."""
        for each in (self.router, *self._others):
            self.run(each.close())
        if self._runner is not None:
            self._runner.close()


async def _awaited(answer: Any) -> Any:
    return await answer if hasattr(answer, "__await__") else answer


def in_a_thread_of_its_own(call: Callable[[], Any]) -> Any:
    """What a call answers that is made where no context is known."""
    answers: list[Any] = []

    def run() -> None:
        try:
            answers.append(call())
        except BaseException as error:  # noqa: BLE001  # raised where it was asked for
            answers.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if isinstance(answers[0], BaseException):
        raise answers[0]
    return answers[0]
