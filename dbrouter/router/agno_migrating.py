"""agno's own migrations, for what they alone can do. Apart from `agno_types`: whoever reads sessions needs none.

Import it inside a function.
"""

from __future__ import annotations

from agno.db.migrations.manager import MigrationManager
from agno.learn.migrations import arekey_user_entity_learnings, rekey_user_entity_learnings

__all__ = ["MigrationManager", "arekey_user_entity_learnings", "rekey_user_entity_learnings"]
