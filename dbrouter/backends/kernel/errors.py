"""What can go wrong, in one tree: at load, in routing, in a store, in a policy.

Drivers translate their vendor's errors into these once, with `from`; nothing above a driver sees a
vendor's error. `retryable` is data on the error, so a policy can decide without knowing the backend; so is
`status_code`, which AgentOS answers where the route itself says nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass


class DbRouterError(Exception):
    """Anything dbrouter raises on purpose."""

    retryable: bool = False
    """Whether the same call may succeed later, unchanged."""

    status_code: int = 500
    """The status of HTTP that tells a client of it. Below 500 AgentOS sends the message along, else only the name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong with a configuration. `path` is the key's, with dots; `line` is 0 where there is no file."""

    file: str
    line: int
    path: str
    what: str
    do: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.path}: {self.what}; {self.do}" if self.path else f"{place}: {self.what}; {self.do}"


class ConfigError(DbRouterError):
    """The configuration cannot be served; raised at load, before the first request.

    `problems` are all that were found in the file, and the message is one line for each.
    """

    def __init__(self, message: str = "", *, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(message or "\n".join(str(problem) for problem in problems))
        self.problems = problems


class RoutingError(DbRouterError):
    """No database, or no single database, is named for this call."""


class PolicyError(DbRouterError):
    """A policy (tenancy, limits ...) refused the call."""


class TenantError(PolicyError):
    """Tenancy refused the call; nothing was read or written."""


class MissingTenant(TenantError):
    """Nothing says which tenant the call is for."""


class UnknownTenant(TenantError):
    """The call names a tenant that there is not."""


class TenantSuspended(TenantError):
    """The tenant is suspended."""


class TenantConflict(TenantError):
    """Two sources name different tenants for one call."""


class TenantLocked(TenantError):
    """A tenant is bound already, and cannot be changed before that binding ends."""


class CrossedTenant(TenantError):
    """A database answered with a row of another tenant. The row went no further; the database is set up wrongly."""


class LimitExceeded(PolicyError):
    """The tenant is over one of its limits; nothing was done. `retry_after`: seconds; `None` if waiting is no help."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.retryable = retry_after is not None


class StoreError(DbRouterError):
    """A database refused or failed an op."""


class Unavailable(StoreError):
    """The database could not be reached, or did not answer within its deadline.

    Never an empty answer: the caller knows nothing about what is stored.
    """

    retryable = True
    status_code = 503


class Throttled(StoreError):
    """The database asked to slow down."""

    retryable = True
    status_code = 503


class Conflict(StoreError):
    """A conditional write found another version than the one it expected."""

    retryable = True
    status_code = 409


class Duplicate(StoreError):
    """A unique key is taken by another record."""

    status_code = 409
    columns: tuple[str, ...] = ()
    """Those that would be the same, where the store says which."""


class MissingParent(StoreError):
    """A record names a parent (a run its session, a span its trace) that is not stored."""

    status_code = 409


class ForeignOwner(StoreError, ValueError):
    """A write would change a record of another owner. Also a `ValueError`: agno answers 404 or 400 on it in places."""

    status_code = 403


class Unsupported(StoreError):
    """The store cannot execute this op, and nothing was written."""


class TooLarge(StoreError):
    """A record is over the backend's limit; nothing was written."""

    status_code = 413


class Unstorable(StoreError, TypeError):
    """A value has no faithful stored form (a socket, a lambda); nothing was written."""

    status_code = 422


class Corrupt(StoreError):
    """A stored record cannot be read as what its table says."""


class RowsNotHeldBack(StoreError):
    """The database cannot keep one tenant's rows from another by itself, and is set up to; nothing was read or written.

    The message says what to change.
    """


class OutdatedSchema(StoreError):
    """An existing table lacks columns of today's schema; it is neither read nor written."""
