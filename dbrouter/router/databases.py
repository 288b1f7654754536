"""The databases of a router: what each holds, and what is asked of all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.errors import RoutingError
from dbrouter.backends.kernel.running import Runtime
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.router.families.context import Context
from dbrouter.router.families.schema_versions import SchemaVersions

VERSIONS = "versions"
"""The table of version stamps; every database has its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A configured database: its name and kind, its store, and the families whose rows can be there.

    provisioned: whether tables are created in it at start; tenants' are created when they are first written to.
    opened_on_use: whether it is one of those that only tenants have, and that are open only while they are used.
    """

    name: str
    store: Store
    families: frozenset[str]
    kind: str = ""
    provisioned: bool = True
    opened_on_use: bool = False

    @property
    def tables(self) -> tuple[TableSpec, ...]:
        """The tables that belong in it."""
        return tuple(spec for spec in TABLES.values() if spec.family in self.families or spec.name == VERSIONS)

    @property
    def table_names(self) -> frozenset[str]:
        """What those tables are called in it."""
        return frozenset(self.store.physical_name(spec.name) for spec in self.tables)


class Databases:
    """All databases of a router, in the order of its configuration."""

    def __init__(self, databases: Iterable[Database], runtime: Runtime) -> None:
        self._all = {each.name: each for each in databases}
        self._runtime = runtime

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, in order."""
        return tuple(self._all)

    def named(self, name: str) -> Database:
        """The database of that name. `RoutingError` if there is none."""
        if name not in self._all:
            raise RoutingError(f"there is no database {name!r}; there are {', '.join(self._all)}")
        return self._all[name]

    def stamping(self, table_name: str) -> SchemaVersions:
        """The version stamps of the first database that a table of this physical name belongs in."""
        first = next(iter(self._all.values()))
        always_open = (each for each in self._all.values() if not each.opened_on_use)
        home = next((each for each in always_open if table_name in each.table_names), first)
        return SchemaVersions(Context(home.store))

    async def table_exists(self, table_name: str) -> bool:
        """Whether a database that this physical name belongs in has such a table; all are asked if it belongs nowhere.

        Raises if a database does not answer and no other has the table.
        """
        always_open = [each for each in self._all.values() if not each.opened_on_use]
        belongs = [each for each in always_open if table_name in each.table_names]
        asked = [each.store.existing_tables for each in belongs or always_open]
        found = await self._runtime.gather(asked)
        if any(table_name in tables for tables in found if not isinstance(tables, BaseException)):
            return True
        _raise_first(found)
        return False

    async def create_tables(self) -> None:
        """Create in each database what agno creates at start. Every database is tried before one's error is raised."""

        async def create(database: Database) -> None:
            await database.store.create_tables(tuple(spec.name for spec in database.tables if spec.provisioned))

        provisioned = [each for each in self._all.values() if each.provisioned]
        _raise_first(await self._runtime.gather([lambda each=each: create(each) for each in provisioned]))


def _raise_first(outcomes: Iterable[object]) -> None:
    """Raise the first error among them, if there is one; it notes the others."""
    errors = [each for each in outcomes if isinstance(each, BaseException)]
    if not errors:
        return
    for other in errors[1:]:
        errors[0].add_note(f"and {type(other).__name__}: {other}")
    raise errors[0]
