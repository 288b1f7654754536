"""What a store's tables look like in SQL, made once: every namespace that has the same tables shares it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.backends.kernel.tenant_tables import ALL_TABLES, physical_names
from dbrouter.backends.sql.dialect import Dialect
from dbrouter.backends.sql.relation import TEXTUAL, Relation
from dbrouter.backends.sql.schema import ddl

ANY_SCHEMA = f"Dbr_{secrets.token_hex(16)}"
"""Stands for a namespace's schema in text that all namespaces share; `InSchema` puts the name in when it is sent.

Nobody outside this process knows it, so no value or name can hold it. The capital has every compiler quote it.
"""


class Layout:
    """The tables of one database product under their physical names: relations and DDL, each made when first asked for.

    names: spec name -> physical name where it is not the default. schema: of the DDL, where the product has schemas.
    more: tables beside those that every store has, such as the kernel's own.
    """

    def __init__(
        self,
        names: Mapping[str, str],
        dialect: Dialect,
        schema: str | None,
        *,
        more: Mapping[str, TableSpec] = MappingProxyType({}),
    ) -> None:
        self.dialect = dialect
        self.schema = schema
        self.tables = {**ALL_TABLES, **more}
        self.names = {name: spec.default_name for name, spec in more.items()} | physical_names(names)
        self.relations = _Relations(self.tables, self.names, dialect)
        self._definitions: dict[str, tuple[str, ...]] = {}
        self._sets: dict[frozenset[str], frozenset[str]] = {}

    def definition(self, table: str) -> tuple[str, ...]:
        """The statements that make one table with its indexes, each harmless if it exists."""
        if table not in self._definitions:
            # Compiling costs more than sending: a thousand namespaces send the same text.
            self._definitions[table] = (
                *ddl(self.tables[table], self.names, self.dialect, self.schema),
                *self.dialect.secured(self.tables[table], self.names[table]),
            )
        return self._definitions[table]

    def note(self, spec: TableSpec, collations: Mapping[str, str]) -> None:
        """Remember how a table's text columns compare. One made by somebody else may take two texts for one."""
        relation = self.relations[spec.name]
        texts = [each for column, each in collations.items() if relation.kinds.get(column) in TEXTUAL]
        if not all(map(self.dialect.is_exact, texts)):
            relation.loose = True

    def shared(self, tables: Iterable[str]) -> frozenset[str]:
        """The set of these tables; whoever asks for the same one gets the same object."""
        known = frozenset(tables)
        return self._sets.setdefault(known, known)

    def lacking(self, spec: TableSpec, columns: set[str]) -> list[str]:
        """The columns of a table that are not among these."""
        return [each for each in self.relations[spec.name].kinds if each not in columns]


class _Relations(dict[str, Relation]):
    """Relations by spec name, made when first asked for."""

    def __init__(self, tables: Mapping[str, TableSpec], names: Mapping[str, str], dialect: Dialect) -> None:
        super().__init__()
        self._tables = tables
        self._names = names
        self._dialect = dialect

    def __missing__(self, table: str) -> Relation:
        self[table] = Relation(self._tables[table], self._names[table], self._dialect)
        return self[table]
