"""One `db=` object for agno that is many databases underneath."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from dbrouter.backends.kernel.errors import (
    ConfigError,
    Conflict,
    Corrupt,
    CrossedTenant,
    DbRouterError,
    Duplicate,
    ForeignOwner,
    LimitExceeded,
    MissingParent,
    MissingTenant,
    PolicyError,
    RoutingError,
    StoreError,
    TenantConflict,
    TenantError,
    TenantLocked,
    TenantSuspended,
    Throttled,
    TooLarge,
    Unavailable,
    UnknownTenant,
    Unstorable,
    Unsupported,
)

if TYPE_CHECKING:
    from dbrouter.router.answering import answer_errors
    from dbrouter.router.db import AsyncDbRouter, DbRouter
    from dbrouter.router.tenancy.binding import ALL, tenant
    from dbrouter.router.tenancy.middleware import TenantMiddleware
    from dbrouter.router.tenancy.protecting import protect

    __version__: str

__all__ = [
    "ALL",
    "AsyncDbRouter",
    "ConfigError",
    "Conflict",
    "Corrupt",
    "CrossedTenant",
    "DbRouter",
    "DbRouterError",
    "Duplicate",
    "ForeignOwner",
    "LimitExceeded",
    "MissingParent",
    "MissingTenant",
    "PolicyError",
    "RoutingError",
    "StoreError",
    "TenantConflict",
    "TenantError",
    "TenantLocked",
    "TenantMiddleware",
    "TenantSuspended",
    "Throttled",
    "TooLarge",
    "Unavailable",
    "UnknownTenant",
    "Unstorable",
    "Unsupported",
    "__version__",
    "answer_errors",
    "protect",
    "tenant",
]


_LATER = {
    "ALL": "dbrouter.router.tenancy.binding",
    "TenantMiddleware": "dbrouter.router.tenancy.middleware",
    "answer_errors": "dbrouter.router.answering",
    "protect": "dbrouter.router.tenancy.protecting",
    "tenant": "dbrouter.router.tenancy.binding",
}


def __getattr__(name: str) -> Any:
    """Import the routers, and agno with them, when they are first asked for."""
    if name in {"AsyncDbRouter", "DbRouter"}:
        from dbrouter.router import db

        return getattr(db, name)
    if name in _LATER:
        return getattr(importlib.import_module(_LATER[name]), name)
    if name == "__version__":
        from importlib.metadata import version

        return version("dbrouter")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
