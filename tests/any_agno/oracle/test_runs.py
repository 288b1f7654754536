"""Runs of an agno database behind a router: as agno's own class has them."""

from __future__ import annotations

from tests.oracle.test_runs import *  # noqa: F403
