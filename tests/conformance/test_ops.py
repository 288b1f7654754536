"""The conformance suite on every store of ours."""

from __future__ import annotations

from dbrouter.testing.conformance import *  # noqa: F403  # this is how anyone takes the suite over
