"""The conformance kit: point it at your store and see whether it keeps every promise an op makes."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbrouter.testing.candidates import Candidate, Gap, never, ours, upstream

__all__ = ["Candidate", "Gap", "never", "ours", "upstream"]


def __getattr__(name: str) -> Any:
    # The scripted model beside these needs no pytest, and the demo uses it where there is none.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("dbrouter.testing.candidates"), name)
