"""Every family's program over one store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbrouter.router.families.approvals import Approvals
from dbrouter.router.families.evals import Evals
from dbrouter.router.families.knowledge import Knowledge
from dbrouter.router.families.learnings import Learnings
from dbrouter.router.families.memories import Memories
from dbrouter.router.families.metrics import Metrics
from dbrouter.router.families.runs import Runs
from dbrouter.router.families.schedule_runs import ScheduleRuns
from dbrouter.router.families.schedules import Schedules
from dbrouter.router.families.schema_versions import SchemaVersions
from dbrouter.router.families.sessions import Sessions
from dbrouter.router.families.spans import Spans
from dbrouter.router.families.traces import Traces

if TYPE_CHECKING:
    from dbrouter.router.families.context import Context


class Programs:
    """The programs, each by its name. The faces call them; which of them can be reached is the face's business."""

    def __init__(self, context: Context) -> None:
        self.schema_versions = SchemaVersions(context)
        self.sessions = Sessions(context)
        self.runs = Runs(context)
        self.memories = Memories(context)
        self.knowledge = Knowledge(context)
        self.evals = Evals(context)
        self.metrics = Metrics(context)
        self.traces = Traces(context)
        self.spans = Spans(context)
        self.approvals = Approvals(context)
        self.schedules = Schedules(context)
        self.schedule_runs = ScheduleRuns(context)
        self.learnings = Learnings(context)
