"""Tables in this process's memory: the reference model that every other backend is compared with."""

from __future__ import annotations

from dbrouter.backends.memory.settings import MemorySettings
from dbrouter.backends.memory.store import AsyncMemoryStore, MemoryStore

__all__ = ["AsyncMemoryStore", "MemorySettings", "MemoryStore"]
