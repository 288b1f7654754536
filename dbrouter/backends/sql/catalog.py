"""Which tables exist, and their creation on first use, safe when many processes start at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.errors import OutdatedSchema
from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.backends.kernel.tenant_tables import ALL_TABLES
from dbrouter.backends.sql.connections import Connections, Unit
from dbrouter.backends.sql.dialect import Dialect
from dbrouter.backends.sql.layout import Layout
from dbrouter.backends.sql.schema import SCHEMA_VERSION, lineage
from dbrouter.backends.sql.statements import Statement


class Catalog:
    """What one database holds, asked once and remembered until a statement proves it wrong.

    An existing table that lacks a column is refused by name rather than written half.
    dialect: that of these tables, where the layout's is that of any namespace. definer: what DDL goes over, if not over
    the connections. by_family: whether a table brings along the others that its family writes to.
    """

    def __init__(
        self,
        layout: Layout,
        connections: Connections,
        *,
        dialect: Dialect | None = None,
        definer: Connections | None = None,
        by_family: bool = False,
    ) -> None:
        self._layout = layout
        self._dialect = dialect if dialect is not None else layout.dialect
        self._connections = connections
        self._definer = definer if definer is not None else connections
        self._by_family = by_family
        self._names = layout.names
        self._known: frozenset[str] = frozenset()
        self._has_looked = False
        self._outdated: dict[str, list[str]] = {}

    def knows(self, tables: Iterable[str]) -> bool:
        """Whether all of these tables are known to exist."""
        return self._known.issuperset(tables)

    def forget(self) -> None:
        """Ask again at the next op."""
        self._known = frozenset()
        self._has_looked = False

    def last_missing(self, tables: Iterable[str]) -> frozenset[str]:
        """Those of the tables that did not exist when last looked for; nothing if any other is not known to exist."""
        unknown = frozenset(tables) - self._known
        return unknown if self._has_looked and unknown.isdisjoint(self._outdated) else frozenset()

    async def missing(self, tables: Iterable[str]) -> frozenset[str]:
        """Those of the tables that do not exist."""
        if self.knows(tables):
            return frozenset()
        await self.refresh()
        for table in tables:
            if table in self._outdated:
                raise OutdatedSchema(
                    f"table {self._names[table]} lacks {', '.join(self._outdated[table])}: an older agno made it;"
                    " bring it to today's schema with agno's MigrationManager, then start again"
                )
        return frozenset(tables) - self._known

    async def refresh(self) -> frozenset[str]:
        """Physical names of everything that exists, read in one statement."""
        sql, params = self._dialect.catalog()
        outcome = (await self._connections.run(Unit([Statement(sql, params)])))[0]
        columns: dict[str, set[str]] = {}
        for table, column in outcome.rows:
            columns.setdefault(table, set()).add(column)
        known: set[str] = set()
        outdated: dict[str, list[str]] = {}
        for name, spec in ALL_TABLES.items() if columns else ():
            held = columns.get(self._names[name])
            if held is None:
                continue
            lacking = self._layout.lacking(spec, held)
            if lacking:
                outdated[name] = lacking
            else:
                known.add(name)
        self._known, self._outdated, self._has_looked = self._layout.shared(known), outdated, True
        return frozenset(columns)

    async def create(self, tables: Iterable[str]) -> None:
        """Create tables with their parents and indexes and stamp their version, in one transaction."""
        asked = _with_families(tables) if self._by_family else tables
        wanted = list(dict.fromkeys(each for table in ("versions", *asked) for each in lineage(table, self._dialect)))
        missing = await self.missing(wanted)
        if not missing:
            return
        statements = [Statement(sql, params, True, False) for sql, params in self._dialect.before_ddl()]
        for table in wanted:
            if table in missing:
                statements.extend(Statement(text, (), True, False) for text in self._layout.definition(table))
        statements.extend(self._stamp(table) for table in wanted if table in missing and table != "versions")
        granted = self._dialect.after_ddl([self._names[table] for table in wanted if table in missing])
        statements.extend(Statement(text, (), True, False) for text in granted)
        await self._definer.run(Unit(statements, atomic=True))
        self._known = self._layout.shared(self._known | missing)

    def _stamp(self, table: str) -> Statement:
        versions = self._dialect.qualified(self._names["versions"])
        names = ", ".join(self._dialect.quoted(each) for each in ("table_name", "version", "created_at", "updated_at"))
        hole = self._dialect.placeholder
        now = datetime.now().isoformat()  # noqa: DTZ005  # agno stamps naive local time here
        return Statement(
            f"INSERT INTO {versions} ({names}) VALUES ({hole}, {hole}, {hole}, {hole}) ON CONFLICT DO NOTHING",
            (self._names[table], SCHEMA_VERSION, now, now),
            True,
            False,
        )


def _with_families(tables: Iterable[str]) -> list[str]:
    """These tables, each with those of its family that agno makes at the same time."""
    asked = [ALL_TABLES[table] for table in tables]
    return [
        name
        for name, spec in ALL_TABLES.items()
        if any(
            spec is each or (spec.family == each.family and spec.provisioned == each.provisioned and _alike(spec, each))
            for each in asked
        )
    ]


def _alike(one: TableSpec, other: TableSpec) -> bool:
    """Whether both tables are agno's own, or both are shared by tenants."""
    return (one.name in TABLES) is (other.name in TABLES)
