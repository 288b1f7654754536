"""The tenants of a file and of its table, read for a command."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from dbrouter.backends.kernel.errors import ConfigError, DbRouterError
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.cli.output import give_up, problem
from dbrouter.config.settings import Settings
from dbrouter.config.tenancy_settings import TenantSettings
from dbrouter.config.tenants import Kept, entry, kept
from dbrouter.router.tenancy.catalog_table import rows_in
from dbrouter.router.tenancy.description import CatalogRow, Described, Tenancy
from dbrouter.router.tenancy.tenants import EVERY_OTHER, Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known about tenants. complete: whether the table could be read, if there is one."""

    settings: Settings
    tenancy: Tenancy
    described: Described
    rows: dict[str, CatalogRow]
    complete: bool = True

    def tenant(self, name: str) -> Tenant:
        """The tenant of that name. Ends the command if there is none, or if nobody can know."""
        found = self.described.tenants.get(name)
        if found is None and not self.complete:
            give_up(f"whether there is a tenant {shown(name)} is not known: its table cannot be read")
        if found is None:
            give_up(f"there is no tenant {shown(name)}; `dbrouter tenants list` names them")
        return found

    def in_file(self, name: str) -> bool:
        """Whether the file has an entry for the tenant."""
        return name in self.settings.tenants_said

    def isolation_because(self, name: str) -> str:
        """The key and line, or the table, that says how the tenant is kept apart."""
        said = dict(self.settings.tenants_said)
        tenant = self.described.tenants[name]
        if not self.in_file(name):
            said[name] = TenantSettings.model_validate(self.rows[name].spec)
        how = kept(name, said)
        if how is None or (how.said_by == name and not self.in_file(name)):
            return tenant.source
        return self._key(how)

    def _key(self, how: Kept) -> str:
        key = "db" if how.by_db else "isolation"
        place = self.settings.where("tenants", how.said_by, key)
        name = 'tenants."*"' if how.said_by == EVERY_OTHER else entry(how.said_by)
        return f"{name}.{key} ({place})" if place else f"{name}.{key}"


def shown(name: str) -> str:
    """The name for people, in one line and as `--quoted` takes it where it is no plain text."""
    is_plain = name.isprintable() and name == name.strip() and not name.startswith('"')
    return name if name and is_plain else json.dumps(name)


def known_in(settings: Settings) -> Known:
    """What the file and the table say. A table that cannot be read is a problem that is printed, and is left out."""
    tenancy = tenancy_of(settings)
    if tenancy.table is None:
        return Known(settings=settings, tenancy=tenancy, described=tenancy.described, rows={})
    try:
        with table_of(settings) as table:
            rows = finish(rows_in(table))
    except DbRouterError as error:
        problem(f"the table of tenants cannot be read: {error}")
        return Known(settings=settings, tenancy=tenancy, described=tenancy.described, rows={}, complete=False)
    try:
        described = tenancy.source.read(rows)
    except ConfigError as error:
        give_up(str(error))
    for note in described.notes:
        problem(note)
    return Known(settings=settings, tenancy=tenancy, described=described, rows={row.name: row for row in rows})


def tenancy_of(settings: Settings) -> Tenancy:
    """What the file says about tenants. Ends the command if it says nothing."""
    tenancy = settings.tenancy
    if tenancy is None:
        give_up("this file has no tenants; describe them under `tenants`, or name a database under tenancy.catalog.db")
    return tenancy


@contextmanager
def table_of(settings: Settings) -> Generator[Store]:
    """The database with the table of tenants, opened for a command. Ends it if the file names none."""
    from dbrouter.router.opening import open_store

    table = tenancy_of(settings).table
    if table is None:
        give_up("this file names no table of tenants; add tenancy.catalog.db, or edit `tenants` in the file")
    store = open_store(table.db, settings.databases[table.db], blocking=True)
    try:
        yield store
    finally:
        finish(store.close())
