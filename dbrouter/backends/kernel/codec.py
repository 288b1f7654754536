"""One text form for every value, the same on every backend, so that what goes in comes out.

JSON cannot say NaN, Decimal or bytes; Postgres refuses NUL; UTF-8 refuses lone surrogates; parsers round big
integers. Such values are written as a string that starts with U+FDD0, a code point Unicode reserves for internal
use, and read back from it. A U+FDD0 in the data is escaped the same way. Everything else is plain JSON, byte for
byte what agno's own classes would read.

The fast path is orjson, and for reading the parser of pydantic, as fast on what agno stores and exact on integers of
any size: agno's writer leaves them as they are. Only values that need an escape pay for a walk.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import orjson
from pydantic_core import from_json

from dbrouter.backends.kernel.errors import Corrupt, Unstorable

MARK = "\ufdd0"
_MARK_BYTES = MARK.encode()
_UNSAFE_TEXT = re.compile("[\x00\ud800-\udfff\ufdd0]")
_ESCAPED = re.compile(MARK + "(0000|0024|d[89a-f][0-9a-f]{2}|fdd0)")
_TAG = re.compile(MARK + r"(nan|inf|-inf|-0\.0|int:|num:|dec:|b64:)")
_NEGATIVE_ZERO = re.compile(rb"-0\.0(?![0-9e])")
_SAFE_INTEGER = range(-(2**63), 2**63)
LONGEST_INTEGER = 4300
"""Digits: Python reads no longer ones, lest a text that somebody sent keep it busy."""
_TOO_LONG = 10**LONGEST_INTEGER
_MAX_DEPTH = 200


def encode(value: Any, *, what: str = "value") -> str:
    """The value as JSON text. Raises `Unstorable`, naming the path below `what`, before anything is written.

    Dates and times become ISO text, UUIDs text, enums their value, models and agno objects their dict, tuples and
    sets lists: as agno's own encoder does. Dict keys become text.
    """
    try:
        text = orjson.dumps(value, _plain, orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_PASSTHROUGH_DATACLASS)
    except (TypeError, RecursionError):
        return _encoded_slowly(value, what)
    if _MARK_BYTES in text or b"\\u0000" in text or (b"null" in text and _has_nonfinite(value)):
        return _encoded_slowly(value, what)
    # Postgres' jsonb keeps numbers as decimals, which have one zero only.
    if b"-0.0" in text and _NEGATIVE_ZERO.search(text):
        return _encoded_slowly(value, what)
    return text.decode()


def decode(text: str | bytes) -> Any:
    """The value that `encode` wrote, or that any JSON writer wrote. Raises `Corrupt` if it is not JSON."""
    try:
        # Not orjson's: it makes floats of integers beyond 64 bits, and the next save would write the loss back.
        value = from_json(text)
    except ValueError:
        # It refuses lone surrogates, which agno's writer leaves in SQLite, and what is nested more than 200 deep.
        try:
            return json.loads(text)
        except ValueError as error:
            raise Corrupt(f"stored JSON cannot be read: {error}") from error
    marked = _MARK_BYTES in text if isinstance(text, bytes) else MARK in text
    return _restored(value) if marked else value


def as_json_text(text: str) -> str:
    """Encoded JSON in the form of JSON text even if it is a bare number, for columns that would read it as one.

    `decode` gives the same value for both.
    """
    return f'"{MARK}num:{text}"' if text[0] in "-0123456789" else text


def encode_text(text: str) -> str:
    """A text column's value in a form every backend takes: without NUL and lone surrogates."""
    return _UNSAFE_TEXT.sub(_escaped, text) if _UNSAFE_TEXT.search(text) else text


def decode_text(text: str) -> str:
    """The text that `encode_text` was given."""
    return _ESCAPED.sub(_unescaped, text) if MARK in text else text


def escaped_integer(value: int, *, what: str = "value") -> str:
    """The text that stands for an integer which a store's numbers cannot hold; `restored` makes it the integer.

    Raises `Unstorable`, naming it as `what`, where that has more digits than Python reads.
    """
    if abs(value) >= _TOO_LONG:
        raise Unstorable(
            f"{what} is an integer of more than {LONGEST_INTEGER} digits, which could not be read again; nothing was"
            " written: store it as text"
        )
    return f"{MARK}int:{value}"


def shown(value: Any) -> str:
    """The value as a message shows it: not all of a long one."""
    try:
        return f"{value!r:.80}"
    except ValueError:
        return f"more than {LONGEST_INTEGER} digits"


def escaped_character(character: str) -> str:
    """The text that stands for a character which a store does not take where it is; `restored` makes it that one."""
    return f"{MARK}{ord(character):04x}"


def restored(value: Any) -> Any:
    """The value that was encoded, from a tree of JSON values with the escapes still in it."""
    return _restored(value)


def is_marked(data: bytes) -> bool:
    """Whether there may be an escape in UTF-8 text: without one there is nothing to restore."""
    return _MARK_BYTES in data


def _plain(value: Any) -> Any:
    """What orjson hands over because JSON has no form for it."""
    plain = _substituted(value)
    if plain is value:
        raise TypeError
    return plain


def _substituted(value: Any) -> Any:
    """The JSON-like value that stands for this one, or the value itself if there is none."""
    match value:
        case Enum():
            return value.value
        case datetime() | date() | time():
            return value.isoformat()
        case UUID():
            return str(value)
        case type():
            return str(value)
        case Decimal():
            return f"{MARK}dec:{value}"
        case bytes() | bytearray() | memoryview():
            return f"{MARK}b64:{base64.b64encode(value).decode()}"
        case _:
            return _object_as_dict(value)


def _object_as_dict(value: Any) -> Any:
    for method in ("model_dump", "to_dict"):
        dump = getattr(value, method, None)
        if callable(dump):
            return dump()
    return value


def _encoded_slowly(value: Any, what: str) -> str:
    return json.dumps(_escaped_tree(value, what, 0), ensure_ascii=False, separators=(",", ":"))


def _escaped_tree(value: Any, path: str, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise Unstorable(f"{path} is nested more than {_MAX_DEPTH} deep or contains itself; store a flatter value")
    match value:
        case None | bool():
            return value
        case Enum():
            return _escaped_tree(value.value, path, depth + 1)
        case int():
            return int(value) if value in _SAFE_INTEGER else escaped_integer(value, what=path)
        case float():
            plain = math.isfinite(value) and (value or math.copysign(1, value) > 0)
            return float(value) if plain else f"{MARK}{float(value)!r}"
        case str():
            return encode_text(str(value))
        case Mapping():
            return _escaped_mapping(value, path, depth)
        case bytes() | bytearray() | memoryview():
            return _substituted(value)
        case Sequence() | AbstractSet():
            return [_escaped_tree(each, f"{path}[{index}]", depth + 1) for index, each in enumerate(value)]
        case _:
            return _escaped_substitute(value, path, depth)


def _escaped_mapping(value: Mapping[Any, Any], path: str, depth: int) -> dict[str, Any]:
    escaped: dict[str, Any] = {}
    for key, each in value.items():
        text = _escaped_key(key, path)
        if text in escaped:
            # JSON would take both, and every reader the last of them only.
            raise Unstorable(
                f"{path} has two keys that JSON writes as {text!r}, of which one would be lost; nothing was written:"
                " use keys that differ as text"
            )
        escaped[text] = _escaped_tree(each, f"{path}.{key}", depth + 1)
    return escaped


def _escaped_substitute(value: Any, path: str, depth: int) -> Any:
    plain = _substituted(value)
    if plain is value:
        raise Unstorable(
            f"{path} is a {type(value).__name__}, which has no stored form; store a JSON-like value instead"
        )
    return plain if isinstance(value, Decimal) else _escaped_tree(plain, path, depth + 1)


def _escaped_key(key: Any, path: str) -> str:
    match key:
        case Enum():
            return _escaped_key(key.value, path)
        case str():
            return encode_text(key)
        case bool() | None:
            return {True: "true", False: "false", None: "null"}[key]
        case int() if abs(key) >= _TOO_LONG:
            raise Unstorable(f"{path} has a key of more than {LONGEST_INTEGER} digits; use text")
        case int() | float():
            return repr(key)
        case UUID() | datetime() | date():
            return str(_substituted(key))
        case _:
            raise Unstorable(f"{path} has a key of type {type(key).__name__}; JSON keys are text")


def _has_nonfinite(value: Any) -> bool:
    """Whether a NaN or an infinity hides behind a null that orjson wrote."""
    kind = type(value)
    if kind is float:
        return not math.isfinite(value)
    if kind is dict:
        return any(_has_nonfinite(each) for each in value.values() if type(each) not in _CANNOT_HIDE)
    if kind is list or kind is tuple:
        return any(_has_nonfinite(each) for each in value if type(each) not in _CANNOT_HIDE)
    # Objects that `_plain` turns into dicts may hold floats too.
    return kind not in _CANNOT_HIDE and (plain := _substituted(value)) is not value and _has_nonfinite(plain)


_CANNOT_HIDE = frozenset({str, int, bool, type(None)})


def _restored(value: Any) -> Any:
    match value:
        case str():
            return _restored_text(value) if MARK in value else value
        case dict():
            return {decode_text(key): _restored(each) for key, each in value.items()}
        case list():
            return [_restored(each) for each in value]
        case _:
            return value


def _restored_text(text: str) -> Any:
    tag = _TAG.match(text)
    if tag is None:
        return decode_text(text)
    rest = text[tag.end() :]
    match tag[1]:
        case "int:":
            return int(rest)
        case "num:":
            return from_json(rest)
        case "dec:":
            return Decimal(rest)
        case "b64:":
            return base64.b64decode(rest)
        case number:
            return float(number)


def _escaped(match: re.Match[str]) -> str:
    return escaped_character(match[0])


def _unescaped(match: re.Match[str]) -> str:
    return chr(int(match[1], 16))
