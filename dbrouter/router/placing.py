"""Where a record belongs, and where a question must be asked.

In this order: beside the record it follows (a run beside its session), where it already is, where its component's
rule says, where the binding says, the family's default. Rows of one conversation or one trace thus stay together
even when their own columns name another component.

What is remembered of a record is a hint: it may have been deleted, and be somewhere else by now. Where the rule says
the same, or the write itself is refused if the record is not there, the hint is taken as it is, and costs nothing. Else
the database is asked first.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, cast

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.filters import Filter, one_of, pinned
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Key, Scan
from dbrouter.backends.kernel.running import Runtime
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.router.confirming import LOOSE, Confirming, keys_named
from dbrouter.router.directory import Directory
from dbrouter.router.gathering import raise_first
from dbrouter.router.routes import Component, ComponentKind, Routes

OUTERMOST_FIRST = ("workflow", "team", "agent")
"""A record that names several components belongs to the one that contains the others."""

LATE = frozenset({"traces"})
"""Tables whose records may learn their component when they are stored already: who reads traces while a run goes on has
its first spans written before its root span says whose they are. Naming the component does not say where they are.
No method deletes them, so where one was seen, it is."""

OF_EVERYBODY = frozenset({"metrics"})
"""Tables whose records count what all components did: a view of one component must not begin a second count."""


class Placing:
    """Chooses databases. `bound`: the component whose calls these are, if that is known."""

    # Each tenant's store has some.
    __slots__ = ("_bound", "_confirming", "_databases", "_directory", "_routes", "_runtime", "_turn")

    def __init__(
        self,
        databases: Mapping[str, Store],
        routes: Routes,
        directory: Directory,
        runtime: Runtime,
        bound: Component | None,
    ) -> None:
        self._databases = databases
        self._routes = routes
        self._directory = directory
        self._runtime = runtime
        self._bound = bound
        self._confirming = Confirming(databases, directory, runtime)
        self._turn = itertools.count()

    @property
    def is_bound(self) -> bool:
        """Whether these are the calls of a known component."""
        return self._bound is not None

    def rotated(self, table: str) -> tuple[str, ...]:
        """All databases that can hold the table, beginning with another one each time."""
        names = self.candidates(table)
        start = next(self._turn) % len(names)
        return (*names[start:], *names[:start])

    def candidates(self, table: str) -> tuple[str, ...]:
        """All databases that can hold the table; the bound component's first, then the default."""
        family = TABLES[table].family
        names = self._routes.databases(family)
        if not names:
            # Raises: no databases would answer like empty ones.
            self._routes.rule(family)
        if self._bound is None:
            return names
        own = self._routes.database(family, self._bound)
        return (own, *(name for name in names if name != own))

    def asked(self, table: str, where: Filter, key: Key | None = None) -> tuple[str, ...]:
        """The databases that can answer, in the order to try them: one if the question says which.

        A key that is known to be somewhere is looked for there first, but a hint is no proof of absence elsewhere.
        """
        spec = TABLES[table]
        names = self.candidates(table)
        if len(names) == 1:
            return names
        fixed = pinned(where)
        component = component_of(spec, fixed)
        ruled = component is not None and self._routes.rule(spec.family, component).component == component
        if ruled and table not in LATE:
            return (self._routes.database(spec.family, component),)
        place = self._known(spec, fixed, key)
        return names if place is None else (place, *(name for name in names if name != place))

    def proven(self, table: str, where: Filter) -> str | None:
        """The one database that all matching records follow their leader to, if the leader's place is known."""
        spec = TABLES[table]
        if spec.leader is None or spec.follows is None:
            return None
        leader = pinned(where).get(spec.follows)
        return None if leader is None else self._place(spec.leader, (leader,))

    async def homes(
        self,
        table: str,
        records: Sequence[Record],
        *,
        fresh: bool,
        checked: bool = False,
        sure: AbstractSet[tuple[str, Key]] = frozenset(),
    ) -> list[str]:
        """For each record the database to write it to.

        fresh: these records are new, so none is anywhere yet. checked: the write is refused where the record is not as
        it was read. sure: tables and keys of what is written by the same op, and is not there yet.
        """
        spec = TABLES[table]
        names = self.candidates(table)
        if len(names) == 1:
            return [names[0]] * len(records)
        doubted = {} if checked else self._doubted(spec, records, fresh=fresh, sure=sure)
        lost = [key for place, keys in doubted.items() for key in await self._confirming.lost(*place, keys)]
        await self._locate(spec, records, fresh=fresh, lost=lost)
        return [self._home(spec, record, fresh=fresh) for record in records]

    def remember(self, table: str, record: Mapping[str, Any], database: str) -> None:
        """A record was seen in a database; with it, the record it follows."""
        spec = TABLES[table]
        if len(self._routes.databases(spec.family)) == 1:
            return
        if all(column in record for column in spec.key):
            self._directory.remember(table, tuple(record[column] for column in spec.key), database)
        if spec.leader is not None and record.get(spec.follows or "") is not None:
            self._directory.remember(spec.leader, (record[cast("str", spec.follows)],), database)

    def forget(self, table: str, key: Key) -> None:
        """A record is not where it was."""
        self._directory.forget(table, key)

    def forget_named(self, table: str, where: Filter) -> None:
        """The records that the filter is about are not where they were: each that it names, else all of the table."""
        keys = keys_named(table, where)
        for key in keys or ():
            self._directory.forget(table, key)
        # What follows another record is looked for beside it, whatever is remembered of itself.
        if keys is None and TABLES[table].leader is None:
            self._directory.forget_all(table)

    def forget_leaders(self, table: str, records: Iterable[Record]) -> bool:
        """The records that these follow are not where they were; whether anybody thought to know."""
        spec = TABLES[table]
        if spec.leader is None or spec.follows is None:
            return False
        leaders = {(record[spec.follows],) for record in records}
        known = [key for key in leaders if self._place(spec.leader, key) is not None]
        for key in known:
            self._directory.forget(spec.leader, key)
        return bool(known)

    async def is_proven(self, table: str, where: Filter) -> bool:
        """Whether the leader is where `proven` says, now that its database has been asked. If not, it is forgotten."""
        spec = TABLES[table]
        place = self.proven(table, where)
        if place is None or spec.leader is None or spec.follows is None or spec.leader in LATE:
            return True
        return not await self._confirming.lost(spec.leader, place, [(pinned(where)[spec.follows],)])

    def _place(self, table: str, key: Key) -> str | None:
        """Where the record was seen, if that is a database of ours: others may remember in the same directory."""
        place = self._directory.place(table, key)
        return place if place in self._databases else None

    def _anchors(self, spec: TableSpec, record: Record, *, fresh: bool) -> Iterator[tuple[str, Key]]:
        """The records beside which this one belongs, if they are anywhere: its leader, and itself as it is stored."""
        if spec.leader is not None and spec.follows is not None:
            yield spec.leader, (record[spec.follows],)
        if not fresh:
            yield spec.name, _key(spec, record)

    def _home(self, spec: TableSpec, record: Record, *, fresh: bool) -> str:
        places = (self._place(*anchor) for anchor in self._anchors(spec, record, fresh=fresh))
        return next((place for place in places if place is not None), None) or self._by_rule(spec, record)

    def _by_rule(self, spec: TableSpec, record: Record) -> str:
        bound = None if spec.name in OF_EVERYBODY else self._bound
        return self._routes.database(spec.family, component_of(spec, record) or bound)

    def _doubted(
        self, spec: TableSpec, records: Sequence[Record], *, fresh: bool, sure: AbstractSet[tuple[str, Key]]
    ) -> dict[tuple[str, str], set[Key]]:
        """The keys, by table and database, that decide where these records go and may not be there any more."""
        doubted: dict[tuple[str, str], set[Key]] = {}
        for record in records:
            known = ((*each, self._place(*each)) for each in self._anchors(spec, record, fresh=fresh))
            table, key, place = next((each for each in known if each[2] is not None), (spec.name, (), None))
            # Where its leader must be stored first, the database says if it is not.
            is_told = table in LATE or (table != spec.name and spec not in LOOSE[table])
            if place is None or is_told or len(key) > 1 or (table, key) in sure:
                continue
            if place != self._by_rule(spec, record):
                doubted.setdefault((table, place), set()).add(key)
        return doubted

    async def _locate(self, spec: TableSpec, records: Sequence[Record], *, fresh: bool, lost: Collection[Key]) -> None:
        """Look up, once for all records, what placing them needs and nobody remembers. lost: forgotten just now."""
        if spec.leader is not None and spec.follows is not None:
            leader = TABLES[spec.leader]
            unknown = {
                record[spec.follows] for record in records if self._place(leader.name, (record[spec.follows],)) is None
            }
            await self._look_up(leader, unknown)
        elif not fresh and len(spec.key) == 1:
            keys = {
                record[spec.key[0]]
                for record in records
                # Where a component has a rule of its own, the rule decides and nobody is asked; but what was elsewhere
                # may be so again.
                if record.get(spec.key[0]) is not None
                and (not self._ruled(spec, record) or _key(spec, record) in lost)
                and self._place(spec.name, _key(spec, record)) is None
            }
            await self._look_up(spec, keys)

    async def _look_up(self, spec: TableSpec, keys: Iterable[Any]) -> None:
        wanted = sorted(keys)
        if not wanted:
            return
        (column,) = spec.key
        names = self.candidates(spec.name)
        scan = Scan(table=spec.name, where=one_of(column, wanted), columns=(column,))
        outcomes = await self._runtime.gather([lambda name=name: self._databases[name].execute(scan) for name in names])
        # The first candidate wins where a key is in two databases, as it does when reading.
        for name, page in reversed(list(zip(names, outcomes, strict=True))):
            if not isinstance(page, BaseException):
                for record in page.records:
                    self._directory.remember(spec.name, (record[column],), name)
        if any(self._place(spec.name, (key,)) is None for key in wanted):
            # Found nowhere, but one did not answer: that is not "it is nowhere".
            raise_first(outcomes)

    def _ruled(self, spec: TableSpec, record: Mapping[str, Any]) -> bool:
        component = component_of(spec, record) or self._bound
        return component is not None and self._routes.rule(spec.family, component).component is not None

    def key_in(self, table: str, where: Filter) -> Key | None:
        """The key of the one record that the filter is about, if it is."""
        return _key_in(TABLES[table], pinned(where))

    def _known(self, spec: TableSpec, fixed: Mapping[str, Any], key: Key | None) -> str | None:
        if key is None:
            key = _key_in(spec, fixed)
        if key is not None:
            place = self._place(spec.name, key)
            if place is not None:
                return place
        if spec.leader is not None and spec.follows is not None and spec.follows in fixed:
            return self._place(spec.leader, (fixed[spec.follows],))
        return None


def component_of(spec: TableSpec, values: Mapping[str, Any]) -> Component | None:
    """The component that these columns of a record name: of a session the one of its type, else the outermost."""
    columns = dict(spec.components)
    kind = values.get("session_type")
    order = (kind,) if kind in columns else OUTERMOST_FIRST
    for each in order:
        named = values.get(columns.get(cast("str", each), ""))
        if named is not None:
            return Component(cast("ComponentKind", each), named)
    return None


def _key_in(spec: TableSpec, fixed: Mapping[str, Any]) -> Key | None:
    return tuple(fixed[column] for column in spec.key) if all(column in fixed for column in spec.key) else None


def _key(spec: TableSpec, record: Mapping[str, Any]) -> Key:
    return tuple(record.get(column) for column in spec.key)
