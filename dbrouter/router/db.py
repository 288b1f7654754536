"""`DbRouter` and `AsyncDbRouter`: what a user holds and agno takes as `db=`."""

from __future__ import annotations

import importlib
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Any, Self, cast

from dbrouter.backends.kernel.errors import RoutingError
from dbrouter.router.async_db import AsyncDb
from dbrouter.router.live import found
from dbrouter.router.opening import InProcess, SettingsSource, opened
from dbrouter.router.routes import Component
from dbrouter.router.sync_db import SyncDb
from dbrouter.router.wiring import Wired

if TYPE_CHECKING:
    from dbrouter.router.tenancy.binding import Whose
    from dbrouter.router.tenancy.tenants import TenancyRules

TYPE = "dbrouter"
"""The `type` in a stored configuration of a component. The rest that is needed is the id."""
KEEP_FILES = ("postgres", "sqlite")
"""Kinds of database in which agno keeps files."""


class Router(Wired):
    """What routers of both modes can do beyond agno's interface."""

    _keeps_files_in: str | None = None
    """The database of the deployment's sessions, where a configuration named it."""

    def __new__(cls, *given: Any, **options: Any) -> Self:
        """An instance. `TypeError` for the name of a file: agno's classes take one here."""
        if given and isinstance(given[0], str | PathLike):
            raise TypeError(f"{cls.__name__} is not made of a file's name; use {cls.__name__}.from_yaml({given[0]!r})")
        return super().__new__(cls, *given, **options)

    def bind(self, *, agent: str | None = None, team: str | None = None, workflow: str | None = None) -> Self:
        """A view of this router for one component, by its id: `Agent(id="x", db=router.bind(agent="x"))`.

        It has the same id, class, databases and connections; what it reads and writes goes to the component's
        databases without asking around.
        """
        named = [
            component
            for component in (
                agent is not None and Component("agent", agent),
                team is not None and Component("team", team),
                workflow is not None and Component("workflow", workflow),
            )
            if component
        ]
        if len(named) != 1:
            raise RoutingError("name one component: bind(agent=...), bind(team=...) or bind(workflow=...)")
        return self._view(self._wiring.bound(named[0]))

    def agno_db(self, name: str, *, asynchronous: bool = False) -> Any:
        """An object of agno's own class over the database of that name, for what agno does with that class only.

        `PgVector(db=router.agno_db("primary"))`: the same rows, on connections of its own, which is yours to close.
        What goes through it is neither routed nor merged. Postgres and SQLite only. `RoutingError` where there are
        tenants: it would see the rows of all of them.
        """
        from dbrouter.router.agno_classes import agnos_own
        from dbrouter.router.migrations.places import driver_of

        if self._wiring.tenants is not None:
            raise RoutingError(
                "a class of agno's sees the rows of every tenant; make one of a database that no tenant's rows are in"
            )
        database = self._wiring.databases.named(name)
        place = f"{self._wiring.id}:{name}"
        driver = driver_of(database.store)
        return agnos_own(driver, kind=database.kind, name=name, id_=place, asynchronous=asynchronous)

    @cached_property
    def db_engine(self) -> Any:
        """The SQLAlchemy engine by which agno keeps files: of its class, over the deployment's database of sessions.

        `AttributeError`, from which agno sees that there is none, where that database is neither Postgres nor SQLite,
        and where there are tenants: a file names none, so each would see those of all. An engine that is assigned takes
        its place.
        """
        kept_in = self._keeps_files_in
        if (
            kept_in is None
            or self._wiring.tenants is not None
            or self._wiring.databases.named(kept_in).kind not in KEEP_FILES
        ):
            raise AttributeError(f"{type(self).__name__} has no db_engine", name="db_engine", obj=self)
        engine = self.agno_db(kept_in, asynchronous=not self._wiring.store.runtime.blocking).db_engine
        self._engines.append(engine)
        return engine

    @property
    def tenancy(self) -> TenancyRules | None:
        """The rules by which tenants are found; `None` if there are no tenants."""
        tenants = self._wiring.tenants
        return None if tenants is None else tenants.rules

    @property
    def bound_to(self) -> Whose | None:
        """Whose view this is, of `for_tenant`; `None` for the router itself."""
        tenants = self._wiring.tenants
        return None if tenants is None else tenants.bound_to

    def for_tenant(self, whose: Whose) -> Self:
        """A view of this router for one tenant, by its name, or an operator's for `ALL` of them, which only reads.

        It has the same id, class, databases and connections, and can be bound: `router.for_tenant("acme").bind(...)`.
        """
        return self._view(self._wiring.for_tenant(whose))


class DbRouter(Router, SyncDb):
    """Many databases as one agno `db=`, for blocking code: `DbRouter.from_yaml("dbrouter.yaml")`."""

    @classmethod
    def from_yaml(cls, path: str | PathLike[str]) -> Self:
        """The router that this file describes. `ConfigError` names everything that is wrong with it, with lines."""
        return cls.from_settings(_load(path))

    @classmethod
    def from_settings(cls, settings: SettingsSource) -> Self:
        """The router that these settings describe."""
        parts = opened(settings, blocking=True)
        made = cls(
            parts.store,
            id=settings.id,
            serves=parts.serves,
            databases=parts.databases,
            on_conflict=settings.session_state.on_conflict,
            traces=parts.traces,
            agno=parts.agno,
        )
        made._keeps_files_in = parts.keeps_files_in
        return made

    def to_dict(self) -> dict[str, Any]:
        """What agno stores of a db beside a component: its id, its type and table names. No address, no secret."""
        return {**super().to_dict(), "type": TYPE}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> DbRouter:
        """The open router with that id. `RoutingError` if there is none: a stored dict cannot open databases."""
        return cast("DbRouter", found(cls, data.get("id")))


class AsyncDbRouter(Router, AsyncDb):
    """Many databases as one agno `db=`, for async code: `AsyncDbRouter.from_yaml("dbrouter.yaml")`."""

    @classmethod
    def from_yaml(cls, path: str | PathLike[str]) -> Self:
        """The router that this file describes. `ConfigError` names everything that is wrong with it, with lines."""
        return cls.from_settings(_load(path))

    @classmethod
    def from_settings(cls, settings: SettingsSource) -> Self:
        """The router that these settings describe. Databases without an async client run on threads."""
        in_process = InProcess()
        parts = opened(settings, blocking=False, in_process=in_process)
        made = cls(
            parts.store,
            id=settings.id,
            serves=parts.serves,
            databases=parts.databases,
            on_conflict=settings.session_state.on_conflict,
            traces=parts.traces,
            agno=parts.agno,
            blocking=lambda: opened(settings, blocking=True, in_process=in_process, beside=True),
        )
        made._keeps_files_in = parts.keeps_files_in
        return made

    def to_dict(self) -> dict[str, Any]:
        """What agno stores of a db beside a component: its id, its type and table names. No address, no secret."""
        return {**super().to_dict(), "type": TYPE}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> AsyncDbRouter:
        """The open router with that id. `RoutingError` if there is none: a stored dict cannot open databases."""
        return cast("AsyncDbRouter", found(cls, data.get("id")))


def _load(path: str | PathLike[str]) -> SettingsSource:
    # By name: configuration is built on the router, and only this call goes the other way.
    return cast("SettingsSource", importlib.import_module("dbrouter.config").load(path))
