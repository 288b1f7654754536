"""The index settings of a Firestore database, as Google's tools take them."""

from __future__ import annotations

import json
from pathlib import Path

from generators.outcome import Made


def firestore_indexes(root: Path) -> Made:
    """The file that ships beside the driver, for the tables' default names."""
    from dbrouter.backends.firestore.indexes import definitions

    file = root / "dbrouter" / "backends" / "firestore" / "firestore.indexes.json"
    return Made({file: json.dumps(definitions(), indent=2) + "\n"})
