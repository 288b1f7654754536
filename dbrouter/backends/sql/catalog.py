"""Which tables exist, and their creation on first use, safe when many processes start at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from dbrouter.backends.kernel.errors import OutdatedSchema
from dbrouter.backends.kernel.tenant_tables import ALL_TABLES
from dbrouter.backends.sql.connections import Connections, Unit
from dbrouter.backends.sql.dialect import Dialect
from dbrouter.backends.sql.schema import SCHEMA_VERSION, ddl, lineage
from dbrouter.backends.sql.statements import Statement


class Catalog:
    """What one database holds, asked once and remembered until a statement proves it wrong.

    An existing table that lacks a column is refused by name rather than written half.
    """

    def __init__(
        self, dialect: Dialect, connections: Connections, names: Mapping[str, str], schema: str | None
    ) -> None:
        self._dialect = dialect
        self._connections = connections
        self._names = names
        self._schema = schema
        self._known: frozenset[str] = frozenset()
        self._missing: frozenset[str] = frozenset()
        self._outdated: dict[str, list[str]] = {}

    def knows(self, tables: Iterable[str]) -> bool:
        """Whether all of these tables are known to exist."""
        return self._known.issuperset(tables)

    def forget(self) -> None:
        """Ask again at the next op."""
        self._known = self._missing = frozenset()

    def last_missing(self, tables: Iterable[str]) -> frozenset[str]:
        """Those of the tables that did not exist when last looked for; nothing if any other is not known to exist."""
        unknown = frozenset(tables) - self._known
        return unknown if unknown <= self._missing else frozenset()

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
        for name, spec in ALL_TABLES.items():
            held = columns.get(self._names[name])
            if held is None:
                continue
            lacking = [each.name for each in spec.without(self._dialect.name).columns if each.name not in held]
            if lacking:
                outdated[name] = lacking
            else:
                known.add(name)
        self._known, self._outdated = frozenset(known), outdated
        self._missing = frozenset(ALL_TABLES) - known - outdated.keys()
        return frozenset(columns)

    async def create(self, tables: Iterable[str]) -> None:
        """Create tables with their parents and indexes and stamp their version, in one transaction."""
        wanted = list(dict.fromkeys(each for table in ("versions", *tables) for each in lineage(table, self._dialect)))
        missing = await self.missing(wanted)
        if not missing:
            return
        statements = [Statement(sql, params, True, False) for sql, params in self._dialect.before_ddl()]
        for table in wanted:
            if table in missing:
                texts = ddl(table, self._names, self._dialect, self._schema)
                statements.extend(Statement(text, (), True, False) for text in texts)
        statements.extend(self._stamp(table) for table in wanted if table in missing and table != "versions")
        await self._connections.run(Unit(statements, atomic=True))
        self._known |= missing
        self._missing -= missing

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
