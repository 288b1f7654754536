"""What this package takes from agno, imported here and nowhere else, so that a newer agno is one more binding.

Re-exports only, two of them of names that agno keeps to itself. Keep both lists sorted, one name a line.
"""

from __future__ import annotations

from agno.db import base as _base
from agno.db.base import (
    DELETED_CONFIG_STAGE,
    PIN_LINK_KINDS,
    AsyncBaseDb,
    BaseDb,
    ComponentArchivedError,
    ComponentCycleError,
    ComponentDependencyError,
    ComponentDraftRequiredError,
    ComponentLastConfigError,
    ComponentType,
    ComponentVersionConflictError,
    SessionType,
    current_version_matches,
    project_config_identity,
)
from agno.db.filter_converter import DATETIME_COLUMNS, MAX_FILTER_DEPTH, TRACE_COLUMNS
from agno.db.schemas import tasks as _tasks
from agno.db.schemas.evals import EvalFilterType, EvalRunRecord, EvalType
from agno.db.schemas.knowledge import KnowledgeRow
from agno.db.schemas.memory import UserMemory
from agno.db.schemas.products import company_sort, product_metadata, validate_product_fields
from agno.db.schemas.projects import project_transition_fields, validate_project_fields
from agno.db.schemas.scheduler import build_run_endpoint, validate_schedule_update
from agno.db.schemas.service_accounts import resolve_service_account_sort_column, validate_service_account_update
from agno.db.schemas.sources import validate_source_fields
from agno.db.schemas.tasks import (
    TASK_TRANSITIONS,
    task_run_fields,
    task_run_id,
    task_transition_fields,
    validate_task_fields,
)
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
from agno.exceptions import MigrationRequiredError
from agno.run.agent import RunOutput
from agno.run.base import RunStatus
from agno.run.team import TeamRunOutput
from agno.run.workflow import WorkflowRunOutput
from agno.session import AgentSession, Session, TeamSession, WorkflowSession
from agno.utils.dttm import parse_datetime_utc
from agno.utils.string import generate_id

__all__ = [
    "DATETIME_COLUMNS",
    "DELETED_CONFIG_STAGE",
    "HISTORY_SKIP_STATUSES",
    "MAX_FILTER_DEPTH",
    "PIN_LINK_KINDS",
    "TASK_TRANSITIONS",
    "TRACE_COLUMNS",
    "UNSET_UPDATED_AT",
    "AgentSession",
    "AsyncBaseDb",
    "BaseDb",
    "ComponentArchivedError",
    "ComponentCycleError",
    "ComponentDependencyError",
    "ComponentDraftRequiredError",
    "ComponentLastConfigError",
    "ComponentType",
    "ComponentVersionConflictError",
    "EvalFilterType",
    "EvalRunRecord",
    "EvalType",
    "KnowledgeRow",
    "MigrationRequiredError",
    "RunOutput",
    "RunStatus",
    "Session",
    "SessionType",
    "TeamRunOutput",
    "TeamSession",
    "UserMemory",
    "WorkflowRunOutput",
    "WorkflowSession",
    "acceptance_count",
    "build_run_endpoint",
    "build_single_run_row",
    "canonical_run_status",
    "company_sort",
    "current_version_matches",
    "deserialize_history_run",
    "deserialize_run",
    "deserialize_session",
    "generate_id",
    "learning_search_patterns",
    "metrics_starting_date_from_days",
    "parse_datetime_utc",
    "product_metadata",
    "project_config_identity",
    "project_transition_fields",
    "resolve_service_account_sort_column",
    "task_run_fields",
    "task_run_id",
    "task_transition_fields",
    "validate_pagination",
    "validate_product_fields",
    "validate_project_fields",
    "validate_schedule_update",
    "validate_service_account_update",
    "validate_source_fields",
    "validate_task_fields",
]

UNSET_UPDATED_AT: int | None = _base._UNSET_UPDATED_AT  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
"""What agno passes where no time was asked for; compared by identity."""
acceptance_count = _tasks._acceptance_count  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
"""How many of these histories hold an acceptance by this routine under this policy."""
