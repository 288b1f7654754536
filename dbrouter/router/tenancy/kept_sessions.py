"""Sessions that agents, teams and workflows keep between runs (`cache_session`) are served to their tenant alone.

agno drops a kept session when the component gets another db. Here one db is all tenants', so a session is also not
served where another tenant is bound than when it was kept: that tenant reads its own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from dbrouter.router.tenancy.run_ids import whose_it_is

KEPT_FOR = "_dbrouter_kept_for"
_APART = "_dbrouter_apart"


def keep_sessions_apart() -> None:
    """Have agno's components keep sessions by tenant. Once a process: components without tenants notice nothing."""
    from dbrouter.router.agno_components import Agent, Team, Workflow

    for component in (Agent, Team, Workflow):
        keeps: Any = component
        if not getattr(keeps._get_cached_session, _APART, False):  # noqa: SLF001  # agno has no other way in
            keeps._set_cached_session = _noting(keeps._set_cached_session)  # noqa: SLF001
            keeps._get_cached_session = _asking(keeps._get_cached_session)  # noqa: SLF001


def _noting(keep: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    @functools.wraps(keep)
    def kept(self: Any, session: Any) -> None:
        # On the session, which copies of the component share.
        setattr(session, KEPT_FOR, whose_it_is())
        keep(self, session)

    return kept


def _asking(serve: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(serve)
    def served(self: Any, *args: Any, **options: Any) -> Any:
        session = serve(self, *args, **options)
        return session if session is None or getattr(session, KEPT_FOR, None) == whose_it_is() else None

    setattr(served, _APART, True)
    return served
