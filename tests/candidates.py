"""Every store of ours, for the conformance suite and for whoever else wants a test to run on all of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dbrouter.testing import Candidate
from tests.neighbours import with_a_neighbour

if TYPE_CHECKING:
    import pytest

    from dbrouter.testing.candidates import OpenStore


def _memory(_: pytest.FixtureRequest) -> OpenStore:
    from dbrouter.backends.memory.store import MemoryStore

    store = MemoryStore()
    return lambda: store


def _async_memory(_: pytest.FixtureRequest) -> OpenStore:
    from dbrouter.backends.memory.store import AsyncMemoryStore

    store = AsyncMemoryStore()
    return lambda: store


def _emulated(_: pytest.FixtureRequest) -> OpenStore:
    from dbrouter.backends.kernel.emulation import Emulated
    from dbrouter.testing.minimal import MinimalStore

    store = Emulated(MinimalStore())
    return lambda: store


def _async_emulated_with_commits(_: pytest.FixtureRequest) -> OpenStore:
    from dbrouter.backends.kernel.emulation import Emulated
    from dbrouter.testing.minimal import AsyncMinimalStore

    store = Emulated(AsyncMinimalStore(commits=True))
    return lambda: store


def _sqlite(request: pytest.FixtureRequest) -> OpenStore:
    from dbrouter.backends.sqlite.store import SqliteStore

    path = _folder(request) / "rows.db"
    return lambda: SqliteStore(path=path)


def _async_sqlite(request: pytest.FixtureRequest) -> OpenStore:
    from dbrouter.backends.sqlite.store import AsyncSqliteStore

    path = _folder(request) / "rows.db"
    return lambda: AsyncSqliteStore(path=path)


def _postgres(request: pytest.FixtureRequest) -> OpenStore:
    from dbrouter.backends.postgres.store import PostgresStore

    url, schema = request.getfixturevalue("postgres").url, request.getfixturevalue("postgres_schema")
    return lambda: PostgresStore(url=url, schema=schema)


def _async_postgres(request: pytest.FixtureRequest) -> OpenStore:
    from dbrouter.backends.postgres.store import AsyncPostgresStore

    url, schema = request.getfixturevalue("postgres").url, request.getfixturevalue("postgres_schema")
    return lambda: AsyncPostgresStore(url=url, schema=schema)


def _folder(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.getfixturevalue("tmp_path")
    return folder


STORES = (
    Candidate(backend="memory", mode="blocking", place=_memory),
    Candidate(backend="memory", mode="async", place=_async_memory),
    Candidate(backend="emulated", mode="blocking", place=_emulated),
    Candidate(backend="emulated, commits", mode="async", place=_async_emulated_with_commits),
    Candidate(backend="sqlite", mode="blocking", place=_sqlite),
    Candidate(backend="sqlite", mode="async", place=_async_sqlite),
    Candidate(backend="postgres", mode="blocking", place=_postgres),
    Candidate(backend="postgres", mode="async", place=_async_postgres),
)

CANDIDATES = (*STORES, *map(with_a_neighbour, STORES))
"""Each store as it is, and as one of two tenants that share its tables sees it."""
