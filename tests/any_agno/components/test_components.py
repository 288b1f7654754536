"""What real agents, teams, workflows and AgentOS do on a database of ours, they do on one of agno's behind a router."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import pytest

from tests.agno import test_agentos, test_agents, test_evals_and_knowledge, test_teams_and_workflows

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")

TESTS: tuple[Any, ...] = (
    test_agents.test_a_run_is_stored_with_its_session,
    test_agents.test_session_state_written_by_a_tool_is_there_on_the_next_turn,
    test_agents.test_a_memory_manager_keeps_what_a_user_says_for_that_user,
    test_evals_and_knowledge.test_a_reliability_eval_is_stored_with_its_verdict,
    test_evals_and_knowledge.test_a_page_of_knowledge_is_stored_found_and_removed,
    test_teams_and_workflows.test_a_teams_session_holds_the_run_of_the_team_and_of_its_member,
    test_teams_and_workflows.test_a_workflows_state_adds_up_over_its_runs,
)
"""Those that need a `live` db and nothing else."""

OF_AGENTOS: tuple[Any, ...] = (
    test_agentos.test_the_configuration_names_one_database,
    test_agentos.test_sessions_are_listed_in_pages_with_their_total,
    test_agentos.test_a_session_is_read_renamed_changed_and_deleted_by_its_id_alone,
    test_agentos.test_memories_are_written_searched_changed_and_deleted,
    test_agentos.test_knowledge_is_uploaded_listed_changed_and_deleted,
    test_agentos.test_metrics_count_the_sessions_of_every_database,
    test_agentos.test_an_eval_is_run_listed_renamed_and_deleted,
)
"""Those that build an app, which takes its time: where families and components are spread."""


def here(test: Any) -> Callable[..., Any]:
    """The test, with this folder's `live` db in place of its own ones."""
    return FunctionType(test.__code__, test.__globals__, test.__name__, test.__defaults__, test.__closure__)


spread = pytest.mark.parametrize("live", ["some families of agno", "a component of agno"], indirect=True)
whole = pytest.mark.parametrize("live", ["all of agno", "awaited"], indirect=True)
globals().update({each.__name__: whole(here(each)) for each in TESTS})
globals().update({each.__name__: spread(here(each)) for each in OF_AGENTOS})
