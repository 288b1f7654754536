"""The index settings that a Firestore database should have for our tables, as `firestore.indexes.json`.

No composite index is among them, because none is needed: a listing's path, order and key are one value
(`index_keys.py`), and a query of ours asks for one field. Firestore indexes each field by itself, ascending and
descending, so a fresh database works as it is. What the file does is to end the indexing of columns, which nobody asks
for: writes become cheaper. One setting for each collection is enough, as all columns are in one map; a database has at
most 200 such settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dbrouter.backends.firestore.addresses import MARKS, PARTS
from dbrouter.backends.firestore.layout import COLUMNS
from dbrouter.backends.kernel.emulation import SERVED_TABLES
from dbrouter.backends.kernel.tenant_tables import physical_names


def definitions(names: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What `firebase deploy --only firestore:indexes` takes. names: table -> collection, where not the default."""
    called = physical_names(names or {})
    collections = {called.get(name, spec.default_name) for name, spec in SERVED_TABLES.items()}
    return {
        "indexes": [],
        "fieldOverrides": [
            {"collectionGroup": collection, "fieldPath": COLUMNS, "indexes": []}
            for collection in sorted(collections | {MARKS, PARTS})
        ],
    }
