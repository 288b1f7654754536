"""Traces of an agno database behind a router: as agno's own class has them."""

from __future__ import annotations

from tests.oracle.test_traces import *  # noqa: F403

# A router writes the spans of such a batch that can be written.
del test_a_batch_that_agno_loses_whole_is_kept  # noqa: F821
