"""What a database in memory is configured with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from dbrouter.backends.settings import Part, TableNames


class MemorySettings(Part):
    """A database in this process's memory: gone when the process ends, shared with no other. For tests and trials."""

    kind: Literal["memory"] = "memory"
    """The kind of database."""
    tables: TableNames = Field(default_factory=dict[str, str])
    """Table -> its name in this database, where it is not agno's default name."""

    @property
    def names(self) -> Mapping[str, str]:
        """Spec name -> physical table name, where it is not agno's default."""
        return self.tables
