"""What AgentOS itself has proved about a request: the claims of its token, and that it comes from its own scheduler."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from dbrouter.router.tenancy.request import Request, Scope

SCHEDULED = "x-dbrouter-tenant"
"""The header in which AgentOS's scheduler tells AgentOS whose schedule it executes."""

_AUTHENTICATED = "_agno_auth_complete"
"""What AgentOS's authentication sets when it has decided; nothing else does."""


def verified_claims(request: Request) -> Mapping[str, Any] | None:
    """The claims of the request's token, if AgentOS accepted it and its signature holds; else `None`.

    AgentOS leaves the same marks on a request when it does not check signatures (`validate=False`), and any middleware
    can leave claims. So the token is checked again, once in a request, by the validator that AgentOS itself made.
    """
    if request.token is not None:
        return _checked(request, request.token)
    state = _state(request.scope)
    claims, token = state.get("claims"), state.get("token")
    if not (state.get(_AUTHENTICATED) is True and isinstance(claims, Mapping) and isinstance(token, str)):
        return None
    signed = _checked(request, token)
    return signed if signed == claims else None


def scheduled_tenant(scope: Scope) -> str | None:
    """The tenant that AgentOS's scheduler says the request is for. `None` from anybody else, whatever they send."""
    if _state(scope).get("is_internal_service") is not True:
        return None
    key = _app_state(scope, "internal_service_token")
    given = [value for name, value in scope.get("headers", ()) if name.lower() == SCHEDULED.encode()]
    if not isinstance(key, str) or len(given) != 1:
        return None
    return opened(given[0].decode("latin-1"), key)


def sealed(tenant: str, key: str) -> str:
    """A header's value that only a holder of the key can make, and that says the tenant."""
    name = base64.urlsafe_b64encode(tenant.encode("utf-8", "surrogatepass")).decode("ascii")
    return f"{name}.{_mac(name, key)}"


def opened(value: str, key: str) -> str | None:
    """The tenant in a sealed value; `None` if it was not made with this key."""
    name, _, mac = value.partition(".")
    if not hmac.compare_digest(mac.encode("latin-1"), _mac(name, key).encode("ascii")):
        return None
    try:
        return base64.urlsafe_b64decode(name).decode("utf-8", "surrogatepass")
    except (binascii.Error, UnicodeDecodeError):
        return None


def _mac(name: str, key: str) -> str:
    return hmac.new(key.encode(), b"dbrouter tenant 1\0" + name.encode("latin-1"), hashlib.sha256).hexdigest()


def _checked(request: Request, token: str) -> Mapping[str, Any] | None:
    if request.checked is None or request.checked[0] != token:
        request.checked = (token, _signed(request.scope, token))
    return request.checked[1]


def _signed(scope: Scope, token: str) -> Mapping[str, Any] | None:
    validator = _app_state(scope, "jwt_validator")
    if validator is None or getattr(validator, "validate", None) is not True:
        return None
    audience = None
    if _app_state(scope, "jwt_verify_audience"):
        audience = _app_state(scope, "jwt_audience") or _app_state(scope, "agent_os_id")
    try:
        return cast("Mapping[str, Any]", validator.validate_token(token, audience))
    except ValueError:
        return None
    except Exception as error:
        # PyJWT is AgentOS's dependency, not ours: its errors are known by name.
        if any(each.__name__ == "PyJWTError" for each in type(error).__mro__):
            return None
        raise


def _state(scope: Scope) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", scope.get("state") or {})


def _app_state(scope: Scope, name: str) -> Any:
    return getattr(getattr(scope.get("app"), "state", None), name, None)
