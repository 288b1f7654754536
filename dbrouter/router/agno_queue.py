"""What the durable queue takes from agno: whose turn it is within a session, and what became of a fenced write.

Apart from `agno_types`, as the queue is apart from agno's declared interface. Re-exports only.
"""

from __future__ import annotations

from agno.job_queue.session import (
    LIVE_STATUSES,
    is_serialized,
    next_session_seq,
    session_blocker,
    with_session_seq,
)
from agno.run.status_persist import RunPersistOutcome

__all__ = [
    "LIVE_STATUSES",
    "RunPersistOutcome",
    "is_serialized",
    "next_session_seq",
    "session_blocker",
    "with_session_seq",
]
