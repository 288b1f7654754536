"""The queue on backends where agno has none, or another: answers as agno's reference gives them, one winner for all.

Also on those that commit one record at a time: no transition of a job needs more.
"""

from __future__ import annotations

import pytest

from tests.oracle.conftest import elsewhere
from tests.oracle.test_jobs import (
    queue,
    test_any_calls_in_any_order_are_answered_as_agno_does,
    test_listings_agree,
)
from tests.oracle.test_jobs_at_once import (
    crowd,
    test_a_job_is_cancelled_or_claimed_and_never_both,
    test_a_key_is_accepted_once,
    test_a_lost_job_is_swept_by_one,
    test_one_end_is_written,
    test_sessions_have_one_turn_at_a_time_in_the_order_of_acceptance,
    test_turns_that_are_accepted_at_once_never_overlap,
)

__all__ = [
    "crowd",
    "queue",
    "test_a_job_is_cancelled_or_claimed_and_never_both",
    "test_a_key_is_accepted_once",
    "test_a_lost_job_is_swept_by_one",
    "test_any_calls_in_any_order_are_answered_as_agno_does",
    "test_listings_agree",
    "test_one_end_is_written",
    "test_sessions_have_one_turn_at_a_time_in_the_order_of_acceptance",
    "test_turns_that_are_accepted_at_once_never_overlap",
]


@pytest.fixture(params=elsewhere(alone=True))
def side(request: pytest.FixtureRequest) -> str:
    """Which of our stores this run of the test is about."""
    chosen: str = request.param
    return chosen
