"""Documents that are written from code: the settings' schema and reference, the capability table of the README."""

from __future__ import annotations

from pathlib import Path

from generators.outcome import Made


def documents(root: Path) -> Made:
    """The documents whose sources exist."""
    return Made({})
