"""The store that the families' tests run on."""

from __future__ import annotations

import pytest

from dbrouter.backends.kernel.store import Store
from dbrouter.backends.memory.store import MemoryStore


@pytest.fixture
def store() -> Store:
    """An empty store."""
    return MemoryStore()
