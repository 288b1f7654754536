"""What a generator answers: files it wants, files it no longer wants, or why it cannot say."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Made:
    """Files by path, and files an earlier version generated that nothing asks for now."""

    files: dict[Path, str]
    obsolete: set[Path] = field(default_factory=set[Path])


class Stale(Exception):
    """The sources do not fit together; the message says which and what to change."""
