"""Large floats on servers that keep JSON's numbers as decimals.

They write 1e300 out as a one and 300 zeros, which every reader takes for an integer. With a fraction it stays a float.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

_EXPONENT_FROM = 1e16
"""Python and orjson write floats from here on with an exponent, smaller ones with a fraction."""
_HOLD_NONE = frozenset({str, int, bool, type(None)})
_TEXT_OR_LARGE = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?[eE]\+?\d+', re.DOTALL)


def with_fractions(value: Any, text: str) -> str:
    """The JSON `text` of this value, its large floats written as digits with a fraction."""
    return _TEXT_OR_LARGE.sub(_digits, text) if _may_hold_large(value) else text


def _may_hold_large(value: Any) -> bool:
    kind = type(value)
    if kind is float:
        return abs(value) >= _EXPONENT_FROM
    if kind is dict:
        return any(_may_hold_large(each) for each in value.values() if type(each) not in _HOLD_NONE)
    if kind is list or kind is tuple:
        return any(_may_hold_large(each) for each in value if type(each) not in _HOLD_NONE)
    # Objects that the codec turns into dicts may hold floats too: the text says.
    return kind not in _HOLD_NONE


def _digits(found: re.Match[str]) -> str:
    token = found[0]
    return token if token[0] == '"' else f"{Decimal(token):f}.0"
