"""Runs in the memory of the process: agno finds their events and cancellations by the id alone, whosever they are.

Under the ids that these functions give, each tenant has runs of its own there too. The ids are seen by agno's streams
and managers only, and never by a client.
"""

from __future__ import annotations

import json

from dbrouter.backends.kernel.errors import MissingTenant, TenantConflict
from dbrouter.router.tenancy.binding import Bound, Claimed, current
from dbrouter.router.tenancy.request import Request, telling


def own_id(run_id: str) -> str:
    """The id of this tenant's run; the run's own where no tenant is known.

    What is written of a run is written by calls that have stored it before, so by then a request's tenant is known.
    """
    with telling():
        return _id_of(whose_it_is(), run_id)


def asked_id(run_id: str) -> str:
    """The same, for what is asked of runs. `MissingTenant` in a request that should name its tenant and does not."""
    with telling():
        whose = whose_it_is()
        binding = current()
        if whose is None and isinstance(binding, Request) and binding.sources is not None and binding.sources.are_any:
            raise MissingTenant("nothing that tenancy.resolve lists says which tenant this request is for")
        return _id_of(whose, run_id)


def own_ids(run_id: str) -> tuple[str, ...]:
    """The ids under which a run may be ended: this tenant's, and the plain one, by which code of no tenant ends it."""
    own, nobodys = own_id(run_id), _id_of(None, run_id)
    return (own,) if own == nobodys else (own, nobodys)


def seen_here(run_id: str) -> str | None:
    """The run's own id, if it is one of this tenant's; where no tenant is known, every run is seen as it is kept."""
    whose = whose_it_is()
    if whose is None:
        return run_id
    try:
        found = json.loads(run_id)
    except ValueError:
        return None
    match found:
        case [named, str(own)] if named == whose:
            return own
        case _:
            return None


def whose_it_is() -> str | None:
    """The tenant of this context, as far as it is known without a call of a database."""
    match current():
        case None:
            return None
        case Bound(whose=whose):
            return whose if isinstance(whose, str) else None
        case Claimed() as claimed:
            return None if claimed.is_claimers else claimed.whose
        case request:
            return request.tenant if request.tenant is not None else _said(request)


def _id_of(whose: str | None, run_id: str) -> str:
    if whose is not None:
        return json.dumps([whose, run_id])
    # As it is, but for one that could be read as a tenant's: whoever has no tenant cannot name another's run by it.
    return json.dumps([run_id]) if str(run_id).startswith("[") else run_id


def _said(request: Request) -> str | None:
    """What the request itself says, before a call of it has asked a database."""
    if request.sources is None:
        return None
    named = {whose for _, whose in request.sources.answers(request)}
    if len(named) > 1:
        raise TenantConflict("the sources of this request name different tenants")
    return named.pop() if named else None
