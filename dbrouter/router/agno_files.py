"""agno's file systems, in which it keeps the texts of long tool results. Apart from `agno_types`: few need them.

Import it inside a function.
"""

from __future__ import annotations

from agno.fs import FileSystem

__all__ = ["FileSystem"]
