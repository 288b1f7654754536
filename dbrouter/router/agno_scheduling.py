"""agno's executor of schedules. Apart from `agno_types`: whoever reads sessions needs no scheduler.

Import it inside a function.
"""

from __future__ import annotations

from agno.scheduler import ScheduleExecutor

__all__ = ["ScheduleExecutor"]
