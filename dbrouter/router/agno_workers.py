"""AgentOS's worker of the durable queue. Apart from `agno_queue`: it comes with AgentOS itself.

Import it inside a function.
"""

from __future__ import annotations

from agno.os.job_queue import QueueWorker

__all__ = ["QueueWorker"]
