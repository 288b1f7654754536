"""Values as names: no two values alike, in the order of the values, safe in every path and every file system.

A name is the bytes of `ordered_form` in the characters `(-.0-9_a-z~`, each value ended by `!`, which sorts before all
of them. There are no capitals, because a file system may ignore case. Names are never read back, so a long one is cut
and ends with a digest of the whole: `~~` and 32 digits. The order of two that are cut alike is not that of their
values, and `exact` tells.
"""

from __future__ import annotations

import hashlib
from typing import Any

from dbrouter.backends.kernel.ordered_form import canonical

END = "!"
CHARACTERS = "!(-.0123456789_abcdefghijklmnopqrstuvwxyz~"
"""All that names are made of, in their order."""
PLAIN = frozenset(b"-0123456789abcdefghijklmnopqrstuvwxyz")
"""The bytes that stand for themselves."""
_CUT = "~~"
_DIGEST = 32


def _escape(byte: int) -> str:
    """A byte in characters that sort where the byte does, among those that stand for themselves."""
    if byte in PLAIN:
        return chr(byte)
    if byte < ord("-"):
        return f"({byte:02x}"
    if byte < ord("0"):
        return f".{byte:02x}"
    return f"_{byte:02x}" if byte < ord("a") else f"~{byte:02x}"


_ESCAPES = tuple(map(_escape, range(256)))


def escaped(data: bytes) -> str:
    """The bytes in safe characters, in the order of the bytes."""
    return "".join([_ESCAPES[byte] for byte in data])


def part(value: Any, *, longest: int) -> str:
    """The value as a name of at most `longest` characters, the digest of a longer one and three others aside."""
    return cut(_name(value), longest) + END


def packed(values: tuple[Any, ...], *, longest: int) -> str:
    """The values as one name, cut as a whole."""
    return cut(END.join(map(_name, values)), longest) + END


def cut(text: str, longest: int) -> str:
    """The text if it is not longer, else its beginning and a digest of the whole."""
    if len(text) <= longest:
        return text
    # Cut wherever it falls: a shorter text with the same beginning ends there and sorts before, as it must.
    return text[:longest] + _CUT + hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]


def beginning(value: Any, *, longest: int) -> str:
    """What every name of several values begins with whose first value this is."""
    name = _name(value)
    return name[:longest] if len(name) >= longest else name + END


def exact(name: str) -> bool:
    """Whether nothing of the name is cut, so that it stands where its values do."""
    return _CUT not in name


def _name(value: Any) -> str:
    # Values end by themselves with a byte that `END` stands for.
    return escaped(canonical(value).removesuffix(b"\0"))
