"""Plain values as bytes that sort as the values do, and that end themselves: several in a row sort as a tuple does.

For databases that have no index on a column, only keys in the order of their bytes: what is listed in an order is put
under such a key. Text is UTF-8, whose bytes sort by code point; lone surrogates are encoded as what they are, and NUL
is escaped. Numbers sort by value whatever their type; what tells `1` from `1.0` and `True` comes after their end.

The bytes of one value may be the beginning of another's, but then the other goes on with `FOLLOWS_NONE`: all that
begins with some values in a row is from their bytes on, and before `behind` them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from dbrouter.backends.kernel.codec import LONGEST_INTEGER, decode, encode
from dbrouter.backends.kernel.errors import Corrupt, Unstorable

NULL = b"~"
"""Sorts after every value."""
FOLLOWS_NONE = b"\xff"
"""What no value begins with."""
_END = b"\x00"
_ESCAPED_END = b"\x00\xff"
_MIDDLE = 50_000
"""Exponents are kept as positive numbers of five digits."""
_EXACT = 2**53
_INVERTED = bytes.maketrans(b"0123456789", b"9876543210")
_SPECIAL = {"nan": b"n5\x00f", "inf": b"n4\x00f", "-inf": b"n0\x00f", "-0.0": b"n2\x00z", "0.0": b"n2\x00f"}
_SPECIAL_VALUES = {data: float(text) for text, data in _SPECIAL.items()} | {
    _SPECIAL[text][:-1]: float(text) for text in ("nan", "inf", "-inf")
}


def encoded(value: Any) -> bytes:
    """The form of a value that is not null."""
    if isinstance(value, str):
        return b"t" + _ended(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, bool):
        return _number(int(value)) + b"b"
    if isinstance(value, int):
        return _number(value)
    if isinstance(value, float):
        return _SPECIAL.get(float.__repr__(value)) or _float(value) + b"f"
    if isinstance(value, date) and not isinstance(value, datetime):
        return b"d" + value.isoformat().encode() + _END
    return b"x" + _ended(encode(value).encode())


def canonical(value: Any) -> bytes:
    """The same bytes for values that are equal; what an index keeps of a value."""
    if value is None:
        return NULL
    data = encoded(value)
    return data[: data.index(_END) + 1] if data[:1] == b"n" else data


def in_a_row(values: Iterable[Any]) -> bytes:
    """The canonical bytes of all values, one after the other."""
    return b"".join(map(canonical, values))


def behind(row: bytes) -> bytes:
    """The first bytes behind all that begin with these values in a row."""
    return row + FOLLOWS_NONE


def decoded(data: bytes) -> Any:
    """The value that `encoded` was given. Raises `Corrupt` for other bytes."""
    try:
        match data[:1]:
            case b"t":
                return data[1:-1].replace(_ESCAPED_END, _END).decode("utf-8", "surrogatepass")
            case b"n":
                return _as_number(data)
            case b"d":
                return date.fromisoformat(data[1:-1].decode())
            case b"x":
                return decode(data[1:-1].replace(_ESCAPED_END, _END))
            case _:
                raise Corrupt(f"a stored value begins with {data[:1]!r}, which none of ours does")
    except ValueError as error:
        raise Corrupt(f"a stored value cannot be read: {error}") from error


def _ended(data: bytes) -> bytes:
    return (data.replace(_END, _ESCAPED_END) if _END in data else data) + _END


def _float(value: float) -> bytes:
    # Beyond that the shortest text of a float is not its value, which an integer may have too.
    return _number(int(value)) if abs(value) >= _EXACT else _number(Decimal(float.__repr__(value)))


def _number(value: int | Decimal) -> bytes:
    """`n`, the sign, the exponent and the digits of 0.DIGITS * 10^EXPONENT, all of it inverted below zero."""
    if not value:
        return b"n2\x00"
    negative, digits, tens = Decimal(value).as_tuple()
    text = "".join(map(str, digits))
    exponent = _MIDDLE + len(text) + int(tens)
    if exponent > _MIDDLE + LONGEST_INTEGER:
        raise Unstorable(
            f"a number of more than {LONGEST_INTEGER} digits could not be read again; nothing was written:"
            " store it as text"
        )
    body = b"%05d%s" % (exponent, text.rstrip("0").encode())
    return b"n1" + body.translate(_INVERTED) + b"~\x00" if negative else b"n3" + body + _END


def _as_number(data: bytes) -> int | float | bool:
    if data in _SPECIAL_VALUES:
        return _SPECIAL_VALUES[data]
    end = data.index(_END)
    sign, body, kind = data[1:2], data[2:end], data[end + 1 :]
    if sign == b"1":
        body = body[:-1].translate(_INVERTED)
    exponent, digits = (int(body[:5]) - _MIDDLE, body[5:].decode()) if body else (1, "0")
    if kind == b"f" or exponent < len(digits):
        number = float(f"0.{digits}e{exponent}")
        return -number if sign == b"1" else number
    whole = int(digits) * 10 ** (exponent - len(digits))
    if kind == b"b":
        return bool(whole)
    return -whole if sign == b"1" else whole


def parts_of(data: bytes) -> Iterator[Any]:
    """The values whose canonical forms stand in a row."""
    for part in re.findall(rb"~|[^~](?:[^\x00]|\x00\xff)*\x00(?!\xff)", data, re.DOTALL):
        yield None if part == NULL else decoded(part)
