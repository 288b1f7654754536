"""What a store's tables look like in SQL, made once: every namespace that has the same tables shares it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping

from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.backends.kernel.tenant_tables import ALL_TABLES, physical_names
from dbrouter.backends.sql.dialect import Dialect
from dbrouter.backends.sql.relation import Relation
from dbrouter.backends.sql.schema import ddl

ANY_SCHEMA = f"Dbr_{secrets.token_hex(16)}"
"""Stands for a namespace's schema in text that all namespaces share; `InSchema` puts the name in when it is sent.

Nobody outside this process knows it, so no value or name can hold it. The capital has every compiler quote it.
"""


class Layout:
    """The tables of one database product under their physical names: relations and DDL, each made when first asked for.

    names: spec name -> physical name where it is not the default. schema: of the DDL, where the product has schemas.
    """

    def __init__(self, names: Mapping[str, str], dialect: Dialect, schema: str | None) -> None:
        self.dialect = dialect
        self.schema = schema
        self.names = physical_names(names)
        self.relations = _Relations(self.names, dialect)
        self._definitions: dict[str, tuple[str, ...]] = {}
        self._sets: dict[frozenset[str], frozenset[str]] = {}

    def definition(self, table: str) -> tuple[str, ...]:
        """The statements that make one table with its indexes, each harmless if it exists."""
        if table not in self._definitions:
            # Compiling costs more than sending: a thousand namespaces send the same text.
            self._definitions[table] = (
                *ddl(table, self.names, self.dialect, self.schema),
                *self.dialect.secured(ALL_TABLES[table], self.names[table]),
            )
        return self._definitions[table]

    def shared(self, tables: Iterable[str]) -> frozenset[str]:
        """The set of these tables; whoever asks for the same one gets the same object."""
        known = frozenset(tables)
        return self._sets.setdefault(known, known)

    def lacking(self, spec: TableSpec, columns: set[str]) -> list[str]:
        """The columns of a table that are not among these."""
        return [each for each in self.relations[spec.name].kinds if each not in columns]


class _Relations(dict[str, Relation]):
    """Relations by spec name, made when first asked for."""

    def __init__(self, names: Mapping[str, str], dialect: Dialect) -> None:
        super().__init__()
        self._names = names
        self._dialect = dialect

    def __missing__(self, table: str) -> Relation:
        self[table] = Relation(ALL_TABLES[table], self._names[table], self._dialect)
        return self[table]
