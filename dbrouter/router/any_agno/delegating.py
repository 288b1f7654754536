"""What stands in for a family's program where its calls may go to an agno database."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dbrouter.backends.kernel.store import Store
from dbrouter.router.any_agno.call import Call
from dbrouter.router.any_agno.families import table_of, verdict
from dbrouter.router.any_agno.store import AgnoStore
from dbrouter.router.families import FAMILY_CLASSES
from dbrouter.router.families.programs import Programs
from dbrouter.router.routes import SCHEMA_VERSIONS, Routes
from dbrouter.router.threaded import Threaded

AS_OPS = frozenset({"upsert_trace", "create_span", "create_spans"})
"""Methods that stay ops all the way: traces are collected, and written through agno's methods behind the caller."""


Delegates = Callable[[Call], Awaitable[bool]]
"""Says whether a call goes to an agno database: where tenants have their own, that depends on whose call it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgnoDatabases:
    """The agno databases of a router, and the families of the whole deployment that can be in one.

    stores: those that are open. names: all of them. by_tenant: whether tenants may have some of their own.
    """

    stores: Mapping[str, AgnoStore]
    names: frozenset[str]
    families: frozenset[str]
    by_tenant: bool = False
    only: frozenset[str] = field(default_factory=frozenset[str])
    """Families that are nowhere else."""

    @property
    def without(self) -> frozenset[str]:
        """Methods that no database of their family has, so that the router must not have them either."""
        found: set[str] = set()
        for family in self.only:
            lacking = [verdict(each.cls, family).without for each in self.stores.values()]
            found |= frozenset[str].intersection(*lacking) if lacking else frozenset[str]()
        return frozenset(found)

    def programs(self, programs: Programs, store: Store, delegates: Delegates | None) -> Programs:
        """The programs over this store, with stand-ins for those whose calls may go to an agno database."""
        for family, classes in FAMILY_CLASSES.items():
            if family == SCHEMA_VERSIONS or (family not in self.families and not self.by_tenant):
                continue
            for attribute, program in list(vars(programs).items()):
                if isinstance(program, classes):
                    setattr(programs, attribute, _StandIn(program, family, store, delegates))
        return programs

    def register(self, shared: Mapping[str, Any]) -> None:
        """Let the classes know what agno registers on the router."""
        for each in self.stores.values():
            each.methods.registered = shared


class _StandIn:
    """A family's program: each of its methods becomes a call, where that goes to an agno database."""

    def __init__(self, program: object, family: str, store: Store, delegates: Delegates | None) -> None:
        self._program = program
        self._family = family
        self._store = store
        self._delegates = delegates

    def __getattr__(self, name: str) -> Any:
        own = getattr(self._program, name)
        if name in AS_OPS or not inspect.iscoroutinefunction(own):
            return own
        table, store, delegates = table_of(self._family, name), self._store, self._delegates
        signature = inspect.signature(own)

        async def called(*args: Any, **kwargs: Any) -> Any:
            if args:
                kwargs = {**signature.bind(*args, **kwargs).arguments}
            call = Call(table=table, method=name, arguments=kwargs)
            if delegates is None or await delegates(call):
                return await store.execute(call)
            return await own(**kwargs)

        # Found at once the next time.
        setattr(self, name, called)
        return called


def agno_stores(stores: Mapping[str, Store]) -> dict[str, AgnoStore]:
    """Those of these stores that are agno databases, perhaps on threads."""
    inner = {name: store.inner if isinstance(store, Threaded) else store for name, store in stores.items()}
    return {name: store for name, store in inner.items() if isinstance(store, AgnoStore)}


def in_agno(routes: Routes, names: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The families of which some rows are in these databases, and those of which all are."""
    held = {family: set(routes.databases(family)) for family in routes.families}
    some = frozenset(family for family, databases in held.items() if databases & names)
    return some, frozenset(family for family in some if held[family] <= names)
