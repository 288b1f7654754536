"""The conformance kit: point it at your store and see whether it keeps every promise an op makes."""

from __future__ import annotations

from dbrouter.testing.candidates import Candidate, Gap, never, ours, upstream

__all__ = ["Candidate", "Gap", "never", "ours", "upstream"]
