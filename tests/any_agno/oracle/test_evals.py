"""Evals of an agno database behind a router: as agno's own class has them."""

from __future__ import annotations

from tests.oracle.test_evals import *  # noqa: F403
