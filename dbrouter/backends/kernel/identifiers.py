"""Names that fit: Postgres cuts an identifier at 63 bytes, and two that are cut alike become one."""

from __future__ import annotations

import hashlib

LONGEST = 63
"""Bytes of an identifier that every database keeps."""
DIGEST = 12
"""Digits of the digest that tells two names with the same beginning apart."""


def fitting(identifier: str) -> str:
    """The identifier itself if no database cuts it, else its beginning and a digest of the whole."""
    data = identifier.encode()
    if len(data) <= LONGEST:
        return identifier
    beginning = data[: LONGEST - DIGEST - 1].decode("utf-8", "ignore")
    return f"{beginning}_{hashlib.sha256(data).hexdigest()[:DIGEST]}"
