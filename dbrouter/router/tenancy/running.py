"""agno's event streams and cancellations, tenant by tenant. Import it inside a function: it comes with AgentOS.

AgentOS replays the events of a run, and cancels it, for whoever knows its id; it asks whose the run is only where users
are kept apart. Here an id leads to a run of the request's tenant, or to none.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from dbrouter.router.agno_running import (
    BaseEventStream,
    BaseRunCancellationManager,
    RunCancelledException,
    RunStatus,
    cancel,
    event_streams,
)
from dbrouter.router.tenancy.run_ids import asked_id, own_id, own_ids, seen_here


def keep_runs_apart() -> None:
    """Put the process's event stream and cancellation manager, whatever they are, behind the tenants' ids.

    Not by agno's setters: after them it takes a stream for chosen, and an AgentOS made later could not have its own.
    """
    stream = event_streams.get_event_stream()
    if not isinstance(stream, TenantsEventStream):
        event_streams._event_stream = TenantsEventStream(stream)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    manager = cancel.get_cancellation_manager()
    if not isinstance(manager, TenantsCancellations):
        cancel._cancellation_manager = TenantsCancellations(manager)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


class TenantsEventStream(BaseEventStream):
    """An event stream in which each tenant has runs of its own."""

    def __init__(self, stream: BaseEventStream) -> None:
        self._stream = stream

    async def register_run(self, run_id: str, status: RunStatus = RunStatus.pending) -> None:
        """As agno's, of the tenant's run; so all the others."""
        await self._stream.register_run(own_id(run_id), status)

    async def set_run_status(self, run_id: str, status: RunStatus, generation: int | None = None) -> None:
        """Change its status."""
        await self._stream.set_run_status(own_id(run_id), status, generation)

    async def get_run_status(self, run_id: str) -> RunStatus | None:
        """Its status."""
        return await self._stream.get_run_status(own_id(run_id))

    async def complete_run(self, run_id: str, status: RunStatus, generation: int | None = None) -> None:
        """End it."""
        await self._stream.complete_run(own_id(run_id), status, generation)

    async def reopen_run(self, run_id: str, include_error: bool = False, floor: int | None = None) -> bool:
        """Begin it anew."""
        return await self._stream.reopen_run(own_id(run_id), include_error, floor)

    async def cleanup_run(self, run_id: str) -> None:
        """Forget it."""
        await self._stream.cleanup_run(own_id(run_id))

    async def reset_run_events(self, run_id: str, generation: int | None = None) -> None:
        """Forget its events."""
        await self._stream.reset_run_events(own_id(run_id), generation)

    async def begin_attempt(self, run_id: str, generation: int) -> None:
        """Note who writes it."""
        await self._stream.begin_attempt(own_id(run_id), generation)

    async def add_event(self, run_id: str, event: Any, generation: int | None = None) -> int:
        """Add an event."""
        return await self._stream.add_event(own_id(run_id), event, generation)

    async def replay(self, run_id: str, last_event_index: int | None = None) -> list[tuple[int, Any]]:
        """Its events."""
        return await self._stream.replay(own_id(run_id), last_event_index)

    async def get_last_index(self, run_id: str) -> int:
        """The index of its last event."""
        return await self._stream.get_last_index(own_id(run_id))

    async def get_event_count(self, run_id: str) -> int:
        """How many events it has."""
        return await self._stream.get_event_count(own_id(run_id))

    def tail(self, run_id: str, last_event_index: int | None = None) -> AsyncIterator[tuple[int, str]]:
        """Its events as they come."""
        return self._stream.tail(own_id(run_id), last_event_index)


class TenantsCancellations(BaseRunCancellationManager):
    """A cancellation manager in which each tenant has runs of its own.

    What code cancels that no tenant is bound in is cancelled whosever it is; a request cancels its own tenant's runs.
    """

    def __init__(self, manager: BaseRunCancellationManager) -> None:
        self._manager = manager

    def register_run(self, run_id: str) -> None:
        """As agno's, of the tenant's run; so all the others."""
        self._manager.register_run(own_id(run_id))

    async def aregister_run(self, run_id: str) -> None:
        """Note a run."""
        await self._manager.aregister_run(own_id(run_id))

    def cancel_run(self, run_id: str) -> bool:
        """Cancel a run, also one that is yet to begin."""
        return self._manager.cancel_run(asked_id(run_id))

    async def acancel_run(self, run_id: str) -> bool:
        """Cancel a run, also one that is yet to begin."""
        return await self._manager.acancel_run(asked_id(run_id))

    def is_cancelled(self, run_id: str) -> bool:
        """Whether it is cancelled."""
        return any(self._manager.is_cancelled(each) for each in own_ids(run_id))

    async def ais_cancelled(self, run_id: str) -> bool:
        """Whether it is cancelled."""
        for each in own_ids(run_id):
            if await self._manager.ais_cancelled(each):
                return True
        return False

    def cleanup_run(self, run_id: str) -> None:
        """Forget it."""
        for each in own_ids(run_id):
            self._manager.cleanup_run(each)

    async def acleanup_run(self, run_id: str) -> None:
        """Forget it."""
        for each in own_ids(run_id):
            await self._manager.acleanup_run(each)

    def raise_if_cancelled(self, run_id: str) -> None:
        """End the run if it is cancelled, in agno's words: they become the run's answer."""
        if self.is_cancelled(run_id):
            raise RunCancelledException(f"Run {run_id} was cancelled")

    async def araise_if_cancelled(self, run_id: str) -> None:
        """End the run if it is cancelled, in agno's words: they become the run's answer."""
        if await self.ais_cancelled(run_id):
            raise RunCancelledException(f"Run {run_id} was cancelled")

    def get_active_runs(self) -> dict[str, bool]:
        """The tenant's runs, and whether they are cancelled."""
        return _seen(self._manager.get_active_runs())

    async def aget_active_runs(self) -> dict[str, bool]:
        """The tenant's runs, and whether they are cancelled."""
        return _seen(await self._manager.aget_active_runs())

    def register_member_run(self, team_run_id: str, member_run_id: str) -> None:
        """Note a member's run."""
        self._manager.register_member_run(own_id(team_run_id), member_run_id)

    async def aregister_member_run(self, team_run_id: str, member_run_id: str) -> None:
        """Note a member's run."""
        await self._manager.aregister_member_run(own_id(team_run_id), member_run_id)

    def get_member_run_ids(self, team_run_id: str) -> set[str]:
        """The runs of its members."""
        return self._manager.get_member_run_ids(own_id(team_run_id))

    async def aget_member_run_ids(self, team_run_id: str) -> set[str]:
        """The runs of its members."""
        return await self._manager.aget_member_run_ids(own_id(team_run_id))

    def cleanup_member_runs(self, team_run_id: str) -> None:
        """Forget the runs of its members."""
        self._manager.cleanup_member_runs(own_id(team_run_id))

    async def acleanup_member_runs(self, team_run_id: str) -> None:
        """Forget the runs of its members."""
        await self._manager.acleanup_member_runs(own_id(team_run_id))


def _seen(runs: dict[str, bool]) -> dict[str, bool]:
    return {own: cancelled for run_id, cancelled in runs.items() if (own := seen_here(run_id)) is not None}
