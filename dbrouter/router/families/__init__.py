"""The families: what the interface means, written once, one program per group of agno's methods."""

from __future__ import annotations

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

FAMILY_CLASSES: dict[str, tuple[type, ...]] = {
    "schema_versions": (SchemaVersions,),
    "sessions": (Sessions, Runs),
    "memories": (Memories,),
    "knowledge": (Knowledge,),
    "evals": (Evals,),
    "metrics": (Metrics,),
    "traces": (Traces, Spans),
    "approvals": (Approvals,),
    "schedules": (Schedules, ScheduleRuns),
    "learnings": (Learnings,),
}
"""Family -> the classes whose public methods are its interface. The faces are generated from this."""
