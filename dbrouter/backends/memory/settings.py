"""What a database in memory is configured with."""

from __future__ import annotations

from typing import Literal

from dbrouter.backends.settings import Part


class MemorySettings(Part):
    """A database in this process's memory: gone when the process ends, shared with no other. For tests and trials."""

    kind: Literal["memory"] = "memory"
    """The kind of database."""
