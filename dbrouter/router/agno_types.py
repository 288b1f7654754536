"""What this package takes from agno, imported here and nowhere else, so that a newer agno is one more binding.

Re-exports only. Keep both lists sorted, one name a line.
"""

from __future__ import annotations

from agno.db.base import AsyncBaseDb, BaseDb, SessionType
from agno.db.filter_converter import DATETIME_COLUMNS, MAX_FILTER_DEPTH, TRACE_COLUMNS
from agno.db.schemas.evals import EvalFilterType, EvalRunRecord, EvalType
from agno.db.schemas.knowledge import KnowledgeRow
from agno.db.schemas.memory import UserMemory
from agno.db.schemas.scheduler import build_run_endpoint, validate_schedule_update
from agno.db.utils import (
    HISTORY_SKIP_STATUSES,
    build_single_run_row,
    canonical_run_status,
    deserialize_history_run,
    deserialize_run,
    deserialize_session,
    learning_search_patterns,
    metrics_starting_date_from_days,
    validate_pagination,
)
from agno.run.agent import RunOutput
from agno.run.base import RunStatus
from agno.run.team import TeamRunOutput
from agno.run.workflow import WorkflowRunOutput
from agno.session import AgentSession, Session, TeamSession, WorkflowSession
from agno.utils.dttm import parse_datetime_utc
from agno.utils.string import generate_id

__all__ = [
    "DATETIME_COLUMNS",
    "HISTORY_SKIP_STATUSES",
    "MAX_FILTER_DEPTH",
    "TRACE_COLUMNS",
    "AgentSession",
    "AsyncBaseDb",
    "BaseDb",
    "EvalFilterType",
    "EvalRunRecord",
    "EvalType",
    "KnowledgeRow",
    "RunOutput",
    "RunStatus",
    "Session",
    "SessionType",
    "TeamRunOutput",
    "TeamSession",
    "UserMemory",
    "WorkflowRunOutput",
    "WorkflowSession",
    "build_run_endpoint",
    "build_single_run_row",
    "canonical_run_status",
    "deserialize_history_run",
    "deserialize_run",
    "deserialize_session",
    "generate_id",
    "learning_search_patterns",
    "metrics_starting_date_from_days",
    "parse_datetime_utc",
    "validate_pagination",
    "validate_schedule_update",
]
