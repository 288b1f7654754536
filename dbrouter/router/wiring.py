"""What every db of ours is made of, whatever its mode."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.errors import ConfigError
from dbrouter.backends.kernel.ops import Op
from dbrouter.backends.kernel.store import Store
from dbrouter.policies.trace_buffer import BufferLimits, TraceBuffer
from dbrouter.router.agno_types import generate_id
from dbrouter.router.any_agno.call import Call
from dbrouter.router.any_agno.delegating import AgnoDatabases
from dbrouter.router.blocking_side import BlockingSide, View
from dbrouter.router.databases import Database, Databases
from dbrouter.router.families.context import Context, OnConflict, Part, the_whole
from dbrouter.router.families.programs import Programs
from dbrouter.router.live import register
from dbrouter.router.routes import Component
from dbrouter.router.threaded import Threaded

if TYPE_CHECKING:
    from dbrouter.router.opening import Opened
    from dbrouter.router.tenancy.binding import Whose
    from dbrouter.router.tenancy.tenants import TenancyRules

ONLY = "main"
"""The name of a database that is the only one."""


@runtime_checkable
class Bindable(Protocol):
    """A store that routes, and can do so for one component."""

    def bound(self, component: Component) -> Store:
        """This store for the calls of that component."""
        ...


@runtime_checkable
class KeepsTenantsApart(Store, Protocol):
    """A store that finds out whose an op is, and keeps each tenant's rows apart from others'."""

    @property
    def rules(self) -> TenancyRules:
        """How it finds out."""
        ...

    @property
    def bound_to(self) -> Whose | None:
        """Whose calls these are, if a view says so."""
        ...

    def bound(self, component: Component) -> KeepsTenantsApart:
        """This store for the calls of that component."""
        ...

    def for_tenant(self, whose: Whose) -> KeepsTenantsApart:
        """This store for the calls of one tenant, or for an operator's of all of them."""
        ...

    def part_of(self, op: Op[Any], /) -> Part:
        """Whose rows an op is about."""
        ...

    def programs(self, programs: Programs, /) -> Programs:
        """The families' programs, as this store tells their calls apart."""
        ...

    async def delegates(self, call: Call, /) -> bool:
        """Whether a call is one of a tenant, or of everybody, whose rows of its family are in an agno database."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """A db's id, the store that its families speak to, its databases, and what becomes of changes that conflict.

    tenants: the store behind `store` that keeps tenants apart, if there are tenants. agno: the databases that are
    agno's own, if any are: calls of their families are handed to them. blocking: the same databases for what agno calls
    without awaiting it, of an async db.
    """

    id: str
    store: Store
    databases: Databases
    on_conflict: OnConflict
    tenants: KeepsTenantsApart | None = None
    agno: AgnoDatabases | None = None
    blocking: View | None = None

    def programs(self, registered: Mapping[str, Any] | None = None) -> Programs:
        """The families' programs on the store. registered: what agno registers on the db."""
        part_of = the_whole if self.tenants is None else self.tenants.part_of
        context = Context(
            self.store,
            on_conflict=self.on_conflict,
            place=self.id,
            part_of=part_of,
            registered={} if registered is None else registered,
        )
        made = Programs(context)
        if self.agno is not None:
            made = self.agno.programs(made, self.store, None if self.tenants is None else self.tenants.delegates)
        return made if self.tenants is None else self.tenants.programs(made)

    @classmethod
    def over(
        cls,
        store: Store,
        *,
        serves: frozenset[str],
        id_: str | None,
        databases: Collection[Database] | None,
        on_conflict: OnConflict,
        traces: BufferLimits | None,
        agno: AgnoDatabases | None = None,
        blocking: Callable[[], Opened] | None = None,
    ) -> Wiring:
        """A wiring of this store. Without databases it is the only one; without an id, names and kinds give one.

        traces: how traces are written behind; at once if `None`. blocking: opens the same databases for what agno calls
        without awaiting it.
        """
        if databases is None:
            driver = store.inner if isinstance(store, Threaded) else store
            kind = type(driver).__name__
            # On threads the emulation runs there too: one change of threads for an op.
            store = Threaded(Emulated(driver)) if isinstance(store, Threaded) else Emulated(driver)
            databases = (Database(name=ONLY, store=store, families=serves, kind=kind),)
        seed = ",".join(sorted(f"{each.name}={each.kind}" for each in databases))
        wiring = cls(
            id=id_ or generate_id(f"dbrouter:{seed}"),
            store=TraceBuffer(store, traces) if traces is not None else store,
            databases=Databases(databases, store.runtime),
            on_conflict=on_conflict,
            tenants=store if isinstance(store, KeepsTenantsApart) else None,
            agno=agno,
        )
        if blocking is None:
            return wiring
        return replace(wiring, blocking=View(BlockingSide(lambda: wiring._once_more(blocking()))))

    def _once_more(self, opened: Opened) -> Wiring:
        """This wiring over a second opening of its databases."""
        store = opened.store
        tenants = store if isinstance(store, KeepsTenantsApart) else None
        return replace(
            self, store=store, databases=Databases((), store.runtime), tenants=tenants, agno=opened.agno, blocking=None
        )

    async def close(self) -> None:
        """Write what waits and close every store. They may be used again afterwards."""
        try:
            await self.store.close()
        finally:
            if self.blocking is not None:
                await self.blocking.side.close()

    def bound(self, component: Component) -> Wiring:
        """The same databases, for the calls of one component."""
        if self.tenants is not None:
            return self._over(self.tenants.bound(component), lambda each: each.bound(component))
        if len(self.databases.names) == 1 or not isinstance(self.store, Bindable):
            return self
        return replace(self, store=self.store.bound(component), blocking=self._seen(lambda each: each.bound(component)))

    def for_tenant(self, whose: Whose) -> Wiring:
        """The same databases, for the calls of one tenant. `ConfigError` if there are no tenants."""
        if self.tenants is None:
            raise ConfigError("no tenants are configured; describe them in `tenants` and `tenancy`")
        return self._over(self.tenants.for_tenant(whose), lambda each: each.for_tenant(whose))

    def _over(self, view: KeepsTenantsApart, as_: Callable[[Wiring], Wiring]) -> Wiring:
        store = self.store.over(view) if isinstance(self.store, TraceBuffer) else view
        return replace(self, store=store, tenants=view, blocking=self._seen(as_))

    def _seen(self, as_: Callable[[Wiring], Wiring]) -> View | None:
        return None if self.blocking is None else self.blocking.seen(as_)


class Wired:
    """A db over a wiring. `_wire` makes it one; agno's own constructor has run before."""

    _serves: frozenset[str]
    """The families whose faces the class has."""
    _made_from: type
    """The class that was given the faces."""
    _wiring: Wiring
    _families: Programs
    _shared: dict[str, list[Any]]
    """What agno registers on a db. Its views have it too: what is registered on one counts for all."""
    _engines: list[Any]
    """Engines that were made for agno's own use, of its views too."""

    def _wire(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._shared = {}
        self._engines = []
        self._families = wiring.programs(self._shared)
        if wiring.agno is not None:
            wiring.agno.register(self._shared)
        for spec in TABLES.values():
            # agno's async class has not all of these attributes; what it has not, nobody reads.
            if hasattr(self, spec.attribute):
                setattr(self, spec.attribute, wiring.store.physical_name(spec.name))
        register(self._made_from, wiring.id, self)

    def database(self, name: str) -> Store:
        """The store of the database of that name. `RoutingError` if there is none."""
        return self._wiring.databases.named(name).store

    @property
    def families(self) -> frozenset[str]:
        """The families that are served."""
        return self._serves

    @property
    def tool_result_filesystems(self) -> list[Any]:
        """Set by agno: where tool results have their payloads, so that a session's deletion reaches them."""
        return self._registered("tool_result_filesystems")

    @tool_result_filesystems.setter
    def tool_result_filesystems(self, value: list[Any]) -> None:
        self._shared["tool_result_filesystems"] = value

    @property
    def sandbox_coordinators(self) -> list[Any]:
        """Set by agno: who must know before a session is deleted."""
        return self._registered("sandbox_coordinators")

    @sandbox_coordinators.setter
    def sandbox_coordinators(self, value: list[Any]) -> None:
        self._shared["sandbox_coordinators"] = value

    def _registered(self, name: str) -> list[Any]:
        if name not in self._shared:  # agno asks by `getattr(db, name, None)` whether it must set it
            raise AttributeError(f"{type(self).__name__} has no {name} yet", name=name, obj=self)
        return self._shared[name]

    def _view(self, wiring: Wiring) -> Self:
        """This db over another wiring of its databases: of the same class and id."""
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__)
        view._wiring = wiring
        view._families = view._wiring.programs(view._shared)
        return view
