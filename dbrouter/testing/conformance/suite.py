"""The whole suite as one file.

For `pytest --pyargs dbrouter.testing.conformance.suite --dbrouter-store MODULE:NAME`.
"""

from __future__ import annotations

from dbrouter.testing.conformance import *
