"""What this package takes from agno, imported here and nowhere else, so that a newer agno is one more binding.

Re-exports only. Keep both lists sorted, one name a line.
"""

from __future__ import annotations

from agno.db.filter_converter import DATETIME_COLUMNS, MAX_FILTER_DEPTH, TRACE_COLUMNS
from agno.db.schemas.evals import EvalFilterType, EvalRunRecord, EvalType
from agno.db.schemas.knowledge import KnowledgeRow
from agno.db.schemas.memory import UserMemory
from agno.db.schemas.scheduler import build_run_endpoint, validate_schedule_update
from agno.db.utils import learning_search_patterns, metrics_starting_date_from_days, validate_pagination
from agno.run.base import RunStatus
from agno.utils.dttm import parse_datetime_utc

__all__ = [
    "DATETIME_COLUMNS",
    "MAX_FILTER_DEPTH",
    "TRACE_COLUMNS",
    "EvalFilterType",
    "EvalRunRecord",
    "EvalType",
    "KnowledgeRow",
    "RunStatus",
    "UserMemory",
    "build_run_endpoint",
    "learning_search_patterns",
    "metrics_starting_date_from_days",
    "parse_datetime_utc",
    "validate_pagination",
    "validate_schedule_update",
]
