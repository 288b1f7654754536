"""Families whose calls change several records together, on backends where agno has none of them: its SQLite's answers."""

from __future__ import annotations

import pytest

from tests.oracle.conftest import elsewhere
from tests.oracle.test_authz import *  # noqa: F403
from tests.oracle.test_company import *  # noqa: F403
from tests.oracle.test_components import *  # noqa: F403
from tests.oracle.test_run_fencing import (  # noqa: F401
    fenced,
    test_the_sessions_data_is_written_with_the_run_or_neither_is,
)


@pytest.fixture(params=elsewhere(alone=False))
def side(request: pytest.FixtureRequest) -> str:
    """Which of our stores this run of the test is about."""
    chosen: str = request.param
    return chosen
