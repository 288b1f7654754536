"""SecantusDB's keys and copies are what they are without us."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

haste = pytest.importorskip("scripts.servers.secantus_in_haste")

OF_A_LETTER = {
    "S": st.text(st.characters(codec="utf-8")),
    "u": st.binary(),
    "q": st.one_of(st.integers(-(2**63), 2**62), st.integers(-9000, 9000)),
}
FORMATS = ("S", "SS", "SSS", "SSSu", "SSu", "SSq", "u", "q", "SuS")
KEYS = st.sampled_from(FORMATS).flatmap(
    lambda format_: st.tuples(st.just(format_), *(OF_A_LETTER[letter] for letter in format_))
)


@given(KEYS)
def test_keys_are_packed_and_unpacked_as_wiredtiger_does(key: tuple[Any, ...]) -> None:
    format_, *values = key
    packed = haste._pack(format_, *values)
    assert haste.pack(format_, *values) == packed
    assert haste.unpack(format_, packed) == haste._unpack(format_, packed)


def test_a_value_that_is_no_bytes_is_none_as_wiredtiger_says() -> None:
    assert haste.unpack("u", None) == haste._unpack("u", None)


def test_a_copy_is_deep_and_the_same() -> None:
    document = {"a": [1, {"b": b"\0", "t": datetime(2024, 5, 1, tzinfo=UTC)}], "s": {"x"}}
    copied = haste.copied(document)
    assert copied == document
    copied["a"][1]["b"] = None
    copied["s"].clear()
    assert document["a"][1]["b"] == b"\0"
    assert document["s"] == {"x"}
