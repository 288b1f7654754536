"""Tenants beside a SQLite database: a file for each in a folder, or in memory a database for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from weakref import WeakValueDictionary

from dbrouter.backends.kernel.isolation import checked_namespace
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.sql.catalog import Catalog
from dbrouter.backends.sql.connections import Connections, Unit
from dbrouter.backends.sql.statements import Outcome
from dbrouter.backends.sql.store import SqlStore
from dbrouter.backends.sqlite.tenant_files import FileOf, TenantFiles

SUFFIX = ".tenants"
"""What the folder of the tenants' files is called, after the name of the file that it stands beside."""


class TenantsInSqlite(SqlStore):
    """A store that gives each tenant a file `<file>.tenants/<namespace>.db`, opened when it is used.

    file: of this store, `None` if it is in memory. opening: connections to a tenant's file. in_memory: connections to a
    new database in memory. They are all closed with this store.
    """

    def __init__(
        self,
        *,
        file: Path | None,
        opening: Callable[[Path], Connections],
        in_memory: Callable[[], Connections],
        **rest: Any,
    ) -> None:
        super().__init__(**rest)
        self._folder = None if file is None else file.with_name(file.name + SUFFIX)
        self._in_memory = in_memory
        # Kept as long as this store: nothing else holds their rows.
        self._private: dict[str, Connections] = {}
        self._namespaces: WeakValueDictionary[str, SqlStore] = WeakValueDictionary()
        self.tenant_files = TenantFiles(
            lambda namespace: opening(self.file_of(namespace)), asynchronous=not self.runtime.blocking
        )

    def file_of(self, namespace: str) -> Path:
        """The file of this tenant. Raises `ValueError` for what is no namespace, and for a store in memory."""
        if self._folder is None:
            raise ValueError("a database in memory has no files")
        return self._folder / f"{checked_namespace(namespace)}.db"

    def in_namespace(self, namespace: str) -> Store:
        """A store over the same tables in a database of its own, which is made when it is first used."""
        found = self._namespaces.get(checked_namespace(namespace))
        if found is not None:
            return found
        if self._folder is None:
            connections = LeftOpen(self._private.setdefault(namespace, self._in_memory()))
        else:
            connections = FileOf(self.tenant_files, namespace)
        store = SqlStore(
            dialect=self.dialect,
            connections=connections,
            runtime=self.runtime,
            capabilities=replace(self.capabilities, isolations=frozenset()),
            layout=self.layout,
            catalog=Catalog(self.layout, connections, by_family=True),
        )
        return self._namespaces.setdefault(namespace, store)

    async def close(self) -> None:
        """Close idle connections, those of all tenants too."""
        await self.tenant_files.close()
        for each in list(self._private.values()):
            await each.close()
        await super().close()


class LeftOpen:
    """Connections that are another's to close."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def run(self, unit: Unit) -> list[Outcome]:
        """Each statement's outcome, in order."""
        return await self._connections.run(unit)

    async def close(self) -> None:
        """Leave them open: with its last connection a database in memory is gone."""


def file_at(url: Any) -> Path:
    """The file that a SQLAlchemy URL names."""
    database = str(url.database)
    return Path(unquote(urlsplit(database).path)) if database.startswith("file:") else Path(database)
