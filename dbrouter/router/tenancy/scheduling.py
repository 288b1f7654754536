"""AgentOS's scheduler, tenant by tenant: its calls to AgentOS say whose schedule they execute.

The poller asks for due schedules with no tenant, and a claim answers from any tenant (`claimed` in `binding`). The
executor then calls AgentOS over HTTP, where no context goes: so its client signs the tenant into a header, with the
token that AgentOS gave it. Only requests that AgentOS has found to come from its own scheduler may say so.
"""

from __future__ import annotations

from typing import Any

from dbrouter.backends.kernel.ops import Get, Op
from dbrouter.router.tenancy.binding import Bound, Claimed, current
from dbrouter.router.tenancy.request import Request
from dbrouter.router.tenancy.verified import SCHEDULED, sealed

_SIGNS = "_dbrouter_signs"
_COMPANY_AUTOMATION = "agno-company-automation"


def sign_calls() -> None:
    """Let each `ScheduleExecutor` say whose schedules it executes, in each of its calls to AgentOS. Once a process.

    On the class, for AgentOS makes its executor as it starts, and may execute a schedule before it has started.
    """
    from dbrouter.router.agno_scheduling import ScheduleExecutor

    made = ScheduleExecutor._get_client  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # agno has no other way to give the executor a client
    if getattr(made, _SIGNS, False):
        return

    async def client(self: Any) -> Any:
        found = await made(self)
        if not getattr(found, _SIGNS, False):
            found.event_hooks = {**found.event_hooks, "request": [*found.event_hooks["request"], _Signer(self)]}
            setattr(found, _SIGNS, True)
        return found

    setattr(client, _SIGNS, True)
    ScheduleExecutor._get_client = client  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


class _Signer:
    """Signs the tenant into requests of one executor."""

    def __init__(self, executor: Any) -> None:
        self._executor = executor

    async def __call__(self, request: Any) -> None:
        """Sign one request, if it is AgentOS that is called and a tenant's schedule that is executed."""
        whose = _executed_for()
        if (
            whose is not None
            and request.headers.get("authorization") == f"Bearer {self._executor.internal_service_token}"
        ):
            request.headers[SCHEDULED] = sealed(whose, str(self._executor.internal_service_token))


def asks_for_company_automation(op: Op[Any]) -> bool:
    """Whether it is AgentOS's question, as it starts, for the one schedule that is its own and no tenant's."""
    return isinstance(op, Get) and op.table == "schedules" and op.key == (_COMPANY_AUTOMATION,)


def _executed_for() -> str | None:
    binding = current()
    match binding:
        case None:
            return None
        case Bound(whose=whose) | Claimed(whose=whose):
            return whose if isinstance(whose, str) else None
        case Request():
            # A schedule that is triggered by hand, from a request.
            return binding.tenant
