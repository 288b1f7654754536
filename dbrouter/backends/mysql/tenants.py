"""Tenants on one MySQL server: each a database of its own, over the same connections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from weakref import WeakValueDictionary

from dbrouter.backends.kernel.identifiers import fitting
from dbrouter.backends.kernel.isolation import checked_namespace
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.mysql.dialect import MySqlDialect
from dbrouter.backends.sql.catalog import Catalog
from dbrouter.backends.sql.connections import Connections
from dbrouter.backends.sql.in_schema import InSchema
from dbrouter.backends.sql.layout import ANY_SCHEMA, Layout
from dbrouter.backends.sql.store import SqlStore

BETWEEN = "$"
"""Stands between our database's name and a namespace's. No namespace has one, so no two pairs give one name."""


def database_of(schema: str, namespace: str) -> str:
    """The database of a tenant beside ours. All of a server share one space of names, so ours leads."""
    return fitting(f"{schema}{BETWEEN}{checked_namespace(namespace)}")


class TenantsInMySql(SqlStore):
    """A store that gives each tenant a database, or its rows in shared tables. Neither takes a connection of its own.

    pooled: how many connections the pool opens at most; `None` where nobody can tell.
    """

    dialect: MySqlDialect

    def __init__(
        self,
        *,
        dialect: MySqlDialect,
        connections: Connections,
        layout: Layout,
        names: Mapping[str, str] | None,
        pooled: int | None,
        **rest: Any,
    ) -> None:
        super().__init__(dialect=dialect, connections=connections, layout=layout, **rest)
        self._pooled = pooled
        self._any = Layout(names or {}, dialect.in_schema(ANY_SCHEMA), ANY_SCHEMA, more=layout.tables)
        self._namespaces: WeakValueDictionary[str, SqlStore] = WeakValueDictionary()

    @property
    def max_connections(self) -> int | None:
        """Connections it opens at most in one process, and if it is async for each event loop; `None`: no limit known.

        However many tenants there are.
        """
        return self._pooled

    def in_namespace(self, namespace: str) -> Store:
        """A store over the same tables in a database of the tenant's own, which is made with the first write."""
        schema = database_of(self.dialect.schema, namespace)
        found = self._namespaces.get(schema)
        if found is not None:
            return found
        dialect = self.dialect.in_schema(schema)
        connections = InSchema(self.connections, dialect, schema)
        store = SqlStore(
            dialect=dialect,
            connections=connections,
            runtime=self.runtime,
            capabilities=replace(self.capabilities, isolations=frozenset()),
            layout=self._any,
            catalog=Catalog(self._any, connections, dialect=dialect, by_family=True),
        )
        # Of two threads that come first at the same time, both get the same.
        return self._namespaces.setdefault(schema, store)
