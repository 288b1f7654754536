"""Whether metrics are being brought up to date, and how that went the last time, is each tenant's own.

AgentOS keeps it in memory, by the id of the db. So its routes are given the request's tenant's view of the router, with
an id that is that tenant's.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any

from dbrouter.router.tenancy.request import telling
from dbrouter.router.tenancy.run_ids import own_id, whose_it_is

_APART = "_dbrouter_apart"


def keep_refreshes_apart() -> None:
    """Give AgentOS's routes of metrics tenants' views. Once a process."""
    from dbrouter.router.agno_refreshing import metrics

    routes: Any = metrics
    if getattr(routes.get_db, _APART, False):
        return
    routes.get_db = _giving_views(routes.get_db, _own_view)
    routes.resolve_db_and_scope = _giving_views(
        routes.resolve_db_and_scope, lambda found: (_own_view(found[0]), *found[1:])
    )


def _giving_views(find: Callable[..., Awaitable[Any]], turned: Callable[[Any], Any]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(find)
    async def found(*args: Any, **options: Any) -> Any:
        return turned(await find(*args, **options))

    setattr(found, _APART, True)
    return found


def _own_view(db: Any) -> Any:
    with telling():
        whose = whose_it_is()
        if whose is None or getattr(db, "tenancy", None) is None:
            return db
        view = db.for_tenant(whose)
        view.id = own_id(str(db.id))
        return view
