"""The tenants that there are, now: of the file and of a table, looked at again and again while the process runs."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from dbrouter.backends.kernel.errors import (
    ConfigError,
    DbRouterError,
    TenantSuspended,
    Unavailable,
    UnknownTenant,
)
from dbrouter.backends.kernel.forking import begins_anew_in_a_child
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.router.tenancy.catalog_table import add, rows_in
from dbrouter.router.tenancy.description import CatalogRow, Described, Tenancy
from dbrouter.router.tenancy.looking import Looking
from dbrouter.router.tenancy.tenants import EVERY_OTHER, Tenant

logger = logging.getLogger("dbrouter.tenancy")

POLL = 10.0
"""Seconds between two looks at the file where no table says how many."""

AGAIN = 1.0
"""Seconds after which tenants that could not be read at all are asked for again; until then calls fail at once."""

Changed = Callable[[frozenset[str]], object]
"""Told the names of tenants that are gone, or whose rows are kept elsewhere or otherwise now. From any thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The tenants at one moment. Replaced as a whole and never changed, so whoever reads it reads one state."""

    tenants: Mapping[str, Tenant]
    others: Tenant | None = None
    rows: tuple[CatalogRow, ...] = ()

    @classmethod
    def of(cls, described: Described, rows: tuple[CatalogRow, ...]) -> Snapshot:
        """The tenants as described, of the file and of these rows."""
        return cls(tenants=dict(described.tenants), others=described.others, rows=rows)


class Catalog:
    """The tenants by name.

    A thread of its own looks for changes every `poll` seconds, beginning with the first call. A change is taken over
    as a whole or not at all: with one error in it, everything stays as it was, and the error is logged. If the table
    cannot be read, what was read last holds; if it never was read, calls fail with `Unavailable`.

    table: a blocking store of the database with the table, which is the catalog's to close.
    """

    def __init__(self, tenancy: Tenancy, table: Store | None = None, *, poll: float | None = None) -> None:
        said = tenancy.table
        self._rules = tenancy.rules
        self._source = tenancy.source
        self._table = table
        self._where = "" if said is None else f"the table dbrouter_tenants of {said.db!r}"
        self._poll = poll if poll is not None else POLL if said is None else said.poll
        self._callbacks: list[Changed] = []
        self._provisioned: dict[str, Tenant] = {}
        self._unrecorded: set[str] = set()
        self._snapshot = Snapshot.of(tenancy.described, ()) if table is None else None
        self._away: DbRouterError | None = None
        self._told: frozenset[str] = frozenset()
        self._looked = 0.0
        self.begin_anew()
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """Have no thread yet; what is known stays known."""
        self._looking: Looking | None = None
        self._beginning = threading.Lock()
        self._taking = threading.Lock()

    def get(self, name: str) -> Tenant:
        """The tenant of that name, or the one that stands in for unknown ones, as the rules say.

        `UnknownTenant` or `TenantSuspended` instead; `Unavailable` while nobody can know.
        """
        snapshot = self._current()
        found = snapshot.tenants.get(name) or self._unknown(name, snapshot)
        if found.suspended:
            raise TenantSuspended(f"tenant {found.name!a} is suspended")
        return found

    def tenants(self) -> tuple[Tenant, ...]:
        """All tenants, suspended ones too, and those provisioned in this process."""
        known = self._current().tenants
        return (*known.values(), *(each for each in tuple(self._provisioned.values()) if each.name not in known))

    def names(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(each.name for each in self.tenants())

    def active(self) -> tuple[Tenant, ...]:
        """The tenants whose calls are served."""
        return tuple(each for each in self.tenants() if not each.suspended)

    def on_change(self, callback: Changed) -> None:
        """Have this called after tenants are gone or their rows' places changed."""
        self._callbacks.append(callback)

    async def ready(self) -> None:
        """Return when tenants are known, without holding up an event loop while they are read. Raises what `get` would.

        Worth calling before `get` only where there is an event loop.
        """
        if self._looking is None:
            await asyncio.to_thread(self._current)

    def look(self) -> None:
        """Look for changes now, and take them over. Whatever is wrong is logged, and nothing changes."""
        with self._taking:
            told: list[str] = []
            try:
                self._look(told)
            except DbRouterError as error:
                self._tell(told, logging.ERROR, f"tenants stay as they were: {error}")
            except Exception:
                # The thread must go on looking: the next change may be a good one.
                logger.exception("tenants stay as they were")
            self._told = frozenset(told)
            self._looked = time.monotonic()

    async def close(self) -> None:
        """End the thread and close the table's database. Both begin again when they are needed."""
        with self._beginning:
            looking, self._looking = self._looking, None
        if looking is not None:
            looking.end()
        if self._table is not None:
            await self._table.close()

    def _current(self) -> Snapshot:
        if self._looking is None:
            self._begin()
        if self._snapshot is None:
            raise Unavailable(f"tenants are not known yet: {self._where} was not read")
        return self._snapshot

    def _begin(self) -> None:
        with self._beginning:
            if self._looking is not None:
                return
            if self._snapshot is None:
                self._look_first()
            self._looking = Looking(self.look, every=self._poll)
            if time.monotonic() - self._looked > self._poll:
                # Nobody has looked for so long: this process was forked, or the catalog closed.
                self.look()

    def _look_first(self) -> None:
        if self._away is None or time.monotonic() - self._looked > AGAIN:
            try:
                rows = self._rows()
                self._take(self._source.read(rows), rows, [])
            except DbRouterError as error:
                self._away = error
            self._looked = time.monotonic()
        if isinstance(self._away, ConfigError):
            raise ConfigError(str(self._away), problems=self._away.problems) from self._away
        if self._away is not None:
            raise Unavailable(f"tenants are not known yet: {self._where} cannot be read: {self._away}") from self._away

    def _look(self, told: list[str]) -> None:
        before = self._snapshot
        rows = () if before is None else before.rows
        try:
            rows = self._rows()
        except DbRouterError as error:
            if self._away is None:
                logger.warning("%s cannot be read; what was read last holds: %s", self._where, error)
            self._away = error
        if before is not None and rows == before.rows and not self._source.changed():
            told.extend(self._told)
            return
        self._take(self._source.read(rows), rows, told)

    def _rows(self) -> tuple[CatalogRow, ...]:
        """The rows of the table, to which the tenants that were provisioned here are added first."""
        if self._table is None:
            return ()
        for name in tuple(self._unrecorded):
            finish(add(self._table, CatalogRow(name=name, spec={})))
            self._unrecorded.discard(name)
        rows = finish(rows_in(self._table))
        if self._away is not None and self._snapshot is not None:
            logger.info("%s can be read again", self._where)
        self._away = None
        return rows

    def _take(self, described: Described, rows: tuple[CatalogRow, ...], told: list[str]) -> None:
        before, after = self._snapshot, Snapshot.of(described, rows)
        if described.refused is not None:
            self._tell(told, logging.ERROR, f"the tenants of the file stay as they were: {described.refused}")
            if before is not None and rows == before.rows:
                return
        self._snapshot = after
        for note in described.notes:
            self._tell(told, logging.WARNING, note)
        changed = frozenset(() if before is None else _changed(before, after)) | self._provisioned_anew(after)
        for callback in self._callbacks if changed else ():
            try:
                callback(changed)
            except Exception:
                # It is taken over already, and the other callbacks must know.
                logger.exception("whoever asked about changed tenants failed")

    def _provisioned_anew(self, after: Snapshot) -> frozenset[str]:
        """Have provisioned tenants be what `"*"` says now; those whose place is another one now."""
        changed: set[str] = set()
        for name, tenant in tuple(self._provisioned.items()):
            now = after.tenants.get(name) or (after.others and _made(name, after.others))
            if now is None or name in after.tenants:
                self._provisioned.pop(name, None)
            else:
                self._provisioned[name] = now
            if now is None or _place(now) != _place(tenant):
                changed.add(name)
        return frozenset(changed)

    def _unknown(self, name: str, snapshot: Snapshot) -> Tenant:
        if (known := self._provisioned.get(name)) is not None:
            return known
        if self._away is not None:
            # It may have been added since the table was last read.
            raise Unavailable(f"tenant {name!a} is not known, and {self._where} cannot be read: {self._away}")
        match self._rules.unknown:
            case "refuse":
                found = None
            case "default":
                found = snapshot.tenants.get(self._rules.default or "")
            case "provision":
                found = self._provision(name, snapshot)
        if found is None:
            raise UnknownTenant(f"there is no tenant {name!a}")
        return found

    def _provision(self, name: str, snapshot: Snapshot) -> Tenant | None:
        if snapshot.others is None or name in {"", EVERY_OTHER}:
            return None
        made = self._provisioned.setdefault(name, _made(name, snapshot.others))
        if self._table is not None:
            # Written by the thread: other processes, and those who ask about all tenants, learn of it there.
            self._unrecorded.add(name)
            if self._looking is not None:
                self._looking.wake()
        return made

    def _tell(self, told: list[str], level: int, text: str) -> None:
        """Log this, unless it was logged at the last look."""
        told.append(text)
        if text not in self._told:
            logger.log(level, "%s", text)


def _made(name: str, others: Tenant) -> Tenant:
    return replace(others, name=name)


def _place(tenant: Tenant) -> tuple[object, ...]:
    return tenant.isolation, tenant.db, dict(tenant.families), tenant.namespace


def _changed(before: Snapshot, after: Snapshot) -> Iterable[str]:
    for name, tenant in before.tenants.items():
        now = after.tenants.get(name)
        if now is None or _place(now) != _place(tenant):
            yield name
