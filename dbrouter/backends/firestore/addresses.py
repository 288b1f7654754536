"""Where records are: document ids that no two keys share, and the names of documents and collections.

Firestore refuses empty ids, ids with `/`, `.`, `..` and `__x__`, and ids over 1,500 bytes; keys may be any text. An id
is the key's values as a name (`kernel/ordered_names.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

from dbrouter.backends.kernel.ops import Key
from dbrouter.backends.kernel.ordered_names import packed

PARTS = "dbrouter_parts"
"""The collection of what does not fit a record's own document."""
MARKS = "dbrouter_tables"
"""The collection that says which tables were created."""
LONGEST_ID = 1000
"""Bytes of a key's name, a digest aside; Firestore admits 1,500 for an id and 6 KiB for a whole name."""


def document_id(key: Key) -> str:
    """The id of the record's document. One that would be too long ends with a digest."""
    return packed(key, longest=LONGEST_ID)


@dataclass(frozen=True, slots=True)
class Place:
    """A document below which tables are collections.

    Where tables are subcollections, those of all places have the same collection ids, and so the same index settings.
    """

    database: str
    path: str

    @classmethod
    def of(cls, project: str, database: str, root: str, namespace: str | None = None) -> Place:
        """The place of a deployment's own tables, or of one namespace."""
        below = f"{root}/tables" if namespace is None else f"{root}_tenants/{namespace}"
        return cls(f"projects/{project}/databases/{database}", below)

    @property
    def name(self) -> str:
        """The full name of the document."""
        return f"{self.database}/documents/{self.path}"

    def document(self, collection: str, identity: str) -> str:
        """The full name of a document in a collection of this place."""
        return f"{self.name}/{collection}/{identity}"
