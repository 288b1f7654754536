"""What agno knows of the runs of a process by their ids alone: their events, and which are to be cancelled.

Apart from `agno_types`: it comes with AgentOS itself. Import it inside a function.
"""

from __future__ import annotations

from agno.exceptions import RunCancelledException
from agno.os import event_streams
from agno.os.event_streams import BaseEventStream
from agno.run import cancel
from agno.run.base import RunStatus
from agno.run.cancellation_management.base import BaseRunCancellationManager

__all__ = [
    "BaseEventStream",
    "BaseRunCancellationManager",
    "RunCancelledException",
    "RunStatus",
    "cancel",
    "event_streams",
]
