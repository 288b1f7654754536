"""What names of objects need beside the values that they hold: an order turned round, and folders for tables."""

from __future__ import annotations

from dbrouter.backends.kernel.ordered_names import CHARACTERS, PLAIN, cut, escaped

_MIRROR = str.maketrans(CHARACTERS, CHARACTERS[::-1])
_LONGEST_PLAIN, _LONGEST = 63, 80


def mirrored(text: str) -> str:
    """The text with its order turned round: what sorts first then sorts last."""
    return text.translate(_MIRROR)


def folder_name(name: str) -> str:
    """A table's or a namespace's name as the name of a folder; most are themselves."""
    data = name.encode("utf-8", "surrogatepass")
    if all(byte in PLAIN or byte == ord("_") for byte in data) and len(data) <= _LONGEST_PLAIN:
        return name
    return "~" + cut(escaped(data), _LONGEST)
