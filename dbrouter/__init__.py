"""One `db=` object for agno that is many databases underneath."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbrouter.backends.kernel.errors import (
    ConfigError,
    Conflict,
    Corrupt,
    DbRouterError,
    Duplicate,
    ForeignOwner,
    MissingParent,
    PolicyError,
    RoutingError,
    StoreError,
    Throttled,
    TooLarge,
    Unavailable,
    Unstorable,
    Unsupported,
)

if TYPE_CHECKING:
    from dbrouter.router.db import AsyncDbRouter, DbRouter

    __version__: str

__all__ = [
    "AsyncDbRouter",
    "ConfigError",
    "Conflict",
    "Corrupt",
    "DbRouter",
    "DbRouterError",
    "Duplicate",
    "ForeignOwner",
    "MissingParent",
    "PolicyError",
    "RoutingError",
    "StoreError",
    "Throttled",
    "TooLarge",
    "Unavailable",
    "Unstorable",
    "Unsupported",
    "__version__",
]


def __getattr__(name: str) -> Any:
    """Import the routers, and agno with them, when they are first asked for."""
    if name in {"AsyncDbRouter", "DbRouter"}:
        from dbrouter.router import db

        return getattr(db, name)
    if name == "__version__":
        from importlib.metadata import version

        return version("dbrouter")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
