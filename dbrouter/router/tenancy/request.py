"""The binding of one request: shared by all its tasks and threads, and locked to the first tenant that is found."""

from __future__ import annotations

from collections.abc import Generator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dbrouter.backends.kernel.errors import PolicyError, TenantLocked
from dbrouter.backends.kernel.forking import lock
from dbrouter.router.tenancy.binding import All, Whose, current

if TYPE_CHECKING:
    from dbrouter.router.tenancy.request_sources import RequestSources

Scope = MutableMapping[str, Any]
"""An ASGI connection scope."""


class Request:
    """One request or websocket connection, from its first byte to the last task that it started."""

    __slots__ = ("_lock", "checked", "path_tenant", "refused", "scope", "sources", "tenant", "token")

    def __init__(self, scope: Scope, *, path_tenant: str | None = None, sources: RequestSources | None = None) -> None:
        self.scope = scope
        self.sources = sources
        """Reads what it says of its tenant, for what is no call of a database."""
        self.path_tenant = path_tenant
        """What the path said before the prefix was taken off it."""
        self.tenant: str | None = None
        """Whose request it is, once that is known."""
        self.refused: PolicyError | None = None
        """Why a call of this request was refused, the first time."""
        self.checked: tuple[str, Mapping[str, Any] | None] | None = None
        """The token that was checked last, and its claims if its signature holds."""
        self.token: str | None = None
        """The token that AgentOS accepted over a websocket, which is authenticated after it is open."""
        self._lock = lock()

    def hold(self, whose: Whose) -> None:
        """Make it this tenant's request for good. `TenantLocked` if it is another's, or for all of them."""
        self.refuse_another(whose)
        if self.tenant is None:
            with self._lock:
                if self.tenant is None and not isinstance(whose, All):
                    self.tenant = whose
            # Of two threads that found different tenants at once, one was first.
            self.refuse_another(whose)

    def refuse_another(self, whose: Whose) -> None:
        """Raise `TenantLocked` if it is another tenant's request already, or for all tenants: no request is theirs."""
        if isinstance(whose, All):
            raise TenantLocked("a request is under way: it cannot be bound to ALL tenants")
        if self.tenant is not None and self.tenant != whose:
            error = TenantLocked("this request is another tenant's already")
            # Beside the message, which AgentOS may show to a client: no tenant is told another's name.
            error.add_note(f"it is {self.tenant!r}'s and cannot become {whose!r}'s")
            raise error


def current_request() -> Request | None:
    """The request that is under way in this context, if one is."""
    binding = current()
    return binding if isinstance(binding, Request) else None


def refused(error: PolicyError) -> None:
    """Note on the request why a call of it was refused, so that its answer can say so whatever becomes of the error."""
    request = current_request()
    if request is not None and request.refused is None:
        request.refused = error


@contextmanager
def telling() -> Generator[None]:
    """Note a refusal that leaves the block."""
    try:
        yield
    except PolicyError as error:
        refused(error)
        raise
