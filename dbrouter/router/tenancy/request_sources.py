"""What a request says of its tenant: a verified claim, a header, the host, the path, AgentOS's own scheduler.

All is read from the ASGI scope when a call asks, so after whatever authenticates the request, in whichever order the
middlewares were added.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from dbrouter.backends.kernel.errors import TenantConflict, UnknownTenant
from dbrouter.router.tenancy.binding import checked_name
from dbrouter.router.tenancy.hosts import host_in, is_label
from dbrouter.router.tenancy.patterns import Pattern
from dbrouter.router.tenancy.request import Request, Scope
from dbrouter.router.tenancy.tenants import Source, TenancyRules
from dbrouter.router.tenancy.verified import scheduled_tenant, verified_claims


class RequestSources:
    """Reads requests by one set of rules."""

    def __init__(self, rules: TenancyRules) -> None:
        self._claim = rules.claim if Source.CLAIM in rules.resolve else None
        asked = Source.REQUEST in rules.resolve
        self._header = rules.header.lower().encode("latin-1") if asked and rules.header else None
        self._host = Pattern.of(rules.host.lower()) if asked and rules.host else None
        self._path = asked and rules.path is not None
        self.are_any = self._claim is not None or asked
        """Whether requests are to say whose they are."""

    def answers(self, request: Request) -> Iterator[tuple[str, str]]:
        """What each source in the request says, with its name in words. Raises where one cannot be read one way."""
        scope = request.scope
        scheduled = scheduled_tenant(scope)
        if scheduled is not None:
            yield "the scheduler", scheduled
        if self._claim is not None:
            claimed = _claim_in(verified_claims(request), self._claim)
            if claimed is not None:
                yield "the verified claim", claimed
        if self._header is not None:
            named = _header_in(scope, self._header)
            if named is not None:
                yield "the header", named
        if self._host is not None:
            named = _host_in(scope, self._host)
            if named is not None:
                yield "the host", named
        if self._path and request.path_tenant is not None:
            yield "the path", checked_name(request.path_tenant)


def _claim_in(claims: Mapping[str, Any] | None, name: str) -> str | None:
    """The claim of this name, or at this path: some issuers write names with dots in them."""
    if claims is None:
        return None
    found: Any = claims.get(name)
    if found is None:
        found = claims
        for part in name.split("."):
            found = cast("Mapping[str, Any]", found).get(part) if isinstance(found, Mapping) else None
    if found is None:
        return None
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    if not isinstance(found, str):
        raise UnknownTenant(f"the claim {name} is of type {type(found).__name__}, not a tenant's name")
    return checked_name(found)


def _header_in(scope: Scope, name: bytes) -> str | None:
    given = _headers(scope, name)
    if not given:
        return None
    if len(given) > 1 or b"," in given[0]:
        # A proxy may join two headers into one with a comma: which of the two was checked, nobody knows.
        raise TenantConflict(f"the header {name.decode('latin-1')} is given more than once")
    return checked_name(_text(given[0].strip(), f"the header {name.decode('latin-1')}"))


def _host_in(scope: Scope, pattern: Pattern) -> str | None:
    given = _headers(scope, b"host")
    if not given:
        return None
    if len(given) > 1:
        raise TenantConflict("the Host header is given more than once")
    host = host_in(given[0])
    named = None if host is None else pattern.tenant_in(host)
    # One label of a host name: with a dot in it, it would be a host below another tenant's.
    return named if named is not None and is_label(named) else None


def _headers(scope: Scope, name: bytes) -> list[bytes]:
    return [value for key, value in scope.get("headers", ()) if key.lower() == name]


def _text(value: bytes, where: str) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnknownTenant(f"{where} is not UTF-8, so it names no tenant") from error
