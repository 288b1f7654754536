"""Large floats for servers that write them out: the same value, in digits that stay a float."""

from __future__ import annotations

import json
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbrouter.backends.kernel.codec import decode, encode
from dbrouter.backends.sql.floats import with_fractions


class Far(Enum):
    """A float that the value does not show as one."""

    AWAY = 1e20


VALUES = st.recursive(
    st.floats(allow_nan=False) | st.integers() | st.sampled_from(["1e300", 'a "1e20" \\', "[1e21]", "\x00 1e30"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "1e30", 'b"']), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(value=VALUES)
def test_the_value_is_the_same_and_no_number_has_an_exponent_that_a_server_writes_out(value: Any) -> None:
    text = with_fractions(value, encode(value))
    assert repr(decode(text)) == repr(value)
    json.loads(text, parse_float=lambda number: pytest.fail(number) if "e+" in number or "e1" in number else 0)


@pytest.mark.parametrize("value", [[Far.AWAY], {"a": ({"b": -1.5e21},)}, 1e16, 1.7976931348623157e308])
def test_every_large_float_gets_a_fraction(value: Any) -> None:
    text = with_fractions(value, encode(value))
    assert ".0" in text
    assert "e" not in text
    assert decode(text) == decode(encode(value))


def test_text_without_large_floats_is_left_alone() -> None:
    value = {"a": [1.5, "1e300", None], "b": 1e-300}
    assert with_fractions(value, encode(value)) == encode(value)
