"""Every method that each mode serves, for tests that go through them all."""

from __future__ import annotations

import inspect
from typing import Any

from dbrouter import AsyncDbRouter, DbRouter
from dbrouter.config import load_mapping
from dbrouter.router.agno_types import AsyncBaseDb, BaseDb
from dbrouter.router.faces.async_all import ASYNC_FACES
from dbrouter.router.faces.sync_all import SYNC_FACES
from dbrouter.router.families import FAMILY_CLASSES

BY_TABLE_NAME = ("get_latest_schema_version", "upsert_schema_version")
"""What a router answers itself, by the table that is named."""


def methods_of(cls: type) -> list[str]:
    """The public methods that a class itself defines."""
    return [name for name, each in vars(cls).items() if inspect.isfunction(each) and not name.startswith("_")]


SYNC: list[tuple[str, str]] = [(family, name) for family, face in SYNC_FACES.items() for name in methods_of(face)]
ASYNC: list[tuple[str, str]] = [(family, name) for family, face in ASYNC_FACES.items() for name in methods_of(face)]
PROGRAMS: dict[str, Any] = {
    name: getattr(program, name)
    for programs in FAMILY_CLASSES.values()
    for program in programs
    for name in methods_of(program)
}
SETTINGS = load_mapping({"id": "whole", "databases": {"main": {"kind": "memory"}}, "agentos": {"db": "main"}})
ROUTER: DbRouter = DbRouter.from_settings(SETTINGS)
ASYNC_ROUTER: AsyncDbRouter = AsyncDbRouter.from_settings(SETTINGS)
"""Routers of every family; the async one has what agno does not await, too."""


def interface_of(base: type) -> list[str]:
    """Every public method that the installed agno declares on one of its two base classes."""
    return sorted(
        name
        for name, each in vars(base).items()
        if (inspect.isfunction(each) or isinstance(each, classmethod)) and not name.startswith("_")
    )


def declared_by_agno(name: str) -> Any:
    """A method as agno declares it for async databases, or else for blocking ones; `None` if it declares none."""
    return getattr(AsyncBaseDb, name, None) or getattr(BaseDb, name, None)


def awaited_by_agno(name: str) -> bool:
    """Whether agno awaits this method of an async database.

    What only `BaseDb` declares it calls unawaited, but for the two that its own async databases have as coroutines.
    """
    if hasattr(AsyncBaseDb, name):
        return inspect.iscoroutinefunction(getattr(AsyncBaseDb, name))
    return not hasattr(BaseDb, name) or name in ("upsert_sessions", "upsert_memories")
