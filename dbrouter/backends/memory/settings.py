"""What a configuration may say about a memory database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySettings:
    """A memory database. names: spec name -> physical table name, where it is not agno's default."""

    names: Mapping[str, str] = field(default_factory=dict)
