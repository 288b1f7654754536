"""Values as parts of object names: no two values alike, in the order of the values, safe in every path.

A part is a tag for the type, the value in the characters `(-.0-9_a-z~`, and `!`, which sorts before all of them:
names made of parts sort like the tuples of their values. There are no capitals, because a file system may ignore case.
Parts are never read back, so a long one is cut and ends with a digest of the whole: `~~` and 32 digits. The order of
two parts that are cut alike is not that of their values, and `exact` tells.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from decimal import Decimal
from typing import Any

END = "!"
_CUT = "~~"
_DIGEST = 32
_BIAS = 500_000
"""Added to a number's decimal exponent, so that it is written without a sign, in six digits."""

_ALPHABET = "!(-.0123456789_abcdefghijklmnopqrstuvwxyz~"
_MIRROR = str.maketrans(_ALPHABET, _ALPHABET[::-1])
_NINES = str.maketrans("0123456789", "9876543210")
_PLAIN = frozenset(b"-0123456789abcdefghijklmnopqrstuvwxyz")


def _escape(byte: int) -> str:
    """A byte in characters that sort where the byte does, among those that stand for themselves."""
    if byte in _PLAIN:
        return chr(byte)
    if byte < ord("-"):
        return f"({byte:02x}"
    if byte < ord("0"):
        return f".{byte:02x}"
    return f"_{byte:02x}" if byte < ord("a") else f"~{byte:02x}"


_ESCAPES = tuple(map(_escape, range(256)))


def part(value: Any, *, longest: int) -> str:
    """The value as a part of at most `longest` characters, the digest of a longer one and three others aside."""
    return cut(_tagged(value), longest) + END


def packed(values: tuple[Any, ...], *, longest: int) -> str:
    """The values as one text of parts, cut as a whole."""
    return cut(END.join(map(_tagged, values)), longest) + END


def cut(text: str, longest: int) -> str:
    """The text if it is not longer, else its beginning and a digest of the whole."""
    if len(text) <= longest:
        return text
    # Cut wherever it falls: a shorter text with the same beginning ends there and sorts before, as it must.
    return text[:longest] + _CUT + hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]


def beginning(value: Any, *, longest: int) -> str:
    """What every text of parts begins with whose first value this is."""
    tagged = _tagged(value)
    return tagged[:longest] if len(tagged) >= longest else tagged + END


def exact(text: str) -> bool:
    """Whether no part of the text is cut, so that it stands where its values do."""
    return _CUT not in text


def mirrored(text: str) -> str:
    """The text with its order turned round: what sorts first then sorts last."""
    return text.translate(_MIRROR)


def folder_name(name: str) -> str:
    """A table's or a namespace's name as the name of a folder; most are themselves."""
    data = name.encode("utf-8", "surrogatepass")
    if all(byte in _PLAIN or byte == ord("_") for byte in data) and len(data) <= 63:
        return name
    return "~" + cut("".join(_ESCAPES[byte] for byte in data), 80)


def _tagged(value: Any) -> str:
    match value:
        case str():
            return "s" + "".join([_ESCAPES[byte] for byte in value.encode("utf-8", "surrogatepass")])
        case bool() | int() | float() | Decimal():
            return _number(Decimal(value))
        case None:
            return "z"
        case date() if not isinstance(value, datetime):
            return "d" + value.isoformat()
        case _:
            # No column holds it, so no record is found by it.
            return "x" + "".join([_ESCAPES[byte] for byte in repr(value).encode("utf-8", "backslashreplace")])


def _number(value: Decimal) -> str:
    """A number by sign, size and digits; numbers that are equal are written alike, whatever their type."""
    if not value.is_finite():
        return "r" if value.is_nan() else "q" if value > 0 else "m"
    if not value:
        return "o"
    sign, digits, exponent = value.as_tuple()
    written = "".join(map(str, digits)).strip("0")
    leading = len(digits) - len("".join(map(str, digits)).lstrip("0"))
    size = f"{len(digits) - leading + int(exponent) + _BIAS:06}"
    # Of two negative numbers the longer is the smaller: complemented digits, and an end that sorts after them.
    return "p" + size + written if not sign else "n" + (size + written).translate(_NINES) + "~"
