"""AgentOS with tenants, in one call."""

from __future__ import annotations

from typing import Any, cast

from dbrouter.backends.kernel.errors import ConfigError, LimitExceeded, PolicyError, TenantError
from dbrouter.router.answering import answer_errors
from dbrouter.router.tenancy.middleware import HasTenants, Receive, Send, TenantMiddleware
from dbrouter.router.tenancy.queueing import bind_executions
from dbrouter.router.tenancy.refreshing import keep_refreshes_apart
from dbrouter.router.tenancy.refusals import told
from dbrouter.router.tenancy.request import Scope
from dbrouter.router.tenancy.scheduling import sign_calls

_ORDERS = "_dbrouter_orders"


def protect(agent_os: Any, db: HasTenants | None = None) -> Any:
    """AgentOS's app, in which each request is one tenant's.

    `app = protect(AgentOS(...))` is `agent_os.get_app()` with `TenantMiddleware`, with refusals answered inside of CORS
    so that browsers can read them, with every other error of ours answered by its status (`answer_errors`), with a
    scheduler that calls AgentOS in the name of the schedule's tenant, with a worker of the durable queue that executes
    each job as its tenant's, and with events and cancellations of runs that are each tenant's own. Take the app from
    here and from nowhere else. An app that was made already is taken too: `protect(app, db=router)`. db: AgentOS's own
    if left out.

    `ConfigError` without a router, and if agents have views of several tenants and AgentOS does not have their router;
    so does `agent_os.resync(app)`, for agents that came since.
    """
    app: Any = agent_os.get_app() if hasattr(agent_os, "get_app") else agent_os
    if hasattr(agent_os, "dbs"):
        _keep_the_routers_first(agent_os)
    router = cast("HasTenants | None", getattr(agent_os, "db", None)) if db is None else db
    if router is None:
        raise ConfigError("protect: AgentOS has no db; give it the router, or write protect(..., db=router)")
    if getattr(router, "tenancy", None) is None:
        # Told here: the middleware is made when the server has begun, which then goes on without it.
        raise ConfigError(
            f"protect: {type(router).__name__} has no tenants; give its configuration the sections `tenancy` and "
            "`tenants`, or take agent_os.get_app()"
        )
    app.add_middleware(TenantMiddleware, db=router)
    for refusal in (TenantError, LimitExceeded):
        app.add_exception_handler(refusal, _answered)
    answer_errors(app)
    if getattr(agent_os, "_scheduler_enabled", True):
        sign_calls()
    bind_executions()
    # Not above: it comes with AgentOS.
    from dbrouter.router.tenancy.running import keep_runs_apart

    keep_runs_apart()
    keep_refreshes_apart()
    return app


def _keep_the_routers_first(agent_os: Any) -> None:
    """In the dbs that AgentOS has found, and in those that it finds anew: `resync` lists them again, for new routes."""
    for dbs in agent_os.dbs.values():
        _put_the_routers_first(dbs)
    discover = agent_os._auto_discover_databases  # noqa: SLF001  # between it and the routes agno has nothing to hook into
    if hasattr(discover, _ORDERS):
        return

    def discovered() -> None:
        before = agent_os.dbs, agent_os.knowledge_dbs
        discover()
        try:
            for dbs in agent_os.dbs.values():
                _put_the_routers_first(dbs)
        except ConfigError:
            # Its routes are as they were; tools of MCP ask what is here.
            agent_os.dbs, agent_os.knowledge_dbs = before
            raise

    setattr(discovered, _ORDERS, True)
    agent_os._auto_discover_databases = discovered  # noqa: SLF001


def _put_the_routers_first(dbs: list[Any]) -> None:
    """Of dbs with one id AgentOS's own routes ask the first: a view that an agent has would show its tenant's rows."""
    dbs.sort(key=lambda db: _tenant_of(db) is not None)
    if len({_tenant_of(each) for each in dbs}) > 1 and _tenant_of(dbs[0]) is not None:
        raise ConfigError(
            "agents have dbs of several tenants, and AgentOS would show the rows of one of them to everybody; "
            "give AgentOS the router itself: AgentOS(db=router)"
        )


def _tenant_of(db: Any) -> Any:
    return getattr(db, "bound_to", None)


async def _answered(request: Any, error: PolicyError) -> Any:
    if request.scope["type"] != "http":
        # A websocket is closed by `TenantMiddleware`.
        raise error

    async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
        status, headers, body = told(error)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer
