"""`DbRouter` and `AsyncDbRouter`: what a user holds and agno takes as `db=`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Self, cast

from dbrouter.backends.kernel.errors import RoutingError
from dbrouter.router.async_db import AsyncDb
from dbrouter.router.live import found
from dbrouter.router.opening import SettingsSource, opened
from dbrouter.router.routes import Component
from dbrouter.router.sync_db import SyncDb
from dbrouter.router.wiring import Wired

if TYPE_CHECKING:
    from os import PathLike

    from dbrouter.router.tenancy.binding import Whose
    from dbrouter.router.tenancy.tenants import TenancyRules

TYPE = "dbrouter"
"""The `type` in a stored configuration of a component. The rest that is needed is the id."""


class Router(Wired):
    """What routers of both modes can do beyond agno's interface."""

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

    @property
    def tenancy(self) -> TenancyRules | None:
        """The rules by which tenants are found; `None` if there are no tenants."""
        tenants = self._wiring.tenants
        return None if tenants is None else tenants.rules

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
        return cls(
            parts.store,
            id=settings.id,
            serves=parts.serves,
            databases=parts.databases,
            on_conflict=settings.session_state.on_conflict,
            traces=parts.traces,
        )

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
        parts = opened(settings, blocking=False)
        return cls(
            parts.store,
            id=settings.id,
            serves=parts.serves,
            databases=parts.databases,
            on_conflict=settings.session_state.on_conflict,
            traces=parts.traces,
        )

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
