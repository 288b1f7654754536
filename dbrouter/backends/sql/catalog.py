"""Which tables exist, and their creation on first use, safe when many processes start at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.errors import OutdatedSchema
from dbrouter.backends.kernel.migrating import TODAY
from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.backends.sql.connections import Connections, Unit
from dbrouter.backends.sql.dialect import Dialect
from dbrouter.backends.sql.layout import Layout
from dbrouter.backends.sql.migrating.unmoved import sessions_lack
from dbrouter.backends.sql.schema import lineage
from dbrouter.backends.sql.statements import Statement


class Catalog:
    """What one database holds, asked once and remembered until a statement proves it wrong.

    An existing table that lacks a column is refused by name rather than written half, and so are sessions whose runs
    are still inside them.
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
        self.definer = definer if definer is not None else connections
        self._by_family = by_family
        self._names = layout.names
        self._known: frozenset[str] = frozenset()
        self._has_looked = False
        self._outdated: dict[str, str] = {}

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
                    f"table {self._names[table]} {self._outdated[table]}: an older agno made it;"
                    " bring it to today's schema with `dbrouter migrate --apply`"
                )
        return frozenset(tables) - self._known

    def namer(self) -> Callable[[str], str]:
        """What tells the name by which we know a table that the database lists, perhaps in other letters."""
        folded = self._dialect.folded
        ours = {folded(each): each for each in self._names.values()}
        return lambda listed: ours.get(folded(listed), listed)

    async def refresh(self) -> frozenset[str]:
        """Physical names of everything that exists, read in one statement."""
        sql, params = self._dialect.catalog()
        outcome = (await self._connections.run(Unit([Statement(sql, params)])))[0]
        known_as = self.namer()
        columns: dict[str, set[str]] = {}
        collations: dict[tuple[str, str], str] = {}
        for listed, column, *collation in outcome.rows:
            table = known_as(listed)
            columns.setdefault(table, set()).add(column)
            if collation and collation[0] is not None:
                collations[table, column] = collation[0]
        known: set[str] = set()
        outdated: dict[str, str] = {}
        for name, spec in self._layout.tables.items() if columns else ():
            held = columns.get(self._names[name])
            if held is None:
                continue
            lacking = self._layout.lacking(spec, held)
            if lacking:
                outdated[name] = f"lacks {', '.join(lacking)}"
            else:
                known.add(name)
                self._layout.note(
                    spec, {column: found for (table, column), found in collations.items() if table == self._names[name]}
                )
        reason = await sessions_lack(self._names, columns, self._dialect, self._connections)
        if reason is not None and "sessions" in known:
            # Read as they are they would seem to have no history, and be written as if they had had no state.
            known -= {"sessions", "runs"}
            outdated |= {"sessions": reason, "runs": "belongs to sessions that an older agno wrote"}
        self._known, self._outdated, self._has_looked = self._layout.shared(known), outdated, True
        return frozenset(columns)

    async def create(self, tables: Iterable[str]) -> None:
        """Create tables with their parents and indexes and stamp their version, in one transaction."""
        specs = self._layout.tables
        asked = _with_families(tables, specs) if self._by_family else tables
        lines = (lineage(specs[table], self._dialect) for table in ("versions", *asked))
        wanted = list(dict.fromkeys(each for line in lines for each in line))
        missing = await self.missing(wanted)
        if not missing:
            return
        statements = [Statement(sql, params, True, False) for sql, params in self._dialect.before_ddl()]
        new = [table for table in wanted if table in missing]
        # A table is stamped before it is made: where DDL has no transactions, one without a stamp would look old.
        for table in sorted(new, key=lambda each: each != "versions"):
            if table != "versions":
                statements.append(self._stamp(table))
            statements.extend(Statement(text, (), True, False) for text in self._layout.definition(table))
        granted = self._dialect.after_ddl([self._names[table] for table in wanted if table in missing])
        statements.extend(Statement(text, (), True, False) for text in granted)
        await self.definer.run(Unit(statements, atomic=True))
        self._known = self._layout.shared(self._known | missing)

    def _stamp(self, table: str) -> Statement:
        versions = self._dialect.qualified(self._names["versions"])
        names = ", ".join(self._dialect.quoted(each) for each in ("table_name", "version", "created_at", "updated_at"))
        hole = self._dialect.placeholder
        now = datetime.now().isoformat()  # noqa: DTZ005  # agno stamps naive local time here
        text = self._dialect.insert_if_absent(versions, names, ", ".join([hole] * 4))
        return Statement(text, (self._names[table], TODAY, now, now), True, False)


def _with_families(tables: Iterable[str], specs: Mapping[str, TableSpec]) -> list[str]:
    """These tables, each with those of its family that agno makes at the same time."""
    asked = [specs[table] for table in tables]
    return [
        name
        for name, spec in specs.items()
        if any(
            spec is each or (spec.family == each.family and spec.provisioned == each.provisioned and _alike(spec, each))
            for each in asked
        )
    ]


def _alike(one: TableSpec, other: TableSpec) -> bool:
    """Whether both tables are agno's own, or both are shared by tenants."""
    return (one.name in TABLES) is (other.name in TABLES)
