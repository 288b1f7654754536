"""Stores that have namespaces, each in a fresh and empty place."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, cast

import pytest

from dbrouter.backends.kernel.isolation import HasNamespaces
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.testing import Candidate
from dbrouter.testing.candidates import OpenStore

_numbers = itertools.count(1)

KINDS = ("memory", "sqlite", "sqlite in memory", "postgres")
MODES = ("blocking", "async")


def opener(kind: str, mode: str, request: pytest.FixtureRequest) -> OpenStore:
    """Opens stores over one place; those of one place that is in memory are one store."""
    blocking = mode == "blocking"
    match kind:
        case "memory":
            from dbrouter.backends.memory.store import AsyncMemoryStore, MemoryStore

            only = MemoryStore() if blocking else AsyncMemoryStore()
            return lambda: only
        case "sqlite in memory":
            from dbrouter.backends.sqlite.store import AsyncSqliteStore, SqliteStore

            private = SqliteStore() if blocking else AsyncSqliteStore()
            return lambda: private
        case "sqlite":
            from dbrouter.backends.sqlite.store import AsyncSqliteStore, SqliteStore

            path: Path = request.getfixturevalue("tmp_path") / "rows.db"
            return lambda: SqliteStore(path) if blocking else AsyncSqliteStore(path)
        case _:
            from dbrouter.backends.postgres.store import AsyncPostgresStore, PostgresStore

            url, schema = request.getfixturevalue("postgres").url, request.getfixturevalue("postgres_schema")
            return lambda: PostgresStore(url, schema=schema) if blocking else AsyncPostgresStore(url, schema=schema)


def namespaces_dropped_after(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Makes a name that no other test uses out of a short one; the Postgres schema of that name is dropped afterwards."""
    number = next(_numbers)

    def named(short: str) -> str:
        name = f"n{number}_{short}"
        if "postgres" in request.fixturenames or "postgres_schema" in request.fixturenames:
            admin = request.getfixturevalue("_postgres_admin")
            request.addfinalizer(lambda: admin.execute(f'drop schema if exists "{name}" cascade'))
        return name

    return named


def closed(store: Store) -> None:
    """Close a store in whatever way it wants."""
    closing = cast("Coroutine[Any, Any, None]", store.close())
    if store.runtime.blocking:
        finish(closing)
    else:
        asyncio.run(closing)


def in_a_namespace(kind: str, mode: str) -> Candidate:
    """A namespace beside which the parent and a neighbour could be, for suites that run on every store."""

    def place(request: pytest.FixtureRequest) -> OpenStore:
        open_one = opener(kind, mode, request)
        name = namespaces_dropped_after(request)("whole")

        def opened() -> Store:
            parent = open_one()
            # The namespace's own close leaves the connections to their owner.
            request.addfinalizer(lambda: closed(parent))
            return cast("HasNamespaces", parent).in_namespace(name)

        return opened

    return Candidate(backend=kind, mode=f"{mode}, in a namespace", place=place)


NAMESPACES = tuple(
    in_a_namespace(*each) for each in (("memory", "blocking"), ("sqlite", "async"), ("postgres", "blocking"))
)
"""Both modes are in it, and every way of having namespaces; all of them in both modes would tell no more."""
