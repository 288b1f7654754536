"""The generators, in the order they run. Each answers the files it wants to see, as text; it writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from generators.documents import documents
from generators.faces import faces
from generators.firestore_indexes import firestore_indexes
from generators.methods import methods
from generators.outcome import Made, Stale

__all__ = ["GENERATORS", "Made", "Stale"]

GENERATORS: tuple[Callable[[Path], Made], ...] = (faces, documents, methods, firestore_indexes)
