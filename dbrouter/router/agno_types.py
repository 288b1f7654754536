"""What this package takes from agno, imported here and nowhere else, so that a newer agno is one more binding.

Re-exports only. Keep both lists sorted, one name a line.
"""

from __future__ import annotations

from agno.db.schemas.evals import EvalFilterType, EvalRunRecord, EvalType
from agno.db.schemas.knowledge import KnowledgeRow
from agno.db.schemas.memory import UserMemory
from agno.db.utils import learning_search_patterns, validate_pagination
from agno.run.base import RunStatus

__all__ = [
    "EvalFilterType",
    "EvalRunRecord",
    "EvalType",
    "KnowledgeRow",
    "RunStatus",
    "UserMemory",
    "learning_search_patterns",
    "validate_pagination",
]
