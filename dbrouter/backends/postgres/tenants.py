"""Tenants in one Postgres database: by schema or by row, all over the same connections."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from weakref import WeakValueDictionary

from dbrouter.backends.kernel.isolation import checked_namespace
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.postgres.dialect import PostgresDialect
from dbrouter.backends.postgres.row_lock import RowLock, RowsOfOneTenant
from dbrouter.backends.sql.catalog import Catalog
from dbrouter.backends.sql.connections import Connections
from dbrouter.backends.sql.in_schema import InSchema
from dbrouter.backends.sql.layout import ANY_SCHEMA, Layout
from dbrouter.backends.sql.store import SqlStore

OF_THE_SERVER = frozenset({"information_schema", "public"})
"""Schemas that are nobody's namespace. The server itself refuses those that begin with `pg_`."""


class TenantsInPostgres(SqlStore):
    """A store that gives each tenant a schema, or its rows in shared tables. Neither takes a connection of its own.

    definer: what the tables are made over, if not over the connections. pooled: how many connections the pool opens at
    most; `None` where nobody can tell.
    """

    dialect: PostgresDialect

    def __init__(
        self,
        *,
        dialect: PostgresDialect,
        connections: Connections,
        definer: Connections | None,
        pooled: int | None,
        names: Any,
        **rest: Any,
    ) -> None:
        layout = Layout(names or {}, dialect, dialect.schema)
        catalog = Catalog(layout, connections, definer=definer)
        super().__init__(dialect=dialect, connections=connections, layout=layout, catalog=catalog, **rest)
        self._pooled = pooled
        self._definer = definer if definer is not None else connections
        self._any = Layout(names or {}, dialect.in_schema(ANY_SCHEMA), ANY_SCHEMA)
        self._namespaces: WeakValueDictionary[str, SqlStore] = WeakValueDictionary()
        self._lock = RowLock(connections, dialect, layout.names, apart=definer is not None)

    @property
    def max_connections(self) -> int | None:
        """Connections it opens at most in one process, and if it is async for each event loop; `None`: no limit known.

        However many tenants there are. With `owner_url`, one of them is the owner's, open while tables are made.
        """
        return None if self._pooled is None else self._pooled + (self._definer is not self.connections)

    def in_namespace(self, namespace: str) -> Store:
        """A store over the same tables in the schema of this name, which is made with the first write."""
        schema = checked_namespace(namespace)
        if schema in OF_THE_SERVER or schema.startswith("pg_") or schema == self.dialect.schema:
            raise ValueError(f"the schema {schema!r} is in other use; no tenant can have it")
        found = self._namespaces.get(schema)
        if found is not None:
            return found
        dialect = self.dialect.in_schema(schema)
        connections = InSchema(self.connections, dialect, schema)
        catalog = Catalog(
            self._any, connections, dialect=dialect, definer=InSchema(self._definer, dialect, schema), by_family=True
        )
        store = SqlStore(
            dialect=dialect,
            connections=connections,
            runtime=self.runtime,
            capabilities=replace(self.capabilities, isolations=frozenset()),
            layout=self._any,
            catalog=catalog,
        )
        # Of two threads that come first at the same time, both get the same.
        return self._namespaces.setdefault(schema, store)

    def for_rows_of(self, tenant: str) -> Store:
        """A store over the tables that tenants share, whose statements see and write this tenant's rows only.

        Without `row_level_security` it is this store: nothing but the filters keeps the tenants apart then.
        """
        return RowsOfOneTenant(self, self._lock, tenant) if self.dialect.row_level_security else self
