"""Sessions of an agno database behind a router: as agno's own class has them."""

from __future__ import annotations

from tests.oracle.test_sessions import *  # noqa: F403

# It is about values that ours keep, and asks nothing of agno's class.
del test_values_that_postgres_db_changes_or_refuses_come_back  # noqa: F821
