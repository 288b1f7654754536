"""What a client is told when tenancy refused its request: a status and public words, no names, no reasons within."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable

from dbrouter.backends.kernel.errors import (
    CrossedTenant,
    LimitExceeded,
    MissingTenant,
    PolicyError,
    TenantConflict,
    TenantLocked,
    TenantSuspended,
    UnknownTenant,
)

Headers = list[tuple[bytes, bytes]]

_ANSWERS: dict[type[PolicyError], tuple[int, str, str]] = {
    MissingTenant: (400, "tenant_missing", "This request does not say which tenant it is for."),
    UnknownTenant: (404, "tenant_unknown", "There is no such tenant."),
    TenantSuspended: (403, "tenant_suspended", "This tenant is suspended."),
    TenantConflict: (403, "tenant_conflict", "This request names more than one tenant."),
    TenantLocked: (403, "tenant_locked", "This request is for another tenant already."),
    LimitExceeded: (429, "limit_exceeded", "This tenant is over its limit."),
    CrossedTenant: (500, "tenant_fault", "The request could not be answered safely."),
}
_OTHER = (500, "policy", "The request was refused.")


def told(error: PolicyError, *, beside: Iterable[tuple[bytes, bytes]] = ()) -> tuple[int, Headers, bytes]:
    """Status, headers and JSON body that tell a client of the refusal.

    beside: headers of the answer that it replaces; those that let a browser read it are kept.
    """
    status, id_, words = _answer(error)
    body = json.dumps({"detail": words, "error_id": id_, "error_type": "tenancy"}).encode()
    headers = [
        (name, value) for name, value in beside if name.lower().startswith(b"access-control-") or name == b"vary"
    ]
    headers += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if isinstance(error, LimitExceeded) and error.retry_after is not None:
        headers.append((b"retry-after", str(max(1, math.ceil(error.retry_after))).encode()))
    return status, headers, body


def _answer(error: PolicyError) -> tuple[int, str, str]:
    return next((_ANSWERS[each] for each in type(error).__mro__ if each in _ANSWERS), _OTHER)
