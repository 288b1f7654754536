"""agno's agents, teams and workflows themselves, for what they keep between runs. Import it inside a function."""

from __future__ import annotations

from agno.agent import Agent
from agno.team import Team
from agno.workflow import Workflow

__all__ = ["Agent", "Team", "Workflow"]
