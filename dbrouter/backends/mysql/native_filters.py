"""Which filters MySQL and MariaDB evaluate exactly as the reference does; the kernel applies the others."""

from __future__ import annotations

import re
from functools import lru_cache

from dbrouter.backends.kernel.filters import Contains, Field, Filter, HasItem, Like, StartsWith
from dbrouter.backends.kernel.tables import Kind
from dbrouter.backends.kernel.tenant_tables import ALL_TABLES

JSON_COLUMNS = frozenset(
    column.name for spec in ALL_TABLES.values() for column in spec.columns if column.kind is Kind.JSON
)

_WORD = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 _.@-]*[A-Za-z0-9])?")
_PLAIN = re.compile(r"[ -~]*")


def runs_natively(where: Filter) -> bool:
    """Whether the server evaluates this filter, its parts aside, exactly as the reference does."""
    match where:
        case Contains(field=field, text=text) | StartsWith(field=field, text=text):
            return _is_native(field, text)
        case Like(pattern=pattern):
            # In words the ways of writing a JSON value do not differ.
            return all(_WORD.fullmatch(word) for word in pattern.split("%") if word)
        case HasItem(item=item):
            # agno's writer escapes the other characters, and MariaDB does not see through it.
            return _PLAIN.fullmatch(item) is not None
        case _:
            return True


@lru_cache(maxsize=256)
def _is_native(field: Field, text: str) -> bool:
    # How other letters are folded depends on the server; how a JSON value is written, on who wrote it.
    if field.path or field.column not in JSON_COLUMNS:
        return text.isascii()
    return _WORD.fullmatch(text) is not None
