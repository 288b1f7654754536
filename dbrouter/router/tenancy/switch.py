"""The store above all tenants' stores: finds out whose call it is, and lets that tenant's store answer it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from enum import Enum
from typing import Any, Protocol, TypeAlias, TypeVar, cast

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.capabilities import EVERYTHING_NATIVE, Capabilities
from dbrouter.backends.kernel.errors import (
    MissingTenant,
    PolicyError,
    TenantConflict,
    TenantError,
    TenantLocked,
    Unsupported,
)
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Claim, Op, Scan, Upsert, tables_of
from dbrouter.backends.kernel.running import Runtime
from dbrouter.backends.kernel.store import Store
from dbrouter.policies.trace_buffer import EVERY_PART, Every, Share
from dbrouter.router.any_agno.call import Call
from dbrouter.router.families.context import Part
from dbrouter.router.families.programs import Programs
from dbrouter.router.routed import RoutedStore
from dbrouter.router.routes import Component
from dbrouter.router.tenancy.binding import All, Whose, checked_name
from dbrouter.router.tenancy.calls import call_by_call, current_call
from dbrouter.router.tenancy.claims import Claims, InTurn
from dbrouter.router.tenancy.everyone import Everyone
from dbrouter.router.tenancy.queueing import with_queue_of_all
from dbrouter.router.tenancy.request import current_request, refused, telling
from dbrouter.router.tenancy.scheduling import asks_for_company_automation
from dbrouter.router.tenancy.stores import TenantStores
from dbrouter.router.tenancy.tenants import Source, TenancyRules, Tenant
from dbrouter.router.tenancy.tracing import stamped
from dbrouter.router.tenancy.undecided import Undecided

R = TypeVar("R")


class Resolver(Protocol):
    """Finds out whose call an op is, as the rules say."""

    @property
    def rules(self) -> TenancyRules:
        """The rules."""
        ...

    def tenant_of(self, op: Op[Any], *, bound: Whose | None = None, component: Component | None = None) -> Whose | None:
        """The tenant's name, `ALL`, or `None` if nothing says so. `TenantConflict` if two sources disagree."""
        ...


class Catalog(Protocol):
    """The tenants that there are, now."""

    def get(self, name: str) -> Tenant:
        """The tenant of that name; `UnknownTenant` or `TenantSuspended` instead."""
        ...

    def tenants(self) -> Iterable[Tenant]:
        """All of them, suspended ones too."""
        ...

    def on_change(self, callback: Callable[[frozenset[str]], object], /) -> None:
        """Have this told the names of tenants that are gone, or kept elsewhere now."""
        ...

    async def ready(self) -> None:
        """Return when they are known, without holding an event loop up while they are read the first time."""
        ...

    async def close(self) -> None:
        """Stop looking for others; to be begun again when somebody asks."""
        ...


IN_OPS = frozenset({Source.USER_ID, Source.COMPONENT})
"""Sources that each op speaks for by itself."""

EVERYBODYS = Part()
"""The rows of families that all tenants share."""


class Nobody(Enum):
    """Nothing says whose an op is."""

    NOBODY = "nobody"


NOBODY = Nobody.NOBODY

OnClaim: TypeAlias = Callable[[Claim, "str | None", "Record | None"], None]
"""Called where the claim was made, with whose record was claimed; with two `None` if there was none."""


def _nobodys_trace(_: str, /) -> str | None:
    return None


def _not_begun_here(_: str, /) -> bool:
    return False


def _not_told(_op: Claim, _whose: str | None, _record: Record | None, /) -> None:
    return


def _missing(op: Op[Any]) -> MissingTenant:
    return MissingTenant(
        f"{type(op).__name__} of {tables_of(op)[0]}: nothing that tenancy.resolve lists says which tenant this call is "
        f"for; bind one: db.for_tenant(...) or `with tenant(...):`"
    )


class Parts:
    """What all views of one switch share."""

    def __init__(
        self,
        deployment: RoutedStore,
        stores: TenantStores,
        resolver: Resolver,
        catalog: Catalog,
        *,
        shared: frozenset[str] = frozenset(),
        tenant_of_trace: Callable[[str], str | None] = _nobodys_trace,
        trace_began_here: Callable[[str], bool] = _not_begun_here,
        on_claim: OnClaim = _not_told,
    ) -> None:
        """Hold them together.

        deployment: the store of the families that belong to nobody, `shared`. tenant_of_trace: whose a trace is that
        somebody writes who has no context, by its id. trace_began_here: whether that may be known later, for the trace
        is one of this process. on_claim: told of each claim that named no tenant.
        """
        self.deployment = deployment
        self.stores = stores
        self.resolver = resolver
        self.catalog = catalog
        self.shared = shared
        self.tenant_of_trace = tenant_of_trace
        self.trace_began_here = trace_began_here
        self.undecided = Undecided()
        self.on_claim = on_claim
        self.is_ready = False
        self.claims = Claims(self._active, lambda name: stores.unmetered(catalog.get(name)), stores.runtime)
        self.work = InTurn(self._active, stores.runtime)
        self.everyone = Everyone(stores, catalog.tenants)
        catalog.on_change(stores.forget)

    async def get_ready(self) -> None:
        """Return when tenants are known: reading them the first time must not hold an event loop up."""
        if not self.stores.runtime.blocking:
            await self.catalog.ready()
        self.is_ready = True

    def _active(self) -> Iterable[str]:
        return [each.name for each in self.catalog.tenants() if not each.suspended]


class TenantSwitch:
    """Executes each op on its tenant's store. Nothing is asked of any database before the tenant is known.

    bound: whose calls these are, if a view says so. component: the component of whose db this is the store.
    """

    def __init__(self, parts: Parts, *, bound: Whose | None = None, component: Component | None = None) -> None:
        self.parts = parts
        self.runtime: Runtime = parts.stores.runtime
        self._bound = bound
        self._component = component
        deployment = parts.deployment
        self._deployment = deployment if component is None else deployment.bound(component)

    @property
    def capabilities(self) -> Capabilities:
        """Everything: each database stands behind the kernel's emulation."""
        return EVERYTHING_NATIVE

    def bound(self, component: Component) -> TenantSwitch:
        """The same, for the calls of one component."""
        return TenantSwitch(self.parts, bound=self._bound, component=component)

    def for_tenant(self, whose: Whose) -> TenantSwitch:
        """The same, for the calls of one tenant, or an operator's for `ALL`. `TenantLocked` if it is another's.

        `UnknownTenant` and `TypeError` for what no tenant can be called: it must not become the default one.
        """
        if not isinstance(whose, All):
            checked_name(whose)
        if self._bound is not None and self._bound != whose:
            raise TenantLocked(f"this db is {self._bound!r}'s and cannot become {whose!r}'s; ask the router itself")
        return TenantSwitch(self.parts, bound=whose, component=self._component)

    @property
    def bound_to(self) -> Whose | None:
        """Whose calls these are, if a view says so."""
        return self._bound

    @property
    def rules(self) -> TenancyRules:
        """How tenants are found."""
        return self.parts.resolver.rules

    async def execute(self, op: Op[R], /) -> R:
        """The tenant's answer."""
        parts = self.parts
        try:
            if not parts.is_ready:
                await parts.get_ready()
            whose = self._whose(op)
            if isinstance(whose, str):
                # Nearly every call; the rest is for those that name no one tenant.
                return await parts.stores.of(parts.catalog.get(whose), self._component).execute(op)
            return await self._executed(op, whose)
        except PolicyError as error:
            # Whatever becomes of the error on its way, the answer to the request tells of it.
            refused(error)
            raise

    async def _executed(self, op: Op[R], whose: All | Nobody | None) -> R:
        if whose is not NOBODY:
            return await self._store(whose).execute(op)
        # Only those who work for all tenants may say nothing, and no request does.
        if current_request() is None:
            if isinstance(op, Claim):
                return cast("R", await self._claimed(op))
            if asks_for_company_automation(op):
                return await self._deployment.execute(op)
            name = self.parts.claims.tenant_of(op)
            if name is not None:
                answer = await self._store(name).execute(op)
                self.parts.claims.note(op, name)
                return answer
        raise _missing(op)

    async def _claimed(self, op: Claim) -> Record | None:
        found = await self.parts.claims.claim(op)
        if found is None:
            self.parts.on_claim(op, None, None)
            return None
        name, record = found
        self.parts.on_claim(op, name, record)
        return record

    def whose(self, op: Op[Any]) -> Whose | None:
        """The tenant whose op it is, `None` for one that is everybody's. `MissingTenant` if nothing says whose."""
        whose = self._whose(op)
        if whose is not NOBODY:
            return whose
        name = None if current_request() is not None else self.parts.claims.tenant_of(op)
        if name is None:
            error = _missing(op)
            refused(error)
            raise error
        return name

    def _whose(self, op: Op[Any]) -> Whose | Nobody | None:
        parts = self.parts
        tables = tables_of(op)
        for table in tables:
            if table not in TABLES:
                raise TenantError(f"{table}: no call can name this table while there are tenants")
        if parts.shared and self._is_shared(tables):
            return None
        whose = self._said(op)
        call = current_call()
        if call is not None:
            whose = call.agreed(op, whose, self._said)
        return NOBODY if whose is None else whose

    def _said(self, op: Op[Any]) -> Whose | None:
        return self.parts.resolver.tenant_of(op, bound=self._bound, component=self._component)

    def part_of(self, op: Op[Any], /) -> Part:
        """The tenant whose rows an op is about, for those who remember something of them."""
        whose = self.whose(op)
        return EVERYBODYS if whose is None else Part(whose, read_only=isinstance(whose, All))

    def programs(self, programs: Programs, /) -> Programs:
        """The families' programs on this store, as its calls are told apart."""
        # Where ops say whose they are, one op of a call speaks for the others.
        if not IN_OPS.isdisjoint(self.rules.resolve):
            programs = call_by_call(programs)
        return with_queue_of_all(programs, self)

    async def names_nobody(self, op: Op[Any], /) -> bool:
        """Whether nothing says whose the op is, and it is none of a request's: then it may be that of a worker."""
        if current_request() is not None or self._whose(op) is not NOBODY:
            return False
        if not self.parts.is_ready:
            await self.parts.get_ready()
        return True

    async def has_some(self, whose: str, op: Scan, /) -> bool:
        """Whether a tenant has any such record. It uses up nothing of what the tenant may use."""
        parts = self.parts
        tenant = parts.catalog.get(whose)
        if parts.stores.in_agno(TABLES[op.table].family, tenant):
            # Nobody can look into it without a method of agno's.
            return True
        return bool((await parts.stores.unmetered(tenant).execute(op)).records)

    async def delegates(self, call: Call, /) -> bool:
        """Whether the call is of a tenant, or of everybody, whose rows of its family are in an agno database."""
        parts = self.parts
        try:
            if not parts.is_ready:
                await parts.get_ready()
            whose = self._whose(call)
            if whose is None:
                return parts.stores.in_agno(call.family, None)
            return isinstance(whose, str) and parts.stores.in_agno(call.family, parts.catalog.get(whose))
        except PolicyError as error:
            refused(error)
            raise

    def shares(self, upserts: Sequence[Upsert], /) -> tuple[list[Share], PolicyError | None]:
        """What of these writes is whose; and why some of them are nobody's, if some are."""
        shares: list[Share] = []
        refusal: PolicyError | None = None
        for upsert in upserts:
            for part in _by_trace(upsert):
                trace_id = part.records[0]["trace_id"]
                try:
                    whose = self._writer_of(part)
                except MissingTenant as error:
                    if self.parts.trace_began_here(trace_id):
                        self.parts.undecided.hold(trace_id, part)
                    else:
                        refusal = error
                except PolicyError as error:
                    refusal = error
                else:
                    # What waited is whose the trace is; one of several tenants says nothing of what has no stamp.
                    known = self.parts.tenant_of_trace(trace_id)
                    held = self.parts.undecided.taken(trace_id) if known is not None else ()
                    shares.append((whose, (*held, part)))
        return shares, refusal

    def some_wait(self) -> bool:
        """Whether traces wait for their tenant to be known. Those that have for too long are dropped now."""
        return self.parts.undecided.expire()

    def share_read(self, op: Op[object], /) -> Hashable | Every:
        """Whose traces a read is about."""
        whose = self.whose(op)
        if whose is None or isinstance(whose, All):
            return EVERY_PART if whose is not None else None
        with telling():
            return self.parts.catalog.get(whose).name

    def share_store(self, part: Hashable, /) -> Store:
        """The store of a tenant's traces; of everybody's if `part` is `None`."""
        with telling():
            return self._store(cast("str | None", part))

    def _writer_of(self, upsert: Upsert) -> str | None:
        """The tenant whose trace is written."""
        parts = self.parts
        if parts.shared and self._is_shared((upsert.table,)):
            return None
        known = parts.tenant_of_trace(upsert.records[0]["trace_id"])
        said = self._said(upsert)
        if isinstance(said, All):
            raise MissingTenant("traces: nothing is written for all tenants at once; name the tenant")
        if known is None and said is None:
            raise MissingTenant("traces: nothing says whose this trace is; it was not stored")
        if known is not None and said is not None and known != said:
            raise TenantConflict(f"the trace began as tenant {known!r}'s and is written as {said!r}'s")
        name = known if said is None else said
        # A tenant that there is not, or that is suspended, is refused now and not behind the caller's back.
        return parts.catalog.get(cast("str", name)).name

    def _store(self, whose: Whose | None) -> Store:
        if whose is None:
            return self._deployment
        if isinstance(whose, All):
            return self.parts.everyone
        return self.parts.stores.of(self.parts.catalog.get(whose), self._component)

    def _is_shared(self, tables: tuple[str, ...]) -> bool:
        shared = [TABLES[table].family in self.parts.shared for table in tables]
        if any(shared) and not all(shared):
            raise Unsupported(f"{', '.join(tables)}: one call for rows of a tenant and for rows that are everybody's")
        return shared[0]

    def physical_name(self, table: str) -> str:
        """What the table is called in its family's default database."""
        return self.parts.deployment.physical_name(table)

    async def existing_tables(self) -> frozenset[str]:
        """Physical names of the tables in the deployment's own databases."""
        return await self.parts.deployment.existing_tables()

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        """Create those of these tables that are everybody's; tenants' are made when they are first written to."""
        shared = tuple(table for table in tables if TABLES[table].family in self.parts.shared)
        if shared:
            await self.parts.deployment.create_tables(shared)

    async def ping(self) -> None:
        """Return if every database of the deployment answers."""
        await self.parts.deployment.ping()

    async def close(self) -> None:
        """Close every database. They may be used again afterwards."""
        try:
            await self.parts.catalog.close()
        finally:
            self.parts.undecided.close()
            await self.parts.stores.close()


def _by_trace(upsert: Upsert) -> list[Upsert]:
    """The records of each trace and tenant as a write of their own: those of one export may be of several."""
    if len(upsert.records) == 1:
        return [upsert]
    traces: dict[tuple[str, str | None], list[Record]] = {}
    for record in upsert.records:
        traces.setdefault((record["trace_id"], stamped(record)), []).append(record)
    return [replace(upsert, records=tuple(records)) for records in traces.values()] if len(traces) > 1 else [upsert]
