"""Where records are: document ids that no two keys share, and the names of documents and collections.

Firestore refuses empty ids, ids with `/`, `.`, `..` and `__x__`, and ids over 1,500 bytes; keys may be any text. An id
is made of the key's parts, each led by a letter for its type and escaped: `a~b` and `c` never meet `a` and `b~c`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from dbrouter.backends.kernel.codec import encode
from dbrouter.backends.kernel.ops import Key

PARTS = "dbrouter_parts"
"""The collection of what does not fit a record's own document."""
MARKS = "dbrouter_tables"
"""The collection that says which tables were created."""
LONGEST_ID = 1000
"""Bytes; Firestore admits 1,500 for an id and 6 KiB for a whole name."""
_PLAIN = re.compile(r"[A-Za-z0-9_.:-]*", re.ASCII)


def document_id(key: Key) -> str:
    """The id of the record's document. A key whose id would be too long has its SHA-256 for an id."""
    name = "~".join(map(_part, key))
    if len(name) > LONGEST_ID:
        return "h" + hashlib.sha256(name.encode()).hexdigest()
    return name


def _part(value: Any) -> str:
    match value:
        case str():
            return "s" + _escaped(value)
        case bool() | int():
            # As in Python, true is 1: a key is found by what it equals.
            return f"i{int(value)}"
        case float() if value.is_integer():
            return f"i{int(value)}"
        case date():
            return f"d{value.isoformat()}"
        case _:
            return "j" + _escaped(encode(value))


def _escaped(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    plain = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-"
    return "".join(chr(each) if each in plain else f"%{each:02X}" for each in text.encode("utf-8", "surrogatepass"))


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
