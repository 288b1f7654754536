"""How each table is kept in one database, worked out when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from dbrouter.backends.kernel.emulation.internal_tables import SERVED_TABLES
from dbrouter.backends.kernel.tables import TableSpec, declared
from dbrouter.backends.kernel.tenant_tables import physical_names

L = TypeVar("L")


class Layouts(Generic[L]):
    """The layouts of a database's tables.

    make: the layout of a table that has this physical name. names: spec name -> physical name, where it has not agno's.
    """

    def __init__(self, make: Callable[[TableSpec, str], L], names: Mapping[str, str] | None = None) -> None:
        self._make = make
        self._names = physical_names(names or {})
        self._made: dict[str, L] = {}

    def __getitem__(self, table: str) -> L:
        """The layout of the table. Raises `StoreError` for one that nobody declared."""
        layout = self._made.get(table)
        if layout is None:
            # Two threads that come first at the same time get the same.
            layout = self._made.setdefault(table, self._make(declared(table, SERVED_TABLES), self.name(table)))
        return layout

    def name(self, table: str) -> str:
        """What the table is called in the database. Raises `StoreError` for one that nobody declared."""
        return self._names.get(table) or declared(table, SERVED_TABLES).default_name
