"""This process's memory as an agno db."""

from __future__ import annotations

from typing import Unpack
from uuid import uuid4

from dbrouter.backends.memory.settings import MemorySettings
from dbrouter.backends.memory.store import AsyncMemoryStore, MemoryStore
from dbrouter.router.async_db import AsyncDb
from dbrouter.router.opening import Opened
from dbrouter.router.standalone.tables import TableNames, physical_names
from dbrouter.router.sync_db import SyncDb


class InMemoryDb(SyncDb):
    """A database that lives as long as this object. Unlike agno's of that name it serves every family."""

    def __init__(self, *, id: str | None = None, **tables: Unpack[TableNames]) -> None:  # noqa: A002 - agno's name
        """Make an empty database. Without an `id` it gets a random one, as it can be found by nobody else."""
        settings = MemorySettings(tables=physical_names(tables))
        super().__init__(MemoryStore(settings), id=id or str(uuid4()))


class AsyncInMemoryDb(AsyncDb):
    """The same for async code. agno has none."""

    def __init__(self, *, id: str | None = None, **tables: Unpack[TableNames]) -> None:  # noqa: A002 - agno's name
        """Make an empty database. Without an `id` it gets a random one, as it can be found by nobody else."""
        settings = MemorySettings(tables=physical_names(tables))
        store, beside = AsyncMemoryStore(settings), MemoryStore(settings)
        beside.share(store)
        super().__init__(store, id=id or str(uuid4()), blocking=lambda: Opened.alone(beside))
