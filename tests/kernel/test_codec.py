"""The codec: what goes in comes out, in text that every backend takes."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbrouter.backends.kernel.codec import MARK, decode, decode_text, encode, encode_text
from dbrouter.backends.kernel.errors import Corrupt, Unstorable

# Everything, with the dangerous code points made likely: NUL, surrogates, the mark itself and pieces of its escapes.
CHARACTERS = st.characters() | st.sampled_from(["\x00", "\ud800", "\udfff", MARK, "0", "d", "f", ":", "\\", '"', "nan"])
TEXTS = st.lists(CHARACTERS, max_size=12).map("".join) | st.sampled_from(
    [f"{MARK}nan", f"{MARK}int:12", f"{MARK}dec:1.5", f"{MARK}b64:AA==", f"{MARK}0000", MARK, MARK * 2]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**200), 2**200),
    st.floats(),
    st.decimals(allow_nan=False),
    st.binary(max_size=12),
    TEXTS,
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8", exclude_characters=MARK + "\x00")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc"), inner, max_size=4),
)


@given(value=VALUES)
def test_what_goes_in_comes_out(value: Any) -> None:
    assert _same(decode(encode(value)), value)


@given(value=VALUES)
def test_the_text_is_json_that_every_backend_takes(value: Any) -> None:
    text = encode(value)
    assert "\x00" not in text
    assert "\\u0000" not in text
    text.encode("utf-8")  # raises for a lone surrogate
    json.loads(text, parse_constant=pytest.fail)


@given(value=PLAIN)
def test_plain_json_is_written_as_any_json_writer_does(value: Any) -> None:
    assert json.loads(encode(value)) == value
    assert decode(json.dumps(value)) == value
    assert decode(json.dumps(value).encode()) == value


@given(text=TEXTS)
def test_text_columns_come_out_as_they_went_in(text: str) -> None:
    stored = encode_text(text)
    stored.encode("utf-8")
    assert "\x00" not in stored
    assert decode_text(stored) == text


@given(left=VALUES, right=VALUES)
def test_different_values_have_different_texts(left: Any, right: Any) -> None:
    if encode(left) == encode(right):
        assert _same(left, right)


class Colour(Enum):
    """An enum as agno's statuses are."""

    RED = "red"


class Shape:
    """An object with agno's way to become a dict."""

    def to_dict(self) -> dict[str, Any]:
        """A dict with a float that JSON cannot say."""
        return {"area": math.inf}


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, tzinfo=UTC), "2026-01-02T03:00:00+00:00"),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (Colour.RED, "red"),
        ({Colour.RED: 1}, {"red": 1}),
        ((1, (2,)), [1, [2]]),
        ({1: "a", 2.5: "b", None: "c"}, {"1": "a", "2.5": "b", "null": "c"}),
        (Shape(), {"area": math.inf}),
        ([Shape(), "\x00"], [{"area": math.inf}, "\x00"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_of_agno_become_what_its_own_encoder_makes_of_them(value: Any, stored: Any) -> None:
    assert decode(encode(value)) == stored


@pytest.mark.parametrize("number", [2**64, 2**70 + 1, -(2**63) - 1, -(10**40), 10**18, 2**64 - 1])
def test_integers_of_any_size_are_read_as_another_writer_left_them(number: int) -> None:
    text = json.dumps({"n": number, "all": [1.5, number], "é": f"{number}"}, ensure_ascii=False)
    assert _same(decode(text), {"n": number, "all": [1.5, number], "é": f"{number}"})
    assert _same(decode(text.encode()), decode(text))
    assert _same(decode(str(number)), number)


@pytest.mark.parametrize("number", [10**4299, -(10**4299)], ids=["above", "below"])
def test_the_longest_integers_come_back(number: int) -> None:
    assert _same(decode(encode({"n": number})), {"n": number})


@pytest.mark.parametrize(
    ("value", "where"),
    [
        (10**4300, "x"),
        ({"a": [-(10**4300)]}, "x.a\\[0\\]"),
        ({"a": math.nan, "b": 10**5000}, "x.b"),
        ({10**4300: 1}, "x has a key"),
    ],
    ids=["alone", "deep", "beside", "key"],
)
def test_an_integer_that_python_would_not_read_again_is_refused(value: Any, where: str) -> None:
    with pytest.raises(Unstorable, match=f"{where}.*4300 digits"):
        encode(value, what="x")


@given(number=st.floats(allow_nan=False, allow_infinity=False) | st.integers())
def test_numbers_are_read_as_python_reads_them(number: float) -> None:
    text = json.dumps([number, {"n": number}])
    assert _same(decode(text), json.loads(text))


def test_what_another_writer_left_is_read_with_its_surrogates_and_without_end() -> None:
    value = {"a": "\ud800", "n": 2**70, "x": math.inf}
    assert _same(decode(json.dumps(value)), value)
    assert decode("[" * 300 + "]" * 300)


class Word(str):
    """A text of a kind of its own."""

    __slots__ = ()


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ({1: "a", "1": "b"}, "'1'"),
        ({True: 1, "true": 2}, "'true'"),
        ({None: 1, "null": 2}, "'null'"),
        ({Colour.RED: 1, "red": 2}, "'red'"),
        ({2.5: 1, "2.5": 2}, r"'2\.5'"),
    ],
)
def test_two_keys_that_json_would_make_one_are_refused(value: dict[Any, Any], key: str) -> None:
    with pytest.raises(Unstorable, match=rf"run\.steps\[0\] has two keys that JSON writes as {key}"):
        encode({"steps": [value]}, what="run")


def test_keys_that_differ_as_text_are_kept_apart() -> None:
    value = {1: "a", 1.5: "b", Word("x"): "c", "\x00": "d", f"{MARK}0000": "e"}
    assert decode(encode(value)) == {"1": "a", "1.5": "b", "x": "c", "\x00": "d", f"{MARK}0000": "e"}


def test_a_value_without_a_stored_form_is_named_by_its_path() -> None:
    with pytest.raises(Unstorable, match=r"run\.steps\[1\]\.callback is a function"):
        encode({"steps": [1, {"callback": lambda: None}]}, what="run")


def test_a_value_that_contains_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(Unstorable, match="contains itself"):
        encode(endless)


def test_text_that_is_no_json_is_corrupt() -> None:
    with pytest.raises(Corrupt):
        decode("{not json")


def _same(left: Any, right: Any) -> bool:
    """Equality that tells 1 from 1.0 and True, and takes NaN for itself."""
    match left, right:
        case dict(), dict():
            return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
        case list(), list():
            return len(left) == len(right) and all(map(_same, left, right))
        case float(), float():
            return (math.isnan(left) and math.isnan(right)) or (
                left == right and math.copysign(1, left) == math.copysign(1, right)
            )
        case Decimal(), Decimal():
            return left.as_tuple() == right.as_tuple()
        case _:
            return type(left) is type(right) and bool(left == right)
